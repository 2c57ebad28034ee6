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

"""
Every setting once: frozen dataclasses whose fields carry text, unit, range and choices.

ROS parameters, command line flags, YAML files, environment variables and the documents' tables
are all made from :func:`describe`. A group of settings with a ``check`` method refuses values that
do not fit together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
import difflib
from operator import attrgetter
from typing import Any, Iterable, Iterator, Mapping

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.settings.bridges import BridgeSettings
from depth_anything_ros.settings.camera import CameraSettings, check_cameras, DepthSettings
from depth_anything_ros.settings.engine import EngineSettings
from depth_anything_ros.settings.model import ModelSettings
from depth_anything_ros.settings.node import DiagnosticSettings, NodeSettings, ProcessSettings
from depth_anything_ros.settings.points import MountSettings, PointsSettings, SkySettings
from depth_anything_ros.settings.reconstruction import ReconstructionSettings
from depth_anything_ros.settings.scan import ScanSettings
from depth_anything_ros.settings.schema import setting, Value
from depth_anything_ros.settings.snapshot import SnapshotSettings

__all__ = [
    'changed', 'describe', 'lookup', 'ModelSettings', 'Setting', 'setting', 'Settings', 'unknown',
    'Value', 'values']


@dataclass(frozen=True)
class Settings:
    """All settings of a running system, immutable; a change makes a new snapshot."""

    cameras: tuple[str, ...] = setting(
        (), 'Cameras served by the one model, each below its name (front/image, '
        'front/depth/points); empty: one camera without a name.', read_only=True)
    model: ModelSettings = field(default_factory=ModelSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    depth: DepthSettings = field(default_factory=DepthSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    points: PointsSettings = field(default_factory=PointsSettings)
    sky: SkySettings = field(default_factory=SkySettings)
    mount: MountSettings = field(default_factory=MountSettings)
    scan: ScanSettings = field(default_factory=ScanSettings)
    snapshot: SnapshotSettings = field(default_factory=SnapshotSettings)
    node: NodeSettings = field(default_factory=NodeSettings)
    diagnostic_updater: DiagnosticSettings = field(default_factory=DiagnosticSettings)
    bridges: BridgeSettings = field(default_factory=BridgeSettings)
    reconstruction: ReconstructionSettings = field(default_factory=ReconstructionSettings)
    process: ProcessSettings = field(default_factory=ProcessSettings)

    def check(self) -> None:
        """
        Refuse values that do not fit together.

        :raises ConfigError: naming them.
        """
        check_cameras(self.cameras)


@dataclass(frozen=True)
class Setting:
    """One setting as every face of it needs: dotted name, default and what is accepted."""

    name: str
    default: Value
    text: str
    unit: str = ''
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    read_only: bool = False
    environment: str = ''
    per_camera: bool = False
    """Whether each of several cameras may have its own: ``front.mount.height``."""

    def check(self, value: object) -> Value:
        """
        Return the value in the setting's own type.

        An int is accepted where a float is meant and a list where a tuple is; nothing else is
        converted.

        :raises ConfigError: when the type, the range or the choice is wrong.
        """
        kind = type(self.default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(self.default, tuple):
            return self._check_list(value)
        if type(value) is not kind:
            raise ConfigError(f'{self.name} must be {kind.__name__}, seen '
                              f'{type(value).__name__} {value!r}')
        assert isinstance(value, (bool, int, float, str))
        if self.choices and value not in self.choices:
            raise ConfigError(f'{self.name} must be one of {", ".join(self.choices)}; '
                              f'seen {value!r}')
        if self.low is not None and self.high is not None:
            assert isinstance(value, (int, float))
            if not self.low <= value <= self.high:
                raise ConfigError(f'{self.name} must be from {self.low:g} to {self.high:g}'
                                  f'{" " + self.unit if self.unit else ""}; seen {value!r}')
        return value

    def _check_list(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) \
                or not all(isinstance(item, str) for item in value):
            raise ConfigError(f'{self.name} must be a list of text, seen {value!r}')
        return tuple(value)


def describe() -> tuple[Setting, ...]:
    """Return every setting in the order of the classes above."""
    return tuple(_described(Settings, ''))


def _described(group: Any, prefix: str) -> Iterator[Setting]:
    for item in fields(group):
        default: Any = item.default
        if item.metadata:
            yield Setting(prefix + item.name, default, **item.metadata)
        else:
            factory: Any = item.default_factory
            yield from _described(factory, f'{prefix}{item.name}.')


def lookup(name: str) -> Setting:
    """
    Return the setting of a dotted name.

    :raises ConfigError: when there is none; the text names the nearest one.
    """
    known = {item.name: item for item in describe()}
    if name not in known:
        raise ConfigError(unknown(name, known))
    return known[name]


def unknown(name: str, known: Iterable[str]) -> str:
    """Return the sentence for a name that is not known, with the nearest one that is."""
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f'{name!r} is not a known setting' + (f'; did you mean {near[0]!r}?' if near else '')


def values(settings: Settings) -> dict[str, Value]:
    """Return all values by dotted name."""
    return {item.name: attrgetter(item.name)(settings) for item in describe()}


def changed(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """
    Return a new snapshot with some values changed, checked one by one and as a whole.

    :param settings: the snapshot to start from.
    :param changes: new values by dotted name.
    :raises ConfigError: when a name is unknown or a value not accepted; nothing is changed then.
    """
    checked = {name: lookup(name).check(value) for name, value in changes.items()}
    result: Settings = _replaced(settings, checked)
    _check(result)
    return result


def _replaced(group: Any, changes: Mapping[str, Value]) -> Any:
    """Return a group with some values changed, by dotted name."""
    parts: dict[str, Any] = {}
    inner: dict[str, dict[str, Value]] = {}
    for name, value in changes.items():
        first, _, rest = name.partition('.')
        if rest:
            inner.setdefault(first, {})[rest] = value
        else:
            parts[name] = value
    for first, values_inside in inner.items():
        parts[first] = _replaced(getattr(group, first), values_inside)
    return replace(group, **parts)


def _check(group: Any) -> None:
    """Let a group and the groups inside it refuse values that do not fit together."""
    if hasattr(group, 'check'):
        group.check()
    for item in fields(group):
        if not item.metadata:
            _check(getattr(group, item.name))
