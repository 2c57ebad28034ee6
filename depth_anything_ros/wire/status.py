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

"""How each error looks on each transport: one table, read by every bridge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from depth_anything_ros.errors import (
    Busy,
    Cancelled,
    DeadlineExceeded,
    DepthAnythingError,
    Forbidden,
    InferenceFailed,
    InvalidRequest,
    LimitExceeded,
    NotReady,
    OutOfMemory,
    PayloadTooLarge,
    SessionNotFound,
    Unauthorized,
)

RETRY_AFTER = 1
"""Seconds after which a client may try again when the server is full or not ready."""

UNFORESEEN_TEXT = 'internal error; the log of the server has the details'

FAILED_TEXT = 'inference failed; the log of the server has the details'

SUCCESS = 'success'

ERROR = 'error'


@dataclass(frozen=True)
class Face:
    """
    What an error does to a connection.

    ``http`` is the HTTP status; ``close`` the code that ends a WebSocket, None where it gets an
    error message and stays open; ``retry_after`` the seconds of the Retry-After header, 0 for
    none; ``ends_stream`` whether a raw TCP connection ends after the reply, because the bytes
    that follow cannot be understood.
    """

    http: int
    close: int | None = None
    retry_after: int = 0
    ends_stream: bool = False


FACES: dict[type[DepthAnythingError], Face] = {
    InvalidRequest: Face(400),
    PayloadTooLarge: Face(413, close=1009, ends_stream=True),
    Forbidden: Face(403),
    Unauthorized: Face(401, close=4401),
    SessionNotFound: Face(404),
    LimitExceeded: Face(429, retry_after=RETRY_AFTER),
    Busy: Face(503, retry_after=RETRY_AFTER),
    NotReady: Face(503, close=1013, retry_after=RETRY_AFTER),
    OutOfMemory: Face(503),
    DeadlineExceeded: Face(504),
    InferenceFailed: Face(500, close=1011),
    Cancelled: Face(409),
}
"""The errors that a request may get to see; everything else is :data:`UNFORESEEN`."""

UNFORESEEN = Face(500, close=1011)


@dataclass(frozen=True)
class Failure:
    """An error as others may see it: its code, a text without internals, and its face."""

    code: str
    text: str
    face: Face

    def zmq_reply(self) -> dict[str, Any]:
        """Return the reply of the ZMQ seed (rule Z8), with the code as an extra key."""
        return {'status': ERROR, 'error': self.text, 'code': self.code}

    def tcp_reply(self) -> dict[str, Any]:
        """Return the reply of the raw socket seed (rule T4), with the code as an extra key."""
        return {'status': ERROR, 'message': self.text, 'code': self.code}

    def http_body(self) -> dict[str, Any]:
        """Return the JSON body of the REST seed (rule R4), with the code as an extra key."""
        return {'detail': self.text, 'code': self.code}

    def http_headers(self) -> dict[str, str]:
        """Return the headers that go with the HTTP status."""
        return {'Retry-After': str(self.face.retry_after)} if self.face.retry_after else {}

    def websocket_message(self) -> dict[str, Any]:
        """Return the message of the WebSocket seed, with the code as an extra key."""
        return {'type': ERROR, 'message': self.text, 'code': self.code}


def failure(error: BaseException) -> Failure:
    """
    Return how an error looks from outside.

    The text of an error of ours says what was seen and what is accepted, and is handed out. That
    of InferenceFailed and of anything unforeseen may name paths, versions or code: the caller
    logs it, and others see one fixed sentence.

    :param error: whatever a request ended in.
    """
    for kind in type(error).__mro__:
        if kind in FACES and isinstance(error, DepthAnythingError):
            text = FAILED_TEXT if kind is InferenceFailed else str(error)
            return Failure(error.code, text, FACES[kind])
    return Failure(DepthAnythingError.code, UNFORESEEN_TEXT, UNFORESEEN)


def error_of(code: object, text: object) -> DepthAnythingError:
    """
    Return the error that a reply stands for.

    :param code: the ``code`` of one of our classes; anything else gives the base class.
    :param text: what the server said.
    """
    classes, found = [DepthAnythingError], DepthAnythingError
    while classes:
        kind = classes.pop()
        classes.extend(kind.__subclasses__())
        if kind.code == code:
            found = kind
    return found(str(text))
