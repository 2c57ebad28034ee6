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

"""A client of the ZMQ bridge in our own form: no pickles, no copies."""

from __future__ import annotations

import math
from pathlib import Path
import time

from depth_anything_ros.clients.base import Client, REPLY_LIMITS, TIMEOUT_S
from depth_anything_ros.clients.curve import encrypt
from depth_anything_ros.errors import DeadlineExceeded, MissingDependency
from depth_anything_ros.wire.message import from_parts, Message, to_parts

try:
    import zmq
except ImportError as error:
    raise MissingDependency('the ZMQ client needs pyzmq: pip install pyzmq') from error


_MORE = int(zmq.SNDMORE)

LONG = 2**16
"""Bytes from which on an image is not copied once more."""


class ZmqClient(Client):
    """Asks a ZMQ bridge; reconnects by itself."""

    def __init__(
        self, address: str = 'tcp://127.0.0.1:5555', *, timeout: float = TIMEOUT_S,
        api_key: str = '', server_key: str | Path = '', client_key: str | Path = '',
    ) -> None:
        """
        Connect, whether the server is there yet or not.

        :param address: where the bridge listens.
        :param timeout: seconds that a request may take.
        :param api_key: the server's key, '' for none.
        :param server_key: public CURVE key of a server that encrypts: its 40 characters, or its
            ``.key`` file.
        :param client_key: ``.key_secret`` file of a client that the server knows; default: keys
            of the moment, for servers that let everybody in.
        """
        super().__init__(timeout, api_key)
        self._address = address
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        if server_key:
            encrypt(self._socket, server_key, client_key)
        self._socket.connect(address)
        self._left = -1
        self._longest = -1.0

    def close(self) -> None:
        """Close the connection."""
        self._context.destroy(0)

    def _exchange(self, message: Message, request_id: str) -> Message:
        deadline = time.monotonic() + self.timeout
        # The empty part is the envelope that a REQ socket would send.
        *first, last = b'', *to_parts(message)
        if self.timeout != self._longest:
            self._socket.setsockopt(zmq.SNDTIMEO, math.ceil(self.timeout * 1000))
            self._longest = self.timeout
        try:
            for part in first:
                self._socket.send(part, _MORE)
            self._socket.send(last, 0, len(last) < LONG)
        except zmq.Again:
            # A server that refuses our keys leaves nobody to send to.
            raise DeadlineExceeded(f'{self._address} takes no request within {self.timeout:g} s'
                                   ) from None
        while True:
            left = max(0, math.ceil((deadline - time.monotonic()) * 1000))
            if left != self._left:
                self._socket.setsockopt(zmq.RCVTIMEO, left)
                self._left = left
            try:
                frame: zmq.Frame = self._socket.recv(0, False)
                parts = []
                while frame.more:
                    frame = self._socket.recv(0, False)
                    parts.append(frame.buffer)
            except zmq.Again:
                raise DeadlineExceeded(
                    f'no reply from {self._address} within {self.timeout:g} s') from None
            reply = from_parts(parts, REPLY_LIMITS)
            # A reply to a request that was given up comes first; an error may name no request.
            if reply.header.get('request_id', request_id) == request_id:
                return reply
