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

"""Who may ask and how much: key (P5, R11), the client's share, bodies as they arrive (P3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_anything_ros.bridges.rest.replies import refuse
from depth_anything_ros.errors import Busy, DepthAnythingError, PayloadTooLarge, Unauthorized
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from depth_anything_ros.bridges.rest.context import RestContext

OPEN_PATHS = frozenset({
    '/livez', '/readyz', '/health', '/v2/health/live', '/v2/health/ready'})
"""Served without a key, so that a supervisor needs none (rules R9 and P5)."""

MISSING_KEY, WRONG_KEY = 'API key required', 'Invalid API key'
"""Texts of the seed's server."""


def presented_key(scope: Scope) -> str:
    """Return the key that a request shows, '' for none."""
    headers = Headers(scope=scope)
    scheme, _, value = headers.get('authorization', '').partition(' ')
    if scheme.lower() == 'bearer' and value.strip():
        return value.strip()
    key = headers.get('x-api-key', '')
    if not key and scope['type'] == 'websocket':
        # Browsers cannot set headers of a WebSocket.
        key = QueryParams(scope.get('query_string', b'')).get('api_key', '')
    return key


class Inner:
    """The last thing in front of the routes."""

    def __init__(self, app: ASGIApp, context: RestContext) -> None:
        """
        Stand in front of an application.

        :param app: the application.
        :param context: the key, the limits and what is under way.
        """
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope['type'] not in ('http', 'websocket') or self._is_open(scope['path']):
            await self._app(scope, receive, send)
            return
        context = self._context
        shares = context.sockets if scope['type'] == 'websocket' else context.shares
        try:
            client = self._client(scope)
            shares.enter(client)
        except DepthAnythingError as error:
            await refuse(error, scope, receive, send)
            return
        held = 0

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            if message['type'] == 'http.request':
                size = len(message.get('body', b''))
                held += size
                self._context.hold(size)
                self._check_size(held)
            return message

        try:
            if scope['type'] == 'websocket':
                await self._app(scope, receive, send)
                return
            length = Headers(scope=scope).get('content-length', '')
            try:
                self._check_size(int(length) if length.isdecimal() else 0)
            except PayloadTooLarge as error:
                await refuse(error, scope, receive, send)
                return
            await self._app(scope, counted, send)
        finally:
            self._context.hold(-held)
            shares.leave(client)

    def _is_open(self, path: str) -> bool:
        return path in OPEN_PATHS or path in self._context.open_pages

    def _client(self, scope: Scope) -> str:
        """Return whose share a request counts for: its key's, or its address's without keys."""
        access = self._context.options.access
        if not access.key:
            return scope['client'][0] if scope.get('client') else ''
        key = presented_key(scope)
        if not access.allows(key):
            raise Unauthorized(WRONG_KEY if key else MISSING_KEY)
        return key

    def _check_size(self, size: int) -> None:
        most = self._context.options.limits.message.message_bytes
        if size > most:
            raise PayloadTooLarge(f'body of more than {most} bytes; accepted: at most {most}')
        if self._context.held > self._context.most_held:
            raise Busy('other requests hold all the memory for bodies; try again')
