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
Clients of the REST bridge's ``/v1``: typed results, one for threads and one for asyncio.

What is sent and how a reply is read are plain functions, the same for both.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
import ssl
import time
from types import TracebackType
from typing import Any, Mapping, NamedTuple

from depth_anything_ros.clients.base import (
    Client,
    Image,
    in_metres,
    inference_header,
    TIMEOUT_S,
)
from depth_anything_ros.core.options import Output
from depth_anything_ros.errors import (
    DeadlineExceeded,
    InvalidRequest,
    MissingDependency,
    NotReady,
)
from depth_anything_ros.wire.depth_files import encoded, unpacked
from depth_anything_ros.wire.message import Message
from depth_anything_ros.wire.results import depth_reply, DepthReply
from depth_anything_ros.wire.status import error_of
import numpy as np
import numpy.typing as npt

try:
    import httpx
except ImportError as error:
    raise MissingDependency(
        'the REST client needs httpx: pip install "depth_anything_ros[client]"') from error

BASE_URL = 'http://localhost:8000'

RETRIES = 3
"""How often a request is sent again that was refused because the server had no room."""

NO_ROOM = (429, 503)

MOST_WAIT_S = 30.0
"""Longest wait for a server that names a time; a longer one is an error at once."""

AS_PIXELS = 16 * 2**20
"""Bytes of an image up to which it is sent as it is. Larger ones go as a PNG, which takes longer
to make and to read than it saves on a wire, but fits the server's limit of a body."""

IN_QUERY = ('process_res', 'fov_deg', 'focal_length', 'minimum', 'maximum')
"""Header keys of our own form that are options of ``/v1/depth``, when they are not zero."""


class Call(NamedTuple):
    """One HTTP request."""

    method: str
    path: str
    query: dict[str, str]
    content: bytes
    headers: dict[str, str]


def call_of(message: Message, request_id: str, api_key: str) -> Call:
    """
    Return a message of our own form as an HTTP request.

    :param message: a ping, or an inference with its image.
    :param request_id: its name.
    :param api_key: the server's key, '' for none.
    :raises InvalidRequest: when HTTP has no such thing.
    """
    header = message.header
    headers = {'X-Request-Id': request_id}
    if api_key:
        headers['Authorization'] = f'Bearer {api_key}'
    if header['command'] == 'ping':
        return Call('GET', '/readyz', {}, b'', headers)
    wanted = [name for name in header['outputs'] if name != Output.DEPTH.value]
    unknown = set(wanted) - {Output.CONFIDENCE.value, Output.SKY.value}
    if unknown:
        raise InvalidRequest(
            f'/v1/depth has no {", ".join(sorted(unknown))}; accepted: depth, confidence, sky')
    query = {name: repr(header[name]) for name in IN_QUERY if header.get(name)}
    if header.get('exif_orient'):
        query['exif_orient'] = 'true'
    if header.get('intrinsics') is not None:
        query['camera_intrinsics'] = json.dumps(header['intrinsics'])
    query |= {'format': 'msgpack', 'outputs': ','.join(wanted)} if wanted else {'format': 'raw'}
    headers |= {'Content-Type': 'application/octet-stream', 'Accept': '*/*',
                'Accept-Encoding': 'identity'}
    image = message.arrays['image']
    if image.dtype == np.uint8 and image.ndim in (2, 3) and image.nbytes <= AS_PIXELS:
        headers['X-Image-Shape'] = ','.join(str(side) for side in image.shape)
        return Call('POST', '/v1/depth', query, image.tobytes(), headers)
    return Call('POST', '/v1/depth', query, file_of(image), headers)


def file_of(image: npt.NDArray[np.uint8]) -> bytes:
    """Return an image as the bytes of a file: itself if it is one, else a PNG."""
    if image.ndim == 1:
        return image.tobytes()
    channels = {3: [2, 1, 0], 4: [2, 1, 0]}.get(image.shape[2] if image.ndim == 3 else 0)
    picture = image if channels is None else image[..., channels]
    return encoded('.png', np.ascontiguousarray(picture), 16, 1)


def message_of(call: Call, reply: httpx.Response) -> Message:
    """
    Return what a reply says, as a message of our own form.

    :param call: what was asked.
    :param reply: read to its end.
    :raises DepthAnythingError: as the server raised it.
    """
    if reply.status_code != 200:
        try:
            body = reply.json()
        except ValueError:
            body = {}
        raise error_of(body.get('code'), body.get('detail', f'status {reply.status_code}'))
    if call.method == 'GET':
        return Message({'type': 'pong'})
    if call.query['format'] == 'msgpack':
        found = unpacked(reply.content)
        arrays = {name: np.frombuffer(item['data'], item['dtype']).reshape(item['shape'])
                  for name, item in found.pop('arrays').items()}
        return Message(found, arrays)
    header = json.loads(reply.headers['X-Depth-Result'])
    depth = np.frombuffer(reply.content, '<f4').reshape(header['shape'])
    return Message(header, {'depth': depth})


def wait_of(reply: httpx.Response, left: float) -> float | None:
    """
    Return how long to wait before a request is sent again, None when it is not.

    :param reply: what came.
    :param left: seconds that the request may still take.
    """
    if reply.status_code not in NO_ROOM:
        return None
    try:
        seconds = float(reply.headers.get('Retry-After', '1'))
    except ValueError:
        seconds = 1.0
    return seconds if 0 <= seconds < min(left, MOST_WAIT_S) else None


def trust_of(ca: str | Path | None) -> ssl.SSLContext | bool:
    """Return whom to trust: the system's authorities, or those of a PEM file."""
    return True if ca is None else ssl.create_default_context(cafile=str(ca))


class RestClient(Client):
    """Asks a REST bridge; not for several threads at once."""

    def __init__(
        self, base_url: str = BASE_URL, *, timeout: float = TIMEOUT_S, api_key: str = '',
        retries: int = RETRIES, ca: str | Path | None = None,
    ) -> None:
        """
        Remember where the server is.

        :param base_url: such as http://robot:8000.
        :param timeout: seconds that a request may take, waiting and retries included.
        :param api_key: the server's key, '' for none.
        :param retries: how often a request is sent again that the server had no room for.
        :param ca: PEM file of the authority that a server's certificate is from.
        """
        super().__init__(timeout, api_key)
        self._where, self._retries = base_url, retries
        self._http = httpx.Client(base_url=base_url, verify=trust_of(ca))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _exchange(self, message: Message, request_id: str) -> Message:
        call = call_of(message, request_id, self._api_key)
        due = time.monotonic() + self.timeout
        for attempt in range(self._retries + 1):
            left = due - time.monotonic()
            try:
                reply = self._http.request(
                    call.method, call.path, params=call.query, content=call.content,
                    headers={**call.headers, **deadline(left)}, timeout=max(left, 0.001))
            except httpx.HTTPError as error:
                raise problem(error, self._where, self.timeout) from None
            wait = wait_of(reply, due - time.monotonic())
            if wait is None or attempt == self._retries:
                break
            time.sleep(wait)
        return message_of(call, reply)


class AsyncRestClient:
    """Asks a REST bridge from asyncio; any number of requests at once."""

    def __init__(
        self, base_url: str = BASE_URL, *, timeout: float = TIMEOUT_S, api_key: str = '',
        retries: int = RETRIES, ca: str | Path | None = None,
    ) -> None:
        """Remember where the server is; see :class:`RestClient`."""
        self.timeout = timeout
        self._where, self._retries, self._api_key = base_url, retries, api_key
        self._http = httpx.AsyncClient(base_url=base_url, verify=trust_of(ca))
        self._count = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ping(self) -> None:
        """
        Ask whether the server is ready.

        :raises DepthAnythingError: when it is not.
        """
        await self._ask({'command': 'ping'}, None)

    async def estimate(
        self, image: Image, K: npt.ArrayLike | None = None, **more: Any,
    ) -> DepthReply:
        """Return the depth of an image; see :meth:`.base.Client.estimate`."""
        header = inference_header(K, **more)
        pixels = np.frombuffer(image, np.uint8) if isinstance(image, bytes) else image
        return depth_reply(await self._ask(header, pixels))

    async def metres(
        self, image: Image, K: npt.ArrayLike | None = None, **more: Any,
    ) -> npt.NDArray[np.float32]:
        """
        Return the depth of an image, (H, W) float32 metres, NaN where invalid.

        :raises InvalidRequest: when the server's model has no metres to give.
        """
        return in_metres(await self.estimate(image, K, **more)).depth

    async def points(
        self, image: Image, K: npt.ArrayLike | None = None, **more: Any,
    ) -> npt.NDArray[np.float32]:
        """
        Return the points of an image, (H, W, 3) float32 metres in the optical frame.

        :raises InvalidRequest: when the server's model has no metres to give.
        """
        return in_metres(await self.estimate(image, K, **more)).points()

    async def _ask(
        self, header: Mapping[str, Any], image: npt.NDArray[np.uint8] | None,
    ) -> Message:
        self._count += 1
        arrays = {} if image is None else {'image': image}
        call = call_of(Message(header, arrays), str(self._count), self._api_key)
        due = time.monotonic() + self.timeout
        for attempt in range(self._retries + 1):
            left = due - time.monotonic()
            try:
                reply = await self._http.request(
                    call.method, call.path, params=call.query, content=call.content,
                    headers={**call.headers, **deadline(left)}, timeout=max(left, 0.001))
            except httpx.HTTPError as error:
                raise problem(error, self._where, self.timeout) from None
            wait = wait_of(reply, due - time.monotonic())
            if wait is None or attempt == self._retries:
                break
            await asyncio.sleep(wait)
        return message_of(call, reply)

    async def __aenter__(self) -> AsyncRestClient:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close()


def deadline(left: float) -> dict[str, str]:
    """Return the header that tells the server when nobody needs the answer any more."""
    return {'X-Deadline-Ms': str(max(1, int(left * 1000)))}


def problem(error: httpx.HTTPError, where: str, seconds: float) -> DeadlineExceeded | NotReady:
    """Return a failure of the connection as one of our errors."""
    if isinstance(error, httpx.TimeoutException):
        return DeadlineExceeded(f'no reply from {where} within {seconds:g} s')
    return NotReady(f'no server at {where}: {error}')
