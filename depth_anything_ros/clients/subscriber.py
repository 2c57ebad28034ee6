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

"""Follow the cameras of a robot without ROS: always the newest depth, with what was missed."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Iterator

from depth_anything_ros.clients.base import REPLY_LIMITS, TIMEOUT_S
from depth_anything_ros.clients.curve import encrypt
from depth_anything_ros.core.options import Output
from depth_anything_ros.errors import DeadlineExceeded, MissingDependency
from depth_anything_ros.wire.following import Followed, followed, from_topic, topic_of

try:
    import zmq
except ImportError as error:
    raise MissingDependency('the ZMQ client needs pyzmq: pip install pyzmq') from error

RECEIVE_BUFFER = 2**19
"""Bytes that the system holds: large ones would be frames of the past."""


class ZmqSubscriber:
    """
    Follows one topic of a ROS node's ZMQ publisher; not for several threads at once.

    ``missed`` counts the results that were made while somebody followed and did not come here:
    replaced by newer ones at the server, on the way, or before they were asked for.
    """

    def __init__(
        self, address: str = 'tcp://127.0.0.1:5556', camera: str = '',
        output: Output | str = Output.DEPTH, *, timeout: float = TIMEOUT_S,
        server_key: str | Path = '', client_key: str | Path = '',
    ) -> None:
        """
        Subscribe, whether the server is there yet or not.

        :param address: where the node publishes.
        :param camera: name of the camera, empty for the only one.
        :param output: depth, points, confidence, sky or preview; what nobody follows is not made.
        :param timeout: seconds to wait for a result.
        :param server_key: public CURVE key of a server that encrypts, as for ``ZmqClient``.
        :param client_key: ``.key_secret`` file of a client that the server knows.
        """
        self.timeout = timeout
        self.missed = 0
        self._last: int | None = None
        self._address = address
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        # libzmq goes on reading and keeps the newest message alone.
        self._socket.setsockopt(zmq.CONFLATE, 1)
        self._socket.setsockopt(zmq.RCVBUF, RECEIVE_BUFFER)
        if server_key:
            encrypt(self._socket, server_key, client_key)
        self._socket.setsockopt(zmq.SUBSCRIBE, topic_of(camera, Output(output)))
        self._socket.connect(address)

    def receive(self) -> Followed:
        """
        Return the newest result that has not been returned yet, waiting for it.

        :raises DeadlineExceeded: when none comes in time.
        :raises InvalidRequest: when the server sends something else.
        """
        if not self._socket.poll(int(1000 * self.timeout)):
            raise DeadlineExceeded(f'nothing from {self._address} within {self.timeout:g} s')
        newest = followed(from_topic(self._socket.recv(copy=False).buffer, REPLY_LIMITS))
        # A lower number is of a server that has begun again.
        if self._last is not None and newest.sequence > self._last:
            self.missed += newest.sequence - self._last - 1
        self._last = newest.sequence
        return newest

    def close(self) -> None:
        """End the subscription."""
        self._context.destroy(0)

    def __iter__(self) -> Iterator[Followed]:
        """Yield the newest results until none comes in time."""
        while True:
            try:
                yield self.receive()
            except DeadlineExceeded:
                return

    def __enter__(self) -> ZmqSubscriber:
        """Return the subscriber itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the subscription."""
        self.close()
