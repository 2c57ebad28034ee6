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

"""Messages on a byte stream: four bytes of length, then the message; no socket in sight."""

from __future__ import annotations

import struct
from typing import Iterator, Sequence

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
import numpy as np

LENGTH = struct.Struct('!I')
"""Length of the message that follows, without itself: unsigned, big-endian."""

MAX_LENGTH = 2**32 - 1

PAGE = 4096
"""Bytes."""

Buffer = bytes | bytearray | memoryview


def framed(parts: Sequence[Buffer]) -> list[Buffer]:
    """
    Return a message with its length in front, for ``sendmsg``; nothing is copied.

    :param parts: the pieces of the message.
    :raises PayloadTooLarge: when its length does not fit four bytes.
    """
    size = 0
    for part in parts:
        size += memoryview(part).nbytes
    if size > MAX_LENGTH:
        raise PayloadTooLarge(f'message of {size} bytes; a frame holds at most {MAX_LENGTH}')
    return [LENGTH.pack(size), *parts]


def unsent(parts: Sequence[Buffer], sent: int = 0) -> list[memoryview]:
    """
    Return what is left of a message after some of its bytes are gone; nothing is copied.

    :param parts: the pieces, or what an earlier call returned.
    :param sent: bytes that were sent of them.
    """
    left = []
    for part in parts:
        view = memoryview(part).cast('B')
        if sent < len(view):
            left.append(view[sent:])
        sent = max(0, sent - len(view))
    return left


def page_aligned(size: int) -> memoryview:
    """Return so many bytes of memory from the start of a page, with anything in them."""
    memory = np.empty(size + PAGE, np.uint8)
    first = -memory.__array_interface__['data'][0] % PAGE
    return memory[first:first + size].data


class FrameReader:
    """
    Cuts a stream of bytes into messages.

    Receive straight into :meth:`buffer` and say with :meth:`received` how much came, or hand
    chunks to :meth:`feed`. The memory of a message is only reserved when its length arrives: the
    system gives the pages away as the bytes come in, so a length that nobody follows up costs
    nothing.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Start between two messages."""
        self._limit = limits.message_bytes
        self._length = memoryview(bytearray(LENGTH.size))
        self._body: memoryview | None = None
        self._rest = self._length

    @property
    def between_messages(self) -> bool:
        """Return whether the stream may end here without cutting a message off."""
        return self._rest is self._length

    def buffer(self) -> memoryview:
        """Return where the next bytes of the stream belong; never empty."""
        return self._rest

    def received(self, size: int) -> memoryview | None:
        """
        Take note of ``size`` bytes written to the start of :meth:`buffer`.

        :param size: 1 or more, at most the length of that buffer.
        :returns: the message when it is complete, in memory of its own, else None.
        :raises InvalidRequest: when a message is empty.
        :raises PayloadTooLarge: when a message is longer than the limit; the stream cannot be
            read on after that.
        """
        left = len(self._rest) - size
        if size <= 0 or left < 0:
            raise ValueError(f'{size} bytes received, {len(self._rest)} were asked for')
        if left:
            self._rest = self._rest[size:]
            return None
        message, self._body = self._body, None
        self._rest = self._length
        if message is None:
            self._rest = self._body = self._start()
        return message

    def feed(self, data: Buffer) -> Iterator[memoryview]:
        """
        Yield the messages that ``data``, the next bytes of the stream, completes.

        :raises InvalidRequest: as :meth:`received`.
        :raises PayloadTooLarge: as :meth:`received`.
        """
        rest = memoryview(data).cast('B')
        while rest:
            buffer = self.buffer()
            size = min(len(buffer), len(rest))
            buffer[:size] = rest[:size]
            rest = rest[size:]
            message = self.received(size)
            if message is not None:
                yield message

    def _start(self) -> memoryview:
        """Return the memory of the message that follows."""
        size: int = LENGTH.unpack(self._length)[0]
        if size == 0:
            raise InvalidRequest('message of 0 bytes; accepted: 1 byte or more')
        if size > self._limit:
            raise PayloadTooLarge(f'message of {size} bytes; accepted: at most {self._limit}')
        # numpy, because bytearray(size) would fill every page with zeros first. From the start of
        # a page, because the system copies up to twice as long to an address that is a few bytes
        # ahead of where it copies from, counted within a page.
        return page_aligned(size)
