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

"""Pickles of the seeds' clients: read without unpickling, written for every numpy."""

from __future__ import annotations

from depth_anything_ros.wire.arrays import check_size
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.pickle_again import LONG, Templates
from depth_anything_ros.wire.pickle_machine import Machine
from depth_anything_ros.wire.pickle_writer import pickle_parts

FIRST_BYTE = 0x80
"""The opcode PROTO, with which every pickle of protocol 2 or later starts."""

_templates = Templates()


def is_pickle(data: bytes | bytearray | memoryview) -> bool:
    """Return whether a message is a pickle, told apart from our own form by its first byte."""
    return len(data) > 0 and data[0] == FIRST_BYTE


def read(data: bytes | bytearray | memoryview, limits: Limits = DEFAULT_LIMITS) -> object:
    """
    Return the value of a pickle of protocol 2 to 5; nothing is imported and nothing is called.

    Accepted are dicts with text or small ints as keys, lists, tuples, text, bytes, numbers, bool,
    None, numpy arrays and scalars of bools, ints and floats, and Pillow images, which come back
    as :class:`~depth_anything_ros.wire.pillow.PillowImage`. Bytes come back as read-only
    memoryviews and arrays as read-only views: both share the memory of ``data``.

    :param data: the whole message.
    :param limits: how much it may hold.
    :raises InvalidRequest: when it is broken or holds anything else.
    :raises PayloadTooLarge: when it goes beyond a limit.
    """
    view = memoryview(data).cast('B').toreadonly()
    check_size(len(view), limits.message_bytes, 'message')
    if len(view) < LONG:
        return Machine(view, limits).run()
    again = _templates.find(view, limits)
    if again is not None:
        return again
    value = Machine(view, limits).run()
    _templates.remember(view, limits, value)
    return value


def write(value: object) -> bytes:
    """
    Return a pickle of protocol 4 that loads on numpy 1.24 to 2.x without a warning.

    :param value: dicts, lists, tuples, text, bytes, numbers, bool, None, arrays and numpy scalars.
    :raises TypeError: when it holds anything else.
    """
    return b''.join(pickle_parts(value))


__all__ = ['is_pickle', 'pickle_parts', 'read', 'write']
