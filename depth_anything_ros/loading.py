# Copyright 2026 the depth_anything_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Settings from YAML files and environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Mapping

from depth_anything_ros.errors import ConfigError, MissingDependency
from depth_anything_ros.settings import changed, describe, Setting, Settings, Value

TRUE, FALSE = ('1', 'true', 'yes', 'on'), ('0', 'false', 'no', 'off')


def from_environment(
    settings: Settings, environment: Mapping[str, str] = os.environ,
) -> Settings:
    """
    Return settings with what the environment variables say.

    :param settings: the snapshot to start from.
    :param environment: variables by name; an empty one counts as not set.
    :raises ConfigError: when a variable holds what is not accepted.
    """
    changes = {}
    for item in describe():
        text = environment.get(item.environment, '') if item.environment else ''
        if text:
            changes[item.name] = parse(item, text)
    return changed(settings, changes)


def parse(item: Setting, text: str) -> Value:
    """
    Return the value that a text means for a setting.

    :raises ConfigError: when it is no such value.
    """
    kind = type(item.default)
    if kind is bool:
        if text.lower() not in TRUE + FALSE:
            raise ConfigError(f'{item.name} must be one of {", ".join(TRUE + FALSE)}; '
                              f'seen {text!r}')
        return text.lower() in TRUE
    if kind is tuple:
        return item.check([part.strip() for part in text.split(',')])
    try:
        return item.check(kind(text))
    except ValueError:
        raise ConfigError(f'{item.name} must be {kind.__name__}, seen {text!r}') from None


def from_yaml(settings: Settings, path: str | Path) -> Settings:
    """
    Return settings with what a YAML file says.

    Both forms are read: groups of keys (``depth: {maximum: 50.0}``) and a ROS parameter file
    (``/**: ros__parameters: ...``).

    :param settings: the snapshot to start from.
    :param path: the file.
    :raises ConfigError: when it cannot be read, or a key or value is not accepted.
    :raises MissingDependency: when PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise MissingDependency('settings files need PyYAML: pip install pyyaml') from None
    try:
        content = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f'cannot read settings from {path}: {error}') from None
    if content is None:
        return settings
    if not isinstance(content, dict):
        raise ConfigError(f'{path} must hold a mapping, seen {type(content).__name__}')
    for node in content.values():
        if isinstance(node, dict) and 'ros__parameters' in node:
            settings = changed(settings, flatten(node['ros__parameters'] or {}))
            content = {}
    return changed(settings, flatten(content))


def flatten(mapping: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Return a nested mapping as one with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        name = f'{prefix}{key}'
        if isinstance(value, dict):
            flat.update(flatten(value, f'{name}.'))
        else:
            flat[name] = value
    return flat
