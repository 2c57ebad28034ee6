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

"""What every request meets first: its name, the Host and the page it comes from (rule P6)."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import time
from typing import Callable, Sequence
import uuid

from depth_anything_ros.bridges.access import is_loopback
from depth_anything_ros.bridges.rest.replies import refuse, REQUEST_ID
from depth_anything_ros.errors import Forbidden, NotReady
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_ORIGIN = r'https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?'
"""Pages of this machine, on any port."""

OTHER = 'other'
"""Route or method in the metrics that is none of ours: anybody can make up any number."""

METHODS = frozenset({'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'})

SAFE_ID = re.compile(r'[\w.:-]{1,64}', re.ASCII)

SECURITY = (
    ('X-Content-Type-Options', 'nosniff'),
    ('Referrer-Policy', 'no-referrer'),
    ('X-Frame-Options', 'DENY'),
)


def host_name(host: str) -> str:
    """Return the name or address in a Host header, without port and brackets."""
    if host.startswith('['):
        return host[1:].partition(']')[0].lower()
    return host.partition(':')[0].lower()


def is_own_name(name: str) -> bool:
    """Return whether a name can only mean this machine, whatever a DNS server says."""
    if name == 'localhost' or name.endswith('.localhost'):
        return True
    try:
        return is_loopback(name)
    except ValueError:
        return False


Done = Callable[[str, str, int, float], None]


class Outer:
    """
    Names requests and refuses those that a page of somebody else makes a browser send.

    On a loopback address the Host must be a name of this machine: a page whose DNS name is bound
    to 127.0.0.1 afterwards would else read everything. On other addresses a Host may also be any
    IP address or the machine's own name; with a key every Host is taken, since no page has the
    key.
    """

    def __init__(
        self, app: ASGIApp, *, loopback: bool, keyed: bool, hosts: Sequence[str],
        origins: Sequence[str], done: Done, closing: Callable[[], bool],
    ) -> None:
        """
        Stand in front of an application.

        :param app: the application.
        :param loopback: whether only this machine can connect.
        :param keyed: whether requests need a key.
        :param hosts: further names that a Host may have.
        :param origins: further pages that may ask, '*' for all, 'null' for files.
        :param done: is told route, method, status and seconds of every request.
        :param closing: returns whether the server is ending.
        """
        self._app, self._done, self._closing = app, done, closing
        self._hosts = {name.lower() for name in hosts}
        self._any_host = '*' in self._hosts or (keyed and not loopback)
        self._loopback = loopback
        if not loopback:
            name = socket.gethostname().lower()
            self._hosts |= {name, f'{name}.local'}
        self._last_host: str | None = None
        self._origins = set(origins)
        self._own_origin = re.compile(LOOPBACK_ORIGIN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope['type'] not in ('http', 'websocket'):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID, '')
        name = given if SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault('state', {})['request_id'] = name

        begin, status = time.perf_counter(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message['type'] == 'http.response.start':
                status = message['status']
                out = MutableHeaders(scope=message)
                out[REQUEST_ID] = name
                for key, value in SECURITY:
                    out.setdefault(key, value)
            await send(message)

        try:
            await self._checked(scope, receive, named, headers)
        except asyncio.CancelledError:
            # What outlasts the time that the server gives to requests under way; uvicorn would
            # send a bare 500 for it.
            if status or scope['type'] != 'http' or not self._closing():
                raise
            await refuse(NotReady(
                'the server is stopping and this was not done in time; ask again'),
                scope, receive, named)
        finally:
            if scope['type'] == 'http':
                route = getattr(scope.get('route'), 'path', OTHER)
                method = scope['method'] if scope['method'] in METHODS else OTHER
                self._done(route, method, status, time.perf_counter() - begin)

    async def _checked(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers,
    ) -> None:
        host = headers.get('host', '')
        if not self._host_allowed(host_name(host)):
            await refuse(Forbidden(
                f'Host {host[:80]!r} is no name of this server; it can be added with '
                '--allowed-host'), scope, receive, send)
            return
        origin = headers.get('origin')
        if origin is not None and not self._origin_allowed(origin, host):
            await refuse(Forbidden(
                f'pages of {origin[:80]!r} may not ask this server; it can be added with '
                '--cors-origin'), scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _host_allowed(self, name: str) -> bool:
        if name == self._last_host:
            return True
        allowed = self._looked_up(name)
        if allowed:
            self._last_host = name
        return allowed

    def _looked_up(self, name: str) -> bool:
        if self._any_host or is_own_name(name) or name in self._hosts:
            return True
        if self._loopback:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _origin_allowed(self, origin: str, host: str) -> bool:
        if '*' in self._origins or origin in self._origins:
            return True
        if self._own_origin.fullmatch(origin):
            return True
        # The same page that this server sent; its Host has been checked.
        return origin.partition('://')[2].lower() == host.lower() != ''
