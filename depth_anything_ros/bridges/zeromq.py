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
The ZMQ bridge: ``python -m depth_anything_ros.bridges.zeromq``.

A ROUTER socket under the seed's REQ clients: each gets exactly one reply to each request, in its
own order, and many are served at once. Pickles are read without unpickling.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from functools import partial
import logging
import threading
import time
from typing import Any, Sequence

from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.base import BridgeLimits, DRAIN_S
from depth_anything_ros.bridges.curve import Curve
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.ordering import Ordering, Ticket
from depth_anything_ros.bridges.rate import RateLine
from depth_anything_ros.bridges.work import Work
from depth_anything_ros.bridges.zmq_port import port_of, ZmqPort
from depth_anything_ros.bridges.zmq_requests import ZmqRequests
from depth_anything_ros.errors import DeadlineExceeded, MissingDependency, NotReady
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.arrays import check_size
from depth_anything_ros.wire.message import from_parts, Message, to_parts
from depth_anything_ros.wire.pickled import pickle_parts, read
from depth_anything_ros.wire.status import failure, UNFORESEEN

try:
    import zmq
except ImportError as error:
    raise MissingDependency('the ZMQ bridge needs pyzmq: pip install pyzmq') from error

logger = logging.getLogger(__name__)

PORT = 5555

HARD_LIMIT = 4
"""So many times the largest message are read only to be refused; beyond, libzmq drops the peer."""

QUEUED = 8
"""Messages that libzmq holds for each client in each direction."""

TICK_MS = 200
"""How often deadlines are looked at."""

BURST = 32
"""Messages taken before results are looked at again."""

LINGER_MS = 1000
"""Time that replies have to leave when the socket is closed."""


class ZmqBridge:
    """Serves the seed's pickled dicts and our own multipart form on one port."""

    def __init__(
        self, access: Access | None = None, port: int = PORT, *,
        limits: BridgeLimits | None = None, roots: ImageRoots | None = None,
        curve: Curve | None = None,
    ) -> None:
        """
        Describe a server.

        :param access: address and key, default: loopback without a key.
        :param port: TCP port, 0 for any free one.
        :param limits: bounds of messages, clients and times.
        :param roots: folders in which clients may name pictures, default: none.
        :param curve: keys that encrypt the traffic, default: none does.
        """
        self._access = access or Access()
        self._curve = curve
        self._port = port
        self._limits = limits or BridgeLimits()
        self._requests = ZmqRequests(
            self._access, roots or ImageRoots(), self._limits.message, self._limits.clients * 8)
        self._ordering = Ordering(self._limits.clients, self._limits.in_flight)
        self._events: deque[tuple[Ticket, Work, list[Any], Future[Any]]] = deque()
        # Who holds it may use the socket, and what is known of the clients.
        self._turn = threading.Lock()
        self._closing_at: float | None = None
        self._thread: threading.Thread | None = None
        self.address = ''

    def listen(self) -> None:
        """
        Take the port; clients may connect and wait from now on.

        :raises OSError: when the port is in use or not allowed.
        """
        self._wire = ZmqPort(zmq.ROUTER, self._access.host, self._port, self._curve, {
            zmq.MAXMSGSIZE: HARD_LIMIT * self._limits.message.message_bytes,
            zmq.RCVHWM: QUEUED, zmq.SNDHWM: QUEUED, zmq.LINGER: LINGER_MS,
            # A reply for a client that is gone or does not read is an error, not a silent loss.
            zmq.ROUTER_MANDATORY: 1})
        self.address = self._wire.address

    @property
    def port(self) -> int:
        """Return the real port of a bridge that listens."""
        return port_of(self.address)

    def start(self, service: DepthService) -> None:
        """Serve with a service that stays the caller's, or go on with another, in a thread."""
        self._service = service
        if self._thread is not None:
            return
        self._rate = RateLine(lambda: self._service.device_memory())
        self._thread = threading.Thread(target=self._serve, name='zmq-bridge', daemon=True)
        self._thread.start()

    def stop(self, timeout: float = DRAIN_S) -> None:
        """
        Take no more requests, finish or refuse those under way, and free the port.

        :param timeout: seconds that requests under way have.
        """
        if not self.address:
            return
        if self._thread is None:
            self._wire.close()
            return
        self._closing_at = time.monotonic() + timeout
        self._wire.ring()
        # The loop ends at that time at the latest; what a future's owner does is not waited for.
        self._thread.join(timeout + LINGER_MS / 1000 + 5)

    def _serve(self) -> None:
        more = ends = False
        while not ends:
            self._wire.wait(0 if more else TICK_MS)
            with self._turn:
                try:
                    while self._events:
                        self._settle(*self._events.popleft())
                    more = self._receive_some() or bool(self._events)
                    ends = self._is_over()
                except Exception:
                    # Nothing that a client sends may end the server.
                    logger.exception('the ZMQ bridge goes on after an error')
                    more = True
        with self._turn:
            for ticket in self._ordering.overdue(float('inf')):
                self._fail(ticket, NotReady('the service is closing'))
            self._wire.close()

    def _receive_some(self) -> bool:
        """Take what is there, and return whether there is more."""
        for _ in range(BURST):
            try:
                frames = self._wire.receive()
            except zmq.Again:
                return False
            self._receive(frames)
            # Asking costs more than to receive, to receive nothing costs more than to ask.
            if not self._wire.has_message():
                return False
        return True

    def _is_over(self) -> bool:
        """Give up what is overdue, and return whether the bridge has closed."""
        if self._closing_at is None and not self._ordering:
            return False
        for ticket in self._ordering.overdue(time.monotonic()):
            ticket.give_up()
            self._fail(ticket, DeadlineExceeded(
                f'no result within {self._limits.request_s:g} s'))
        # Not unbound before: that would cut the connections whose replies are due.
        return self._closing_at is not None and (
            not len(self._ordering) or time.monotonic() >= self._closing_at)

    def _receive(self, frames: Sequence[zmq.Frame]) -> None:
        """Take a message."""
        # The envelope ends with the first empty part after the identity, where there is one.
        start = 1
        for index in range(1, len(frames)):
            if not len(frames[index]):
                start = index + 1
                break
        envelope, body = [], []
        for frame in frames[:start]:
            envelope.append(frame.bytes)
        for frame in frames[start:]:
            body.append(frame.buffer)
        client = envelope[0]
        if self._ordering.flooded(client):
            logger.warning('a client sends without end; its message is dropped')
            return
        own_form = len(body) > 1 or bytes(body[0][:1] if body else b'') == b'{'
        deadline = time.monotonic() + self._limits.request_s
        ticket = Ticket(client, envelope, own_form, deadline)
        try:
            refusal = self._ordering.add(ticket)
            if refusal is not None:
                raise refusal
            if self._closing_at is not None:
                raise NotReady('the service is closing')
            self._understand(ticket, body)
        except Exception as error:
            self._fail(ticket, error)

    def _understand(self, ticket: Ticket, body: Sequence[memoryview]) -> None:
        limits = self._limits.message
        found: Any
        if ticket.own_form:
            found = self._requests.own(from_parts(body, limits))
        else:
            data = body[0] if body else memoryview(b'')
            check_size(len(data), limits.message_bytes, 'message')
            found = self._requests.pickled(ticket.client, read(data, limits))
        if isinstance(found, Work):
            result = found.at_once(self._service)
            if result is None:
                self._submit(ticket, found, [])
                return
            self._count()
            found = found.reply([result])
        self._answer(ticket, found)

    def _submit(self, ticket: Ticket, work: Work, results: list[Any]) -> None:
        future = work.submit(self._service, len(results), ticket.deadline)
        ticket.give_up = future.cancel
        future.add_done_callback(partial(self._done, ticket, work, results))

    def _done(
        self, ticket: Ticket, work: Work, results: list[Any],
        future: Future[Any],
    ) -> None:
        """Run in a thread of the service: answer if nobody is at the socket, else leave it."""
        if not self._turn.acquire(blocking=False):
            self._events.append((ticket, work, results, future))
            self._wire.ring()
            return
        try:
            if ticket.answered:
                return
            self._settle(ticket, work, results, future)
            # libzmq may have taken note of what has come; the poller hears no more of it.
            if self._events or self._closing_at is not None or self._wire.has_message():
                self._wire.ring()
        finally:
            self._turn.release()

    def _settle(
        self, ticket: Ticket, work: Work, results: list[Any],
        future: Future[Any],
    ) -> None:
        if ticket.answered:
            return
        try:
            results.append(future.result())
            self._count()
            if len(results) < work.steps:
                self._submit(ticket, work, results)
            else:
                self._answer(ticket, work.reply(results))
        except Exception as error:
            self._fail(ticket, error)

    def _count(self) -> None:
        line = self._rate.count()
        if line is not None:
            logger.info(line)

    def _fail(self, ticket: Ticket, error: Exception) -> None:
        seen = failure(error)
        if seen.face is UNFORESEEN:
            logger.error('a request failed', exc_info=error)
        else:
            logger.debug('a request is refused: %s', error)
        reply: Any = seen.zmq_reply()
        if ticket.own_form:
            reply = Message({**reply, 'type': 'error'})
        self._answer(ticket, reply)

    def _answer(self, ticket: Ticket, reply: Any) -> None:
        for ready in self._ordering.answer(ticket, reply):
            parts = to_parts(ready.reply) if ready.own_form \
                else [b''.join(pickle_parts(ready.reply))]
            try:
                self._wire.send([*ready.envelope, *parts])
            except zmq.ZMQError as error:
                logger.info('a reply is dropped, its client is gone or does not read: %s', error)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the bridge as a program with the seed's flags.

    :param argv: arguments without the program's name; default: those of the process.
    :returns: 0 after an orderly end, 1 when the port is in use, 2 for wrong settings.
    """
    from depth_anything_ros.bridges.launcher import run_zmq
    return run_zmq(argv)


if __name__ == '__main__':
    import sys
    sys.exit(main())
