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
The raw TCP bridge: ``python -m depth_anything_ros.bridges.tcp``.

Four bytes of length, big-endian, then a pickled dict or a message of our own form; one thread for
each client, a bounded number of clients, and a time for everything.
"""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeout
import logging
import socket
import ssl
import threading
import time
from typing import Any, Callable, Mapping, Sequence

from depth_anything_ros.bridges.access import Access, is_loopback
from depth_anything_ros.bridges.base import bind_problem, BridgeLimits, DRAIN_S, resolve
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.requests import switch_of
from depth_anything_ros.bridges.streams import part, shake_hands
from depth_anything_ros.bridges.tcp_actions import Action, ActionRequest, BUILT_IN
from depth_anything_ros.bridges.work import own_reply
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import (
    DeadlineExceeded,
    Forbidden,
    InvalidRequest,
    LimitExceeded,
    NotReady,
)
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.framing import Buffer, framed
from depth_anything_ros.wire.message import from_body, is_body, Message, to_frame
from depth_anything_ros.wire.pickled import pickle_parts, read
from depth_anything_ros.wire.status import Failure, failure, SUCCESS, UNFORESEEN
from depth_anything_ros.wire.streams import Stream

logger = logging.getLogger(__name__)

PORT = 8000
"""Default of the seed's server; the all-in-one server takes 9000."""

PONG = {'status': 'pong', 'message': 'Depth Anything server is running'}

REFUSALS = 8
"""Clients over the limit that are told so at the same time; more are closed at once."""

PART_S = 2.0
"""Seconds that a client has to read the last reply."""

STEP_S = 0.2
"""How often a waiting request looks whether the server is closing."""


class TcpBridge:
    """Serves the seed's pickled dicts and our own form over length-prefixed TCP."""

    def __init__(
        self, access: Access | None = None, port: int = PORT, *,
        limits: BridgeLimits | None = None, actions: Mapping[str, Action] = BUILT_IN,
        roots: ImageRoots | None = None, on_shutdown: Callable[[float], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """
        Describe a server.

        :param access: address and key, default: loopback without a key.
        :param port: TCP port, 0 for any free one.
        :param limits: bounds of messages, clients and times.
        :param actions: what can be asked for beside ping and shutdown, by name.
        :param roots: folders in which clients of our own form may name pictures, default: none.
        :param on_shutdown: stops the program when a client asks for it, given the seconds that
            requests under way have; without it the action is refused.
        :param tls: encrypts the connections, default: nothing does.
        """
        self._tls = tls
        self._access = access or Access()
        self._port = port
        self._limits = limits or BridgeLimits()
        self._actions = dict(actions)
        self._roots = roots or ImageRoots()
        self._on_shutdown = on_shutdown
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._refusals = threading.BoundedSemaphore(REFUSALS)
        self._closing_at: float | None = None
        self._acceptor: threading.Thread | None = None
        self.address = ''

    def listen(self) -> None:
        """
        Take the port; clients may connect and wait from now on.

        :raises OSError: when the port is in use or not allowed.
        """
        family, host = resolve(self._access.host)
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, self._port))
            self._listener.listen()
        except OSError as error:
            self._listener.close()
            raise bind_problem(error.errno, host, self._port, str(error)) from None
        shown = f'[{host}]' if family == socket.AF_INET6 else host
        self.address = f'tcp://{shown}:{self.port}'

    @property
    def port(self) -> int:
        """Return the real port of a bridge that listens."""
        return int(self._listener.getsockname()[1] if not self.address
                   else self.address.rpartition(':')[2])

    def start(self, service: DepthService) -> None:
        """Serve with a service that stays the caller's, or go on with another, in threads."""
        self._service = service
        if self._acceptor is not None:
            return
        self._acceptor = threading.Thread(target=self._accept, name='tcp-accept', daemon=True)
        self._acceptor.start()

    def stop(self, timeout: float = DRAIN_S) -> None:
        """
        Take no more requests, finish or refuse those under way, and free the port.

        :param timeout: seconds that requests under way have.
        """
        if not self.address:
            return
        self._closing_at = time.monotonic() + timeout
        _shut(self._listener, socket.SHUT_RDWR)
        if self._acceptor is not None:
            self._acceptor.join()
        self._listener.close()
        with self._lock:
            threads = dict(self._clients)
        for connection in threads:
            # Ends the waiting for a next message, and nothing that is under way.
            _shut(connection, socket.SHUT_RD)
        # A thread answers its client by then, and has PART_S for the answer to leave.
        end = self._closing_at + STEP_S + PART_S
        for connection, thread in threads.items():
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                _shut(connection, socket.SHUT_RDWR)

    def _accept(self) -> None:
        while self._closing_at is None:
            try:
                connection, peer = self._listener.accept()
            except OSError as error:
                if self._closing_at is None:
                    # Out of descriptors, or a client that was gone too soon: others go on.
                    logger.warning('a client cannot be accepted: %s', error)
                    time.sleep(STEP_S)
                continue
            try:
                self._welcome(connection, str(peer[0]))
            except (OSError, RuntimeError) as error:
                # Gone already, or the system has no thread left.
                logger.warning('a client cannot be served: %s', error)
                with self._lock:
                    self._clients.pop(connection, None)
                connection.close()

    def _welcome(self, connection: socket.socket, peer: str) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            # The handshake waits for the client: it is done in the client's own thread.
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            room = len(self._clients) < self._limits.clients
            if room:
                thread = threading.Thread(
                    target=self._serve, args=(connection, peer), name='tcp-client', daemon=True)
                self._clients[connection] = thread
                thread.start()
        if not room:
            self._refuse(connection)

    def _refuse(self, connection: socket.socket) -> None:
        if not self._refusals.acquire(blocking=False):
            connection.close()
            return

        def tell() -> None:
            try:
                if not shake_hands(connection, PART_S):
                    return
                error = LimitExceeded(f'{self._limits.clients} clients are served already')
                Stream(connection).send(
                    _pickled(failure(error).tcp_reply()), time.monotonic() + PART_S)
                part(connection, PART_S, self._limits.message.message_bytes)
            except OSError:
                # It does not read what it is told, or is gone.
                pass
            finally:
                connection.close()
                self._refusals.release()
        threading.Thread(target=tell, name='tcp-refusal', daemon=True).start()

    def _serve(self, connection: socket.socket, peer: str) -> None:
        """Answer one client's messages until it, or the server, ends."""
        stream, limits = Stream(connection, self._limits.message), self._limits
        shutdown: float | None = None
        try:
            ends = not shake_hands(connection, limits.message_s)
            stream.pace(min(limits.idle_s, limits.message_s))
            while not ends:
                try:
                    try:
                        message = stream.receive(
                            time.monotonic() + limits.idle_s, limits.message_s)
                    except OSError:
                        # Silent or too slow, or gone.
                        message = None
                    if message is None:
                        return
                    reply, ends, shutdown = self._reply(message, peer)
                except Exception as error:
                    seen = _seen(error)
                    reply, ends = _pickled(seen.tcp_reply()), True
                message = None
                try:
                    stream.send(reply, time.monotonic() + limits.message_s)
                except OSError:
                    # Gone, or does not read.
                    return
            if shutdown is None:
                part(connection, PART_S, limits.message.message_bytes)
        finally:
            with self._lock:
                self._clients.pop(connection, None)
            connection.close()
            if shutdown is not None and self._on_shutdown is not None:
                logger.info('a client at %s stops the server', peer)
                self._on_shutdown(shutdown)

    def _reply(
        self, message: memoryview, peer: str,
    ) -> tuple[Sequence[Buffer], bool, float | None]:
        """
        Return the reply, whether the connection ends, and the seconds to shut down in, or None.

        :raises DepthAnythingError: when the bytes are no message; nothing after them is read.
        """
        if is_body(message):
            request = from_body(message, self._limits.message)
            try:
                self._check_open()
                answer = own_reply(
                    request, self._access, self._roots, self._limits.message, self._estimate)
            except Exception as error:
                answer = Message({**_seen(error).zmq_reply(), 'type': 'error'})
            return to_frame(answer), False, None
        fields = read(message, self._limits.message)
        try:
            self._check_open()
            if not isinstance(fields, dict):
                raise InvalidRequest(f'request is {type(fields).__name__}; accepted: a dict')
            if fields.get('action') == 'shutdown':
                return _pickled({'status': 'shutting_down'}), True, self._shutdown(fields, peer)
            return _pickled(self._act(fields)), False, None
        except Exception as error:
            return _pickled(_seen(error).tcp_reply()), False, None

    def _act(self, fields: Mapping[Any, Any]) -> dict[str, Any]:
        name = fields.get('action')
        if name == 'ping':
            return dict(PONG)
        self._access.check(fields)
        action = self._actions.get(name) if isinstance(name, str) else None
        if action is None:
            raise InvalidRequest('Unknown action')
        data = action(
            ActionRequest(fields, self._service, self._estimate, self._limits.message))
        return {'status': SUCCESS, 'data': dict(data)}

    def _shutdown(self, fields: Mapping[Any, Any], peer: str) -> float:
        if self._on_shutdown is None:
            raise Forbidden('this server cannot be stopped by a client')
        self._access.check(fields)
        if not self._access.key and not is_loopback(peer):
            raise Forbidden('shutdown is for clients on the same machine, or with a key')
        return 0.0 if switch_of(fields, 'immediate') else DRAIN_S

    def _check_open(self) -> None:
        if self._closing_at is not None:
            raise NotReady('the service is closing')

    def _estimate(
        self, source: Callable[[], Frame], options: FrameOptions, ready: bool = False,
        pixels: tuple[int, ...] = (),
    ) -> DepthResult:
        result = self._service.at_once(source, options, pixels)
        if result is not None:
            return result
        deadline = time.monotonic() + self._limits.request_s
        future = self._service.submit(
            source, options, deadline=deadline, ready=ready, pixels=pixels)
        while True:
            left = deadline - time.monotonic()
            try:
                return future.result(min(max(left, 0.0), STEP_S))
            except FutureTimeout:
                if future.done():
                    raise
            if left <= 0:
                future.cancel()
                raise DeadlineExceeded(f'no result within {self._limits.request_s:g} s')
            if self._closing_at is not None and time.monotonic() >= self._closing_at:
                future.cancel()
                raise NotReady('the service is closing')


def _seen(error: Exception) -> Failure:
    seen = failure(error)
    if seen.face is UNFORESEEN:
        logger.error('a request failed', exc_info=error)
    else:
        logger.debug('a request is refused: %s', error)
    return seen


def _pickled(reply: Mapping[str, Any]) -> list[Buffer]:
    return framed(pickle_parts(reply))


def _shut(connection: socket.socket, how: int) -> None:
    try:
        # Not that of an SSLSocket, which would take the encryption away from a waiting thread.
        socket.socket.shutdown(connection, how)
    except OSError:
        # The other side has ended it already.
        pass


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the bridge as a program with the seed's flags.

    :param argv: arguments without the program's name; default: those of the process.
    :returns: 0 after an orderly end, 1 when the port is in use, 2 for wrong settings.
    """
    from depth_anything_ros.bridges.launcher import run_tcp
    return run_tcp(argv)


if __name__ == '__main__':
    import sys
    sys.exit(main())
