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
Messages that lie in memory as they are sent, and are published from there.

Of a message that rclpy publishes, the data is copied into zeroed memory of a C message and from
there into the one that the middleware sends, while no other thread can run. Here results are
written where the middleware takes them from.
"""

from __future__ import annotations

from array import array
from functools import cache
import logging
from struct import Struct
from typing import Any

from depth_anything_ros.ros.carriers import Carrier, Plain
from depth_anything_ros.ros.headers import AnyHeader, OwnHeader
from depth_anything_ros.ros.rcl import library, publish_serialized, Span
import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

logger = logging.getLogger(__name__)

STAMP_AT, AFTER_STAMP = 4, 12
"""Where the stamp is in a message that begins with a header: after the encapsulation."""

STAMPS = {0: Struct('>iI'), 1: Struct('<iI')}
"""The stamp by byte order: lowest bit of the encapsulation's identifier (RTPS 2.5, 10.2.1.2)."""

LENGTHS = {0: Struct('>I'), 1: Struct('<I')}
"""What stands before the elements of a sequence: their number."""

MARK = bytes(range(0xC0, 0xE0))
"""Stands for the data where a message is serialized for what is around it."""

ROOM = 4096
"""Bytes before the data, for all that comes before it in a message."""

ALIGNMENT = 64
"""Where the data begins: at a cache line."""


class Serialized:
    """
    A message as it is sent, of a kind that begins with a header.

    ``data``, where the kind has it, is of bytes, and at most single bytes come after it: so
    nothing around it depends on it but its length.
    """

    def __init__(self, kind: type) -> None:
        """
        Make one without data.

        :param kind: class of the message.
        """
        self.message: Any = kind()
        self._header = OwnHeader(self.message.header)
        self.span = Span()
        self._has_data = hasattr(self.message, 'data')
        self._size = 0
        self._written: str | None = None
        """The frame_id with which what is around the data was written, None: not yet."""
        self._allocate(0)

    def _allocate(self, size: int) -> None:
        memory = np.empty(ALIGNMENT + ROOM + size + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        self._memory = memory.data[start:]
        self._address = memory.ctypes.data + start

    @property
    def data(self) -> memoryview:
        """Return the memory of the data, to be written into."""
        return self._memory[ROOM:ROOM + self._size]

    def resize(self, size: int) -> None:
        """
        Make the data longer or shorter; what was in it is not kept.

        :param size: bytes that it is to have.
        """
        if ROOM + size + ALIGNMENT > len(self._memory):
            self._allocate(size + size // 16)  # lists of points grow and shrink a little
        self._size = size
        self._written = None

    def changed(self) -> None:
        """Take over what was written into ``message``."""
        self._written = None

    def headed(self, header: AnyHeader) -> Any:
        """
        Return what is to be published, with this header.

        :returns: this, or a message of rclpy's where its head is longer than can be.
        """
        if header.frame_id != self._written:
            self._header.write(header)
            if not self._write():
                return self.message
            self._written = header.frame_id
        stamp = header.stamp
        self._write_stamp(self._memory, self._stamp_at, stamp.sec, stamp.nanosec)
        return self

    def _write(self) -> bool:
        """Write what is around the data, and return whether there is room for it."""
        if self._has_data:
            # A middleware may fill up to a multiple of four bytes.
            mark = MARK[:16 + self._size % 4]
            self.message.data = array('B', mark)
            head, _, tail = serialize_message(self.message).rpartition(mark)
            head = head[:-4] + LENGTHS[head[1] & 1].pack(self._size)
        else:
            head, tail = serialize_message(self.message), b''
        self._begin = ROOM - len(head)
        end = ROOM + self._size + len(tail)
        if self._begin < 0 or end > len(self._memory):
            if self._has_data:
                self.message.data = array('B', bytes(self.data))
            return False
        self._write_stamp = STAMPS[head[1] & 1].pack_into
        self._stamp_at = self._begin + STAMP_AT
        self._memory[self._begin:ROOM] = head
        self._memory[ROOM + self._size:end] = tail
        self.span.buffer = self._address + self._begin
        self.span.length = self.span.capacity = end - self._begin
        return True

    def __bytes__(self) -> bytes:
        """Return the message as it is sent."""
        return bytes(self._memory[self._begin:self._begin + self.span.length])


@cache
def problem(*kinds: type) -> str:
    """
    Return why rclpy must make and copy messages, empty where it need not.

    :param kinds: classes of the messages, none: those of all outputs.
    """
    try:
        library()
        for kind in kinds or (Image, PointCloud2, CameraInfo):
            _check(kind)
    except Exception as error:  # whatever another rclpy or middleware does otherwise
        logger.warning('images and results are copied by rclpy, which takes longer: %s', error)
        return str(error) or type(error).__name__
    return ''


def carrier() -> type[Carrier]:
    """Return what messages that are published lie in: serialized, where that is understood."""
    return Plain if problem() else Serialized


def stamp_in(data: bytes | memoryview) -> tuple[int, int]:
    """Return the seconds and nanoseconds in a serialized message that begins with a header."""
    seconds, nanoseconds = STAMPS[data[1] & 1].unpack_from(data, STAMP_AT)
    return seconds, nanoseconds


def handling(strange: str = '') -> str:
    """
    Return what is done with messages, for people.

    :param strange: what is wrong with those that are received, empty for nothing.
    """
    reason = problem() or strange
    return f'copied by rclpy: {reason}' if reason else 'sent from where they are written'


def _check(kind: type) -> None:
    """Raise an error where a message of a kind is not read as it was written."""
    header = Header(frame_id='any')
    for size in (0, 5, 7):
        made, plain = Serialized(kind), Plain(kind)
        if hasattr(plain.message, 'data'):
            for each in (made, plain):
                each.resize(size)
                each.data[:] = array('B', range(size))
        for header.stamp.sec in (1, 2):
            if deserialize_message(bytes(made.headed(header)), kind) != plain.headed(header):
                raise TypeError(f'{kind.__name__} is not serialized as expected')


def publish(publisher: Any, message: Any) -> None:
    """
    Publish what a buffer returned; of a life cycle publisher that is not active, nothing.

    :param publisher: an rclpy publisher of the message's kind.
    :param message: a message of rclpy's, or one with a ``span``: a serialized one.
    :raises RuntimeError: when the middleware refuses it.
    """
    span = getattr(message, 'span', None)
    if span is None:
        publisher.publish(message)
    elif getattr(publisher, 'is_activated', True) and not publish_serialized(publisher, span):
        # Once more, for rclpy to say why.
        publisher.publish(bytes(message))
