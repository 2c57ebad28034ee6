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
The newest depth of a robot's cameras for programs without ROS: a ZMQ PUB socket.

Only the newest result of every topic waits to be sent, and nothing is made for a topic that
nobody subscribes to.
"""

from __future__ import annotations

from dataclasses import dataclass
import logging
import threading
from typing import Mapping

from depth_anything_ros.bridges.access import Access, is_loopback
from depth_anything_ros.bridges.base import DRAIN_S, resolve
from depth_anything_ros.bridges.curve import Curve
from depth_anything_ros.bridges.zmq_port import port_of, ZmqPort
from depth_anything_ros.core.options import Output, PER_PIXEL
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import ConfigError, MissingDependency
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.following import followed_message, has, to_topic, topic_of

try:
    import zmq
except ImportError as error:
    raise MissingDependency('the ZMQ topic needs pyzmq: pip install pyzmq') from error

logger = logging.getLogger(__name__)

PORT = 5556

WAITING = 2
"""Messages that libzmq holds for a subscriber; what comes then is dropped for that one."""

SEND_BUFFER = 2**19
"""Bytes that the system holds for a subscriber: large ones would be frames of the past."""

TICK_MS = 200


@dataclass(frozen=True)
class Waiting:
    """The newest result of a topic, its number, and how many before it were never sent."""

    result: DepthResult
    sequence: int
    dropped: int


class ZmqPublisher:
    """Sends the newest results of cameras to all who subscribe to their topics."""

    def __init__(
        self, access: Access | None = None, port: int = PORT, *, curve: Curve | None = None,
    ) -> None:
        """
        Describe a server.

        :param access: its address; a subscriber cannot be asked for a key.
        :param port: TCP port, 0 for any free one.
        :param curve: keys that encrypt the traffic, default: none does.
        :raises ConfigError: when other machines could follow unasked.
        """
        self._access = access or Access()
        known = curve is not None and curve.clients is not None
        if not (is_loopback(resolve(self._access.host)[1]) or known
                or self._access.allow_anonymous):
            raise ConfigError(
                f'host {self._access.host} is open to other machines and a ZMQ topic cannot ask '
                'for a key: name the CURVE clients that may follow, or allow anonymous ones')
        self._port = port
        self._curve = curve
        self._lock = threading.Lock()
        self._prefixes: frozenset[bytes] = frozenset()
        self._newest: dict[tuple[str, Output], Waiting] = {}
        self._sequences: dict[tuple[str, Output], int] = {}
        self._thread: threading.Thread | None = None
        self._closing = False
        self.address = ''

    def listen(self) -> None:
        """
        Take the port; programs may subscribe from now on.

        :raises OSError: when the port is in use or not allowed.
        """
        self._wire = ZmqPort(zmq.XPUB, self._access.host, self._port, self._curve, {
            zmq.SNDHWM: WAITING, zmq.SNDBUF: SEND_BUFFER, zmq.LINGER: 0})
        self.address = self._wire.address

    @property
    def port(self) -> int:
        """Return the real port of a topic that is open."""
        return port_of(self.address)

    def start(self, service: DepthService) -> None:
        """Begin to send what :meth:`publish` is given; the service itself is not asked."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name='zmq-topic', daemon=True)
            self._thread.start()

    def stop(self, timeout: float = DRAIN_S) -> None:
        """
        Free the port; what waits is not sent any more.

        :param timeout: seconds that the thread has to end.
        """
        if not self.address:
            return
        self._closing = True
        if self._thread is None:
            self._wire.close()
            return
        self._wire.ring()
        self._thread.join(timeout + 5)

    def wanted(self, camera: str) -> frozenset[Output]:
        """
        Return what somebody follows of a camera.

        :param camera: its name, empty for the only one.
        """
        prefixes = self._prefixes
        return frozenset(
            output for output in PER_PIXEL
            if any(topic_of(camera, output).startswith(prefix) for prefix in prefixes))

    def publish(self, camera: str, result: DepthResult) -> None:
        """
        Hand in the newest result of a camera and return at once.

        :param camera: its name, empty for the only one.
        :param result: its arrays are held until they are sent.
        """
        wanted = [output for output in self.wanted(camera) if has(result, output)]
        if not wanted:
            return
        with self._lock:
            for output in wanted:
                key = camera, output
                sequence = self._sequences[key] = self._sequences.get(key, 0) + 1
                before = self._newest.get(key)
                self._newest[key] = Waiting(
                    result, sequence, 0 if before is None else before.dropped + 1)
        self._wire.ring()

    def _serve(self) -> None:
        while not self._closing:
            try:
                self._wire.wait(0 if self._wire.has_message() else TICK_MS)
                while self._wire.has_message():
                    self._subscription()
                with self._lock:
                    newest, self._newest = self._newest, {}
                self._send(newest)
            except Exception:
                # No subscriber may end the topic for the others.
                logger.exception('the ZMQ topic goes on after an error')
        self._wire.close()

    def _subscription(self) -> None:
        """Take a subscription, or the end of one."""
        message = self._wire.socket.recv(zmq.NOBLOCK)
        prefix = message[1:]
        if message[:1] == b'\1':
            self._prefixes |= {prefix}
        elif message[:1] == b'\0':
            self._prefixes -= {prefix}

    def _send(self, newest: Mapping[tuple[str, Output], Waiting]) -> None:
        for (camera, output), item in newest.items():
            message = followed_message(
                item.result, camera, output, item.sequence, item.dropped)
            self._wire.socket.send(
                to_topic(topic_of(camera, output), message), zmq.NOBLOCK, copy=False)
