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

"""Flags of the bounds that every bridge keeps."""

from __future__ import annotations

import argparse
from dataclasses import replace

from depth_anything_ros.bridges.base import BridgeLimits

MIB = 2**20

FLAGS: tuple[tuple[str, str, type, str, str], ...] = (
    ('--max-clients', 'clients', int, 'N', 'clients that are served at once'),
    ('--in-flight', 'in_flight', int, 'N', 'requests that one client of HTTP or ZMQ may have '
                                           'under way'),
    ('--idle-timeout', 'idle_s', float, 'S', 'seconds that a client of HTTP or raw TCP may be '
                                             'silent between two requests'),
    ('--message-timeout', 'message_s', float, 'S', 'seconds that a message of HTTP or raw TCP '
                                                   'may take to arrive or to be read'),
    ('--request-timeout', 'request_s', float, 'S', 'seconds after which a request is answered, '
                                                   'if only by an error'),
)
"""Flag, the field of :class:`BridgeLimits`, its type, its unit, its meaning."""


def add_limit_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the bounds; what is not said is as each bridge has it."""
    for flag, field, kind, unit, text in FLAGS:
        parser.add_argument(flag, dest=field, type=kind, metavar=unit, help=text)
    parser.add_argument('--max-message', type=int, metavar='MIB',
                        help='largest message, MiB (default: 64)')


def limits_of(arguments: argparse.Namespace, base: BridgeLimits) -> BridgeLimits:
    """
    Return the bounds of a bridge with what the flags say.

    :param arguments: the flags of :func:`add_limit_arguments`.
    :param base: what holds where a flag is not given.
    :raises ConfigError: when one would let nothing through.
    """
    given = {field: value for _, field, *_ in FLAGS
             if (value := getattr(arguments, field)) is not None}
    if arguments.max_message is not None:
        given['message'] = replace(base.message, message_bytes=arguments.max_message * MIB)
    return replace(base, **given)
