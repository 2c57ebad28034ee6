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

"""A bound ZMQ socket, whose owner's thread other threads can wake."""

from __future__ import annotations

import select
import socket
from typing import Mapping, Sequence

from depth_anything_ros.bridges.base import bind_problem, resolve
from depth_anything_ros.bridges.curve import Curve, Gatekeeper
from depth_anything_ros.errors import MissingDependency

try:
    import zmq
except ImportError as error:
    raise MissingDependency('the ZMQ bridge needs pyzmq: pip install pyzmq') from error


# As ints: every use of an enum's member costs several calls of Python functions.
_EVENTS, _POLLIN = int(zmq.EVENTS), int(zmq.POLLIN)
_NOBLOCK, _MORE = int(zmq.NOBLOCK), int(zmq.SNDMORE)

LONG = 2**16
"""Bytes from which on libzmq is handed the memory itself: it says when it needs it no more."""


class ZmqPort:
    """
    One socket with a context of its own, encrypted where there are keys.

    ``socket`` is for one thread at a time; :meth:`ring` and :meth:`wait` leave it alone.
    """

    def __init__(
        self, kind: int, host: str, port: int, curve: Curve | None, options: Mapping[int, int],
    ) -> None:
        """
        Bind a socket.

        :param kind: ROUTER, XPUB, ...
        :param host: address, as for :func:`resolve`.
        :param port: TCP port, 0 for any free one.
        :param curve: keys that encrypt the traffic, None: nothing does.
        :param options: of the socket.
        :raises OSError: when the port is in use or not allowed.
        """
        family, number = resolve(host)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket: zmq.Socket[bytes] = self._context.socket(kind)
        self.socket.setsockopt(zmq.IPV6, int(family == socket.AF_INET6))
        for option, value in options.items():
            self.socket.setsockopt(option, value)
        self._gatekeeper: Gatekeeper | None = None
        if curve is not None:
            self._gatekeeper = curve.secure(self._context, self.socket)
        shown = f'[{number}]' if family == socket.AF_INET6 else number
        try:
            self.socket.bind(f'tcp://{shown}:{port or "*"}')
        except zmq.ZMQError as error:
            self._end(0)
            raise bind_problem(error.errno, number, port, str(error)) from None
        self.address: str = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._poller = select.poll()
        self._poller.register(int(self.socket.getsockopt(zmq.FD)), select.POLLIN)
        self._bell = self._woken.fileno()
        self._poller.register(self._bell, select.POLLIN)

    def ring(self) -> None:
        """Wake the thread that waits."""
        try:
            self._wake.send(b'\0')
        except OSError:
            # Full: it rings already. Closed: nobody is left to hear it.
            pass

    def wait(self, milliseconds: int) -> None:
        """
        Return when something may have come, somebody has rung, or time has passed.

        Call it when :meth:`has_message` was False after all else that was done with the socket:
        libzmq says that something has come once.
        """
        for number, _ in self._poller.poll(milliseconds):
            if number == self._bell:
                try:
                    self._woken.recv(4096)
                except BlockingIOError:
                    pass

    def has_message(self) -> bool:
        """Return whether there is something to receive; asking costs less than an exception."""
        return bool(int(self.socket.getsockopt(_EVENTS)) & _POLLIN)

    def receive(self) -> list[zmq.Frame]:
        """
        Return the parts of the message that is there, without a copy.

        :raises zmq.Again: when there is none.
        """
        frame: zmq.Frame = self.socket.recv(_NOBLOCK, False)
        frames = [frame]
        while frame.more:
            frame = self.socket.recv(_NOBLOCK, False)
            frames.append(frame)
        return frames

    def send(self, parts: Sequence[bytes | memoryview]) -> None:
        """
        Send a message without waiting; long parts are not copied.

        :raises zmq.ZMQError: when its receiver is gone or does not read.
        """
        *first, last = parts
        for part in first:
            self.socket.send(part, _NOBLOCK | _MORE, len(part) < LONG)
        self.socket.send(last, _NOBLOCK, len(last) < LONG)

    def close(self) -> None:
        """Free the port, after what may linger has been sent."""
        self._end(None)
        self._wake.close()
        self._woken.close()

    def _end(self, linger: int | None) -> None:
        self.socket.close(linger)
        if self._gatekeeper is not None:
            self._gatekeeper.stop()
        self._context.term()


def port_of(address: str) -> int:
    """Return the port of an address such as ``tcp://127.0.0.1:5555``."""
    return int(address.rpartition(':')[2])
