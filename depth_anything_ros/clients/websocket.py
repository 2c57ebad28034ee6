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

"""Client of the WebSocket reconstruction: sessions, images in, models out."""

from __future__ import annotations

import base64
from contextlib import ExitStack
from dataclasses import dataclass
import json
from types import TracebackType
from typing import Any, Callable, Mapping

from depth_anything_ros.errors import InferenceFailed, MissingDependency
from depth_anything_ros.wire.status import error_of

try:
    import httpx
    from websockets.exceptions import ConnectionClosed, WebSocketException
    from websockets.sync.client import connect
except ImportError as error:
    raise MissingDependency(
        'the reconstruction client needs httpx and websockets: pip install '
        '"depth_anything_ros[client]"') from error

BASE_URL = 'http://localhost:8000'

TIMEOUT_S = 600.0
"""Seconds of silence after which a server is given up; a reconstruction reports its stages."""

Progress = Callable[[float, str], None]
"""Is told how much is done, 0 to 1, and a text."""


@dataclass(frozen=True)
class SessionModel:
    """
    A model of a session's images: the bytes of a .glb file and what describes them.

    ``metadata`` has ``intrinsics`` (N, 3, 3), ``extrinsics`` (N, 3, 4) world-to-camera (OpenCV),
    ``camera_to_world`` (N, 4, 4), ``unit`` ('m', or None where the scale is unknown) and counts.
    """

    glb: bytes
    metadata: Mapping[str, Any]

    @property
    def image_count(self) -> int:
        """Return of how many images it is made."""
        return int(self.metadata['num_frames'])


class ReconstructionClient:
    """
    One session on a server, with its socket; a context manager.

    Messages of any size are taken. When the connection is lost the session stays: make another
    client with its ``session_id``.
    """

    def __init__(
        self, base_url: str = BASE_URL, *, session_id: str = '', api_key: str = '',
        timeout: float = TIMEOUT_S, delete: bool = False, **config: Any,
    ) -> None:
        """
        Make a session, or go on with one, and connect.

        :param base_url: where the server is, http:// or https://.
        :param session_id: a session to go on with; default: a new one.
        :param api_key: key of the server.
        :param timeout: seconds of silence after which the server is given up.
        :param delete: whether the session is deleted when this is closed.
        :param config: parameters of a new session, such as ``max_images`` or ``process_res``.
        :raises DepthAnythingError: as the server said it.
        """
        self._timeout, self._delete = timeout, delete
        headers = {'Authorization': f'Bearer {api_key}'} if api_key else {}
        with ExitStack() as opened:
            try:
                self._http = opened.enter_context(httpx.Client(
                    base_url=base_url, headers=headers, timeout=timeout, trust_env=False))
                self.session_id = session_id or self._create(config)
                uri = str(self._http.base_url).rstrip('/').replace('http', 'ws', 1)
                self._socket = opened.enter_context(connect(
                    f'{uri}/ws/reconstruct/{self.session_id}', additional_headers=headers,
                    max_size=None, open_timeout=min(timeout, 60.0), proxy=None))
                greeting = self._hear()
            except (httpx.HTTPError, WebSocketException, OSError) as error:
                raise InferenceFailed(f'no connection to {base_url}: {error}') from error
            self._opened = opened.pop_all()
        self.image_count = int(greeting['image_count'])
        self.max_images = int(greeting['max_images'])

    def __enter__(self) -> ReconstructionClient:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection, and delete the session where that was asked for."""
        with self._opened:
            self._socket.close()
            if self._delete:
                self._http.delete(f'/ws/session/{self.session_id}')

    def add(self, data: bytes, filename: str = '') -> int:
        """
        Send an encoded image (JPEG, PNG or WebP) and return how many the session has.

        :raises DepthAnythingError: when the server refuses it; the session goes on.
        """
        message = {'type': 'image', 'data': base64.b64encode(data).decode('ascii')}
        self._say({**message, 'filename': filename} if filename else message)
        self.image_count = int(self._until('ack')['image_count'])
        return self.image_count

    def generate(
        self, *, incremental: bool = False, progress: Progress | None = None,
    ) -> SessionModel:
        """
        Return the model of all images so far.

        :param incremental: whether the server goes on with earlier work: quicker, less exact.
        :param progress: told how far it is.
        :raises DepthAnythingError: when it failed; the session goes on.
        """
        self._say({'type': 'generate', 'incremental': incremental, 'binary': True,
                   'chunked': True})
        return self._model('delta' if incremental else 'complete', progress)

    def finalize(self, *, progress: Progress | None = None) -> SessionModel:
        """Return the model of all images at full quality; the session is completed by this."""
        self._say({'type': 'finalize', 'binary': True, 'chunked': True})
        return self._model('complete', progress)

    def cancel(self) -> None:
        """Stop the reconstruction that another thread waits for."""
        self._say({'type': 'cancel'})

    def _create(self, config: Mapping[str, Any]) -> str:
        reply = self._http.post('/ws/session/create', params=dict(config))
        if reply.status_code != 200:
            try:
                body = reply.json()
            except ValueError:
                body = {}
            raise error_of(str(body.get('code', '')), str(body.get('detail', reply.text))[:500])
        return str(reply.json()['session_id'])

    def _say(self, message: Mapping[str, Any]) -> None:
        try:
            self._socket.send(json.dumps(message))
        except ConnectionClosed as error:
            raise InferenceFailed(f'the connection is closed: {error}') from error

    def _hear(self) -> Any:
        try:
            message = self._socket.recv(self._timeout)
        except ConnectionClosed as error:
            raise InferenceFailed(f'the connection is closed: {error}') from error
        except TimeoutError as error:
            raise InferenceFailed(
                f'the server has said nothing for {self._timeout:g} s') from error
        if isinstance(message, bytes):
            return message
        heard = json.loads(message)
        if heard['type'] == 'error':
            raise error_of(heard.get('code', ''), heard['message'])
        return heard

    def _until(self, kind: str, progress: Progress | None = None) -> Any:
        while (heard := self._hear())['type'] != kind:
            if heard['type'] == 'progress' and progress is not None:
                progress(heard['progress'], heard['message'])
        return heard

    def _model(self, kind: str, progress: Progress | None) -> SessionModel:
        heard = self._until(kind, progress)
        parts = [self._hear() for _ in range(heard.get('glb_binary', 0))]
        # A server of the seed's kind knows no binary form and sends the model inside.
        glb = b''.join(parts) if parts else base64.b64decode(heard['glb_base64'] or '')
        return SessionModel(glb, heard['metadata'])
