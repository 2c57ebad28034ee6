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

"""Whole messages over a connection that somebody else has made, each within a time."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import time
from typing import Sequence

from depth_anything_ros.wire.framing import Buffer, FrameReader, LENGTH, unsent
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits

BUFFERS = 512
"""Pieces handed to the system at once; its limit is 1024."""

NEARLY = 0.99
"""Part of the system's own time from which on what is left of ours is as good as all of it."""

_TIME = struct.Struct('@ll')


class Stream:
    """
    Sends and receives messages with their length in front; not for several threads.

    The system keeps the time (``pace``) as long as nothing is late: one call for the length and
    one for all the rest, where each piece that comes would else take three calls. Whatever comes
    in part or late is waited for piece by piece.
    """

    def __init__(self, connection: socket.socket, limits: Limits = DEFAULT_LIMITS) -> None:
        """
        Belong to a connection; the caller closes it.

        :param connection: a connected socket.
        :param limits: how long a message may be.
        """
        self._connection, self._reader = connection, FrameReader(limits)
        self.paced = 0.0
        """Seconds after which the system gives up a call; 0: it is asked piece by piece."""

    def pace(self, seconds: float) -> None:
        """
        Let the system keep the time, where it can: TLS and Windows go on piece by piece.

        :param seconds: that one call may take; deadlines may be longer or shorter.
        """
        if isinstance(self._connection, ssl.SSLSocket) or os.name != 'posix':
            return
        # Zero would be for ever.
        whole, part = divmod(max(1, int(seconds * 1e6)), 1_000_000)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._connection.setsockopt(socket.SOL_SOCKET, option, _TIME.pack(whole, part))
        self._connection.settimeout(None)
        self.paced = seconds

    def receive(self, deadline: float, message_s: float | None = None) -> memoryview | None:
        """
        Return the next message, None when the other side has ended the connection.

        :param deadline: until when its first byte must be there, by ``time.monotonic``.
        :param message_s: seconds that it may take from then on; None: until the deadline.
        :raises TimeoutError: when it is late.
        :raises OSError: when the connection is lost.
        :raises InvalidRequest: when the message is empty.
        :raises PayloadTooLarge: when it is longer than the limit.
        """
        connection, reader, paced = self._connection, self._reader, self.paced
        flags = 0
        while True:
            left = deadline - time.monotonic()
            try:
                if left >= NEARLY * paced > 0:
                    size = connection.recv_into(reader.buffer(), 0, flags)
                else:
                    size = self._receive_piece(reader.buffer(), left)
            except BlockingIOError:
                # The system's time is over, not yet ours.
                continue
            if not size:
                return None
            message = reader.received(size)
            if message is not None:
                return message
            if not flags:
                flags = socket.MSG_WAITALL
                if message_s is not None:
                    deadline = time.monotonic() + message_s

    def send(self, parts: Sequence[Buffer], deadline: float) -> None:
        """
        Send a message without copying its parts together.

        :param parts: the pieces of the message with its length in front, as of ``framed``.
        :param deadline: until when the other side must have taken it, by ``time.monotonic``.
        :raises TimeoutError: when it is late.
        :raises OSError: when the connection is lost.
        """
        connection, sent = self._connection, 0
        if deadline - time.monotonic() >= NEARLY * self.paced > 0:
            try:
                # In one call: small pieces ahead would each wake the other side.
                sent = connection.sendmsg(parts[:BUFFERS])
            except BlockingIOError:
                # The system's time is over, not yet ours.
                pass
            if sent == LENGTH.size + LENGTH.unpack(parts[0])[0]:
                return
        views = unsent(parts, sent)
        while views:
            sent = self._send_piece(views, deadline - time.monotonic())
            views = unsent(views, sent)

    def _receive_piece(self, memory: memoryview, left: float) -> int:
        self._wait_at_most(left)
        try:
            return self._connection.recv_into(memory)
        finally:
            if self.paced:
                self._connection.settimeout(None)

    def _send_piece(self, views: Sequence[Buffer], left: float) -> int:
        self._wait_at_most(left)
        try:
            # TLS takes one piece at a time, and what it has not taken stays as it is.
            return self._connection.send(views[0]) \
                if isinstance(self._connection, ssl.SSLSocket) \
                else self._connection.sendmsg(views[:BUFFERS])
        finally:
            if self.paced:
                self._connection.settimeout(None)

    def _wait_at_most(self, left: float) -> None:
        if left <= 0:
            raise TimeoutError('the time is over')
        self._connection.settimeout(left)
