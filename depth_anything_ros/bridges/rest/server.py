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

"""The REST bridge as a server: a port, an event loop in a thread, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Sequence

from depth_anything_ros.bridges.base import bind_problem, DRAIN_S, resolve
from depth_anything_ros.bridges.rest.options import PORT, RestOptions
from depth_anything_ros.errors import MissingDependency
from depth_anything_ros.service import DepthService

try:
    from depth_anything_ros.bridges.rest.app import create_app, ROOMS
    from depth_anything_ros.bridges.rest.connections import GuardedProtocol, HEADER_S
    from depth_anything_ros.bridges.rest.context import RestContext
    import uvicorn
except ImportError as error:
    raise MissingDependency(
        'the REST bridge needs FastAPI and uvicorn: pip install "depth_anything_ros[rest]"'
    ) from error

logger = logging.getLogger(__name__)

BACKLOG = 2048
"""Connections that the system holds before they are accepted."""

START_S = 30.0

WS_QUEUE = 2
"""Messages that a socket may have read ahead of us; each can be as large as a message may be."""


class RestBridge:
    """Serves HTTP; until it is started with a service, all but liveness answers 503."""

    def __init__(
        self, options: RestOptions | None = None, port: int = PORT, *,
        rooms: Sequence[str] = ROOMS,
    ) -> None:
        """
        Describe a server.

        :param options: who may ask and how much, default: this machine without a key.
        :param port: TCP port, 0 for any free one.
        :param rooms: modules that register routes.
        """
        self._rooms = tuple(rooms)
        self._options = options or RestOptions()
        self._port = port
        self._thread: threading.Thread | None = None
        self.address = ''

    def listen(self) -> None:
        """
        Take the port and answer from now on; ``/readyz`` says 503 until there is a service.

        :raises OSError: when the port is in use or not allowed.
        """
        family, host = resolve(self._options.access.host)
        # asyncio sends small replies at once (TCP_NODELAY) only where the protocol is named.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # A port in TIME_WAIT after a restart is no port in use.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, self._port))
            self._socket.listen(BACKLOG)
        except OSError as error:
            self._socket.close()
            raise bind_problem(error.errno, host, self._port, str(error)) from None
        shown = f'[{host}]' if family == socket.AF_INET6 else host
        scheme = 'http' if self._options.certificate is None else 'https'
        self.address = f'{scheme}://{shown}:{self._socket.getsockname()[1]}'
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name='rest-bridge', daemon=True)
        self._thread.start()
        if not self._ready.wait(START_S) or not self._thread.is_alive():
            raise OSError(f'the REST server at {self.address} did not start; see the log')

    @property
    def port(self) -> int:
        """Return the real port of a bridge that listens."""
        return int(self.address.rpartition(':')[2])

    @property
    def context(self) -> RestContext:
        """Return what the routes share, once the bridge listens."""
        return self._context

    def start(self, service: DepthService, *further: DepthService) -> None:
        """
        Serve with services that stay the caller's.

        :param service: answers where a request chooses no model.
        :param further: of other models, for requests that choose them.
        """
        self._context.serve(service, *further)

    def stop(self, timeout: float = DRAIN_S) -> None:
        """
        Take no more requests, finish or refuse those under way, and free the port.

        :param timeout: seconds that requests under way have.
        """
        if self._thread is None or not self._thread.is_alive():
            return
        self._server.config.timeout_graceful_shutdown = max(1, round(timeout))
        self._loop.call_soon_threadsafe(self._context.draining.set)
        self._server.should_exit = True
        self._thread.join(timeout + 5)
        if self._thread.is_alive():
            logger.error('the REST server did not end within %g s', timeout + 5)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException:
            logger.exception('the REST server ended')
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = RestContext(self._options)
        limits = self._options.limits

        class Protocol(GuardedProtocol):
            clients = limits.clients
            message_s = limits.message_s
            header_s = min(HEADER_S, limits.message_s)

        certificate, key = self._options.certificate, self._options.certificate_key
        config = uvicorn.Config(
            create_app(self._context, self._rooms), http=Protocol, lifespan='on', log_config=None,
            access_log=False, server_header=False, timeout_keep_alive=max(1, round(limits.idle_s)),
            ws_max_size=ws_bytes(limits.message.message_bytes), ws_max_queue=WS_QUEUE,
            backlog=BACKLOG,
            ssl_certfile=certificate, ssl_keyfile=key)
        self._server = uvicorn.Server(config)
        self._loop.create_task(self._announce())
        try:
            await self._server.serve([self._socket])
        finally:
            self._context.close()

    async def _announce(self) -> None:
        while not self._server.started:
            await asyncio.sleep(0.005)
        self._ready.set()


def ws_bytes(message_bytes: int) -> int:
    """Return the largest WebSocket message: an image as base64 with what is around it (W-b)."""
    return message_bytes * 4 // 3 + 64 * 2**10
