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

"""``--set NAME=VALUE``: the node's parameters by their own names, where there is no node."""

from __future__ import annotations

import argparse
from typing import Callable, Sequence

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.loading import parse
from depth_anything_ros.settings import changed, lookup, Settings


def add_set(parser: argparse.ArgumentParser, accepted: Sequence[str]) -> None:
    """
    Declare ``--set``.

    :param parser: of a verb.
    :param accepted: names and groups (ending in a dot) that mean something to it.
    """
    parser.add_argument(
        '--set', action='append', default=[], metavar='NAME=VALUE', dest='given',
        help='a parameter of the node, such as points.stride=2; again for another one; accepted: '
        + ', '.join(name + '*' if name.endswith('.') else name for name in accepted))


def settings_given(
    base: Settings, given: Sequence[str], accepted: Callable[[str], bool],
) -> Settings:
    """
    Return settings with what ``--set`` says.

    :param base: settings to start from.
    :param given: texts of the form NAME=VALUE.
    :param accepted: whether a setting of that name means anything here.
    :raises ConfigError: when one is unknown, means nothing here, or is not accepted.
    """
    changes = {}
    for text in given:
        name, equals, value = text.partition('=')
        item = lookup(name)
        if not equals:
            raise ConfigError(f'--set needs NAME=VALUE, seen {text!r}')
        if not accepted(name):
            raise ConfigError(f'--set {name} changes nothing here: it is for the ROS node')
        changes[name] = parse(item, value)
    return changed(base, changes)
