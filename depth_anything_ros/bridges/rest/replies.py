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

"""Errors as JSON replies, inside the routes and in front of them."""

from __future__ import annotations

import logging
from typing import Any, Callable

from depth_anything_ros.errors import DepthAnythingError, InvalidRequest, Unauthorized
from depth_anything_ros.wire.status import Failure, failure
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

REQUEST_ID = 'X-Request-Id'

CLIENT_GONE = 499
"""Status of a request whose client did not wait; nobody gets to see it but the metrics."""


class NotAcceptable(InvalidRequest):
    """None of the forms that the client accepts can be given."""

    code = 'not_acceptable'


class UnsupportedMedia(InvalidRequest):
    """The body is of a type that the route does not read."""

    code = 'unsupported_media_type'


class NotFound(InvalidRequest):
    """There is nothing of that name."""

    code = 'not_found'


STATUSES: dict[type[BaseException], int] = {
    NotFound: 404, NotAcceptable: 406, UnsupportedMedia: 415}
"""Errors that HTTP alone knows; the others are in ``wire/status.py``."""

CODES = {404: 'not_found', 405: 'method_not_allowed'}


def error_body(detail: Any, code: str, scope: Scope) -> dict[str, Any]:
    """
    Return the body of an error reply.

    Below /v2 it is that of the KServe protocol, also where a request does not get to a route.

    :param detail: what was seen and what is accepted.
    :param code: the error's short name.
    :param scope: the request.
    """
    if f'{scope["path"]}/'.startswith('/v2/'):
        return {'error': str(detail)}
    return {'detail': detail, 'code': code, 'request_id': request_id_of(scope)}


def error_reply(error: BaseException, scope: Scope) -> JSONResponse:
    """
    Return an error as it is seen from outside.

    :param error: whatever a request ended in.
    :param scope: the request.
    """
    seen: Failure = failure(error)
    headers = seen.http_headers()
    if isinstance(error, Unauthorized):
        headers['WWW-Authenticate'] = 'Bearer'
    # A lone surrogate of a client's text cannot be sent.
    body = error_body(seen.text.encode(errors='replace').decode(), seen.code, scope)
    return JSONResponse(body, STATUSES.get(type(error), seen.face.http), headers)


def request_id_of(scope: Scope) -> str:
    """Return the name that the outer layer gave a request."""
    return str(scope.get('state', {}).get('request_id', ''))


async def refuse(error: BaseException, scope: Scope, receive: Receive, send: Send) -> None:
    """
    Answer a request before it reaches a route.

    A WebSocket is accepted and closed with the code of the error, so that a browser sees why; one
    without such a code is refused with HTTP 403.
    """
    if scope['type'] == 'http':
        await error_reply(error, scope)(scope, receive, send)
        return
    code = failure(error).face.close
    await receive()
    if code is not None:
        await send({'type': 'websocket.accept'})
    await send({'type': 'websocket.close', 'code': code or 1008, 'reason': str(error)[:120]})


def add_handlers(app: FastAPI, note: Callable[[BaseException, str], None]) -> None:
    """
    Turn what routes raise into replies.

    :param app: the application.
    :param note: called with the error and the request's name; for the list of last errors.
    """
    async def ours(request: Request, error: Exception) -> Response:
        name = request_id_of(request.scope)
        note(error, name)
        if failure(error).face.http == 500 and isinstance(error, DepthAnythingError):
            logger.error('request %s failed', name, exc_info=error)
        return error_reply(error, request.scope)

    async def plain(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = CODES.get(error.status_code, InvalidRequest.code)
        return JSONResponse(
            error_body(error.detail, code, request.scope), error.status_code, error.headers)

    async def fields(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # Without what was sent: it may be as large as the body, or no JSON.
        found = [{name: item[name] for name in ('type', 'loc', 'msg') if name in item}
                 for item in error.errors()]
        return JSONResponse(error_body(found, InvalidRequest.code, request.scope), 422)

    async def gone(request: Request, error: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)

    app.add_exception_handler(DepthAnythingError, ours)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(RequestValidationError, fields)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, ours)
