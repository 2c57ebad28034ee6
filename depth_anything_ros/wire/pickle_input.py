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

"""The bytes of a pickle, taken from front to back and never beyond the end."""

from __future__ import annotations

import struct

from depth_anything_ros.errors import InvalidRequest

NAME_BYTES = 128
"""Longest module or class name."""

INT_BYTES = 16
"""Longest int: twice what a stamp in nanoseconds needs."""


class Input:
    """A cursor on the message; what it hands out are views, not copies."""

    def __init__(self, data: memoryview) -> None:
        """Start at the first byte of ``data``."""
        self.data = data
        self._size = len(data)
        self.at = 0

    @property
    def left(self) -> int:
        """Return the number of bytes not taken yet."""
        return self._size - self.at

    def take(self, size: int) -> memoryview:
        """
        Return the next ``size`` bytes.

        :raises InvalidRequest: when fewer are left.
        """
        start = self.at
        end = start + size
        if end > self._size:
            raise InvalidRequest(
                f'pickle ends at byte {self._size}; {size} bytes are due at {start}')
        self.at = end
        return self.data[start:end]

    def byte(self) -> int:
        """Return the next byte as a number."""
        at = self.at
        if at >= self._size:
            self.take(1)
        self.at = at + 1
        return self.data[at]

    def unsigned(self, size: int) -> int:
        """Return the next ``size`` bytes as an int of 0 or more, little-endian."""
        return int.from_bytes(self.take(size), 'little')

    def signed(self) -> int:
        """Return the next four bytes as an int, little-endian."""
        return int.from_bytes(self.take(4), 'little', signed=True)

    def double(self) -> float:
        """Return the next float, eight bytes, big-endian."""
        value: float = struct.unpack('>d', self.take(8))[0]
        return value

    def long(self) -> int:
        """
        Return the next int of a length of its own.

        :raises InvalidRequest: when it is longer than any number we need.
        """
        size = self.byte()
        if size > INT_BYTES:
            raise InvalidRequest(f'int of {size} bytes; accepted: at most {INT_BYTES}')
        return int.from_bytes(self.take(size), 'little', signed=True)

    def line(self) -> str:
        """
        Return the next line, without its end.

        :raises InvalidRequest: when it is longer than any name we know.
        """
        line = bytes(self.data[self.at:self.at + NAME_BYTES + 1])
        end = line.find(b'\n')
        if end < 0:
            raise InvalidRequest(f'pickle name at byte {self.at} does not end')
        self.at += end + 1
        return line[:end].decode('ascii', 'backslashreplace')
