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
One HTTP connection: how long its parts may take and how large its header may be.

uvicorn has a time for idle connections alone. Here a header that does not come to an end, a body
that trickles and a reader that does not read are all ended, and a connection too many is refused
before anything of it is read.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios
from typing import Any

from depth_anything_ros.errors import MissingDependency

try:
    import httptools  # noqa: F401
    from uvicorn.config import Config
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError as error:
    raise MissingDependency(
        'the REST bridge needs FastAPI and uvicorn: pip install "depth_anything_ros[rest]"'
    ) from error

HEADER_S = 15.0
"""Seconds that the header of a request may take."""

HEADER_BYTES = 64 * 1024
"""Bytes of a header; what uvicorn's other parser allows."""

PIECE_BYTES = 2**20
"""Bytes of a body that are handed on together: each time they walk through all layers."""


class GuardedProtocol(HttpToolsProtocol):
    """
    uvicorn's connection with an end to everything that a client can draw out.

    A body of known length is handed on in large pieces, or as a whole: the pieces that the system
    hands out are small, and uvicorn stops reading for each of them until it has been looked at.
    """

    clients = 256
    message_s = 60.0
    header_s = HEADER_S

    def __init__(self, config: Config, *args: Any, **more: Any) -> None:
        """Make the protocol of a connection that will come."""
        super().__init__(config, *args, **more)
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._in_header = True
        self._header_bytes = 0
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._gathers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a connection too many, else wait for its first header."""
        super().connection_made(transport)
        if len(self.connections) > self.clients:
            self._refuse(b'503 Service Unavailable', b'too many connections; try again',
                         b'Retry-After: 1\r\n')
            return
        self._arm(self.header_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the times."""
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a header, and read on."""
        if self.transport.is_closing():
            return
        if self._in_header:
            self._header_bytes += len(data)
            if self._timer is None:
                self._arm(self.header_s)
        super().data_received(data)
        # A body may have come with the end of its header: only what is still open counts.
        if self._in_header and self._header_bytes > HEADER_BYTES:
            self._refuse(b'431 Request Header Fields Too Large', b'header is too large')

    def on_headers_complete(self) -> None:
        """Give the body its own time."""
        self._in_header = False
        self._header_bytes = 0
        # A body that does not say how long it is is looked at as it comes.
        self._gathers = any(name == b'content-length' for name, _ in self.scope['headers'])
        self._arm(self.message_s)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Gather what comes of a body whose length was looked at."""
        if not self._gathers:
            super().on_body(body)
            return
        self._pieces.append(body)
        self._gathered += len(body)
        if self._gathered >= PIECE_BYTES:
            super().on_body(self._piece())

    def _piece(self) -> bytes:
        piece = b''.join(self._pieces)
        self._pieces.clear()
        self._gathered = 0
        return piece

    def on_message_complete(self) -> None:
        """Wait for the next header; the idle time is uvicorn's."""
        self._in_header = True
        self._disarm()
        if self._gathered:
            piece, cycle = self._piece(), self.cycle
            if cycle.body or cycle.response_complete:
                super().on_body(piece)
            else:
                # Not copied once more, and nothing to stop reading for.
                cycle.body = piece  # type: ignore[assignment]
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand a socket over: its times are those of its own protocol."""
        self._disarm()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """Watch a reader that does not keep up."""
        super().pause_writing()
        if self._stall is None:
            self._watch(self._unread())

    def resume_writing(self) -> None:
        """Stop watching."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def _watch(self, size: int) -> None:
        self._stall = self.loop.call_later(self.message_s, self._look, size)

    def _look(self, size: int) -> None:
        left = self._unread()
        if left >= size:
            self.transport.abort()
        else:
            self._watch(left)

    def _unread(self) -> int:
        """
        Return the bytes of a reply that the reader has not taken.

        Those in the system's own buffer count: it takes megabytes at once, and until there is
        room again a reader that is only slow would look like one that stands still.
        """
        left = self.transport.get_write_buffer_size()
        try:
            number = self.transport.get_extra_info('socket').fileno()
            queued: int = struct.unpack('i', fcntl.ioctl(number, termios.TIOCOUTQ, bytes(4)))[0]
        except OSError:
            # It was closed on the way.
            return left
        return left + queued

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.cycle is not None and self.cycle.response_started:
            # A reply is on its way already, such as a refusal of this body.
            self.transport.abort()
        else:
            self._refuse(b'408 Request Timeout', b'the request did not arrive in time')

    def _refuse(self, status: bytes, text: bytes, header: bytes = b'') -> None:
        self._disarm()
        body = b'{"detail":"%b"}' % text
        self.transport.write(
            b'HTTP/1.1 %b\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n'
            b'Connection: close\r\n\r\n%b' % (status, header, len(body), body))
        self.transport.close()
