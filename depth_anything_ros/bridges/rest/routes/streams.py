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

"""``GET /v1/stream/{camera}``: the newest result of a ROS camera, for as long as one likes."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
import time
from typing import Any, AsyncIterator, Callable, Mapping

from depth_anything_ros.bridges.rest import fields as read
from depth_anything_ros.bridges.rest.answers import result_headers
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import ALWAYS, DEADLINE, errors, option
from depth_anything_ros.bridges.rest.negotiation import choose_form
from depth_anything_ros.bridges.rest.replies import NotFound, request_id_of
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import DeadlineExceeded
from depth_anything_ros.wire.depth_files import DepthFile, described, Header, jpeg
from depth_anything_ros.wire.depth_files import FORMS as DEPTH_FORMS
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response, StreamingResponse

BOUNDARY = 'frame'

TICK_S = 0.5
"""How often a stream that nothing comes from looks whether the server ends."""


def depth_picture(result: DepthResult, header: Header) -> DepthFile:
    """Return depth in colours as a JPEG."""
    return DepthFile(jpeg(colourise(result.depth)))


def camera_picture(result: DepthResult, header: Header) -> DepthFile:
    """Return the camera's own picture as a JPEG."""
    return DepthFile(jpeg(result.frame.rgb))


FORMS: Mapping[str, tuple[str, Callable[[DepthResult, Header], DepthFile]]] = {
    'jpeg': ('image/jpeg', depth_picture), 'color': ('image/jpeg', camera_picture),
    **DEPTH_FORMS}
"""Forms of one frame; the first is the default."""


class Newest:
    """The newest result of a stream, for one reader; older ones that it missed are counted."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hold nothing yet."""
        self.missed = 0
        self._loop = loop
        self._result: DepthResult | None = None
        self._came = asyncio.Event()

    def put(self, result: DepthResult) -> None:
        """Take a result; from any thread."""
        self._loop.call_soon_threadsafe(self._put, result)

    def _put(self, result: DepthResult) -> None:
        self.missed += self._result is not None
        self._result = result
        self._came.set()

    async def take(self, seconds: float) -> DepthResult | None:
        """Return the newest result that was not taken, None when none comes in time."""
        try:
            await asyncio.wait_for(self._came.wait(), seconds)
        except asyncio.TimeoutError:
            return None
        self._came.clear()
        result, self._result = self._result, None
        return result


def part_of(result: DepthResult, form: str, request_id: str, missed: int) -> bytes:
    """Return one part of a multipart body, header and all."""
    header = described(result, request_id)
    kind, writer = FORMS[form]
    file = writer(result, header)
    headers = {'Content-Type': kind, 'Content-Length': str(len(file.body)),
               **result_headers(header), **file.extra, 'X-Stream-Missed': str(missed)}
    lines = ''.join(f'{name}: {text}\r\n' for name, text in headers.items())
    return b'--%b\r\n%b\r\n' % (BOUNDARY.encode(), lines.encode()) + bytes(file.body) + b'\r\n'


def register(app: FastAPI, context: RestContext) -> None:
    """Add the routes."""
    router = APIRouter(tags=['streams'])

    @router.get('/v1/streams', summary='Cameras that can be watched', responses=errors(*ALWAYS))
    async def streams() -> dict[str, Any]:
        watchers = context.service().watchers
        return {'streams': [
            {'name': name, 'watched': watchers.watched(name), **asdict(stream.counts())}
            for name, stream in watchers.streams().items()]}

    @router.get(
        '/v1/stream/{camera:path}', summary='Newest frames of a camera', response_class=Response,
        responses={
            200: {'description': 'multipart/x-mixed-replace, or with frames=1 one frame.',
                  'content': {'multipart/x-mixed-replace': {'schema': {
                      'type': 'string', 'format': 'binary'}}}},
            **errors(400, 404, 406, 422, 504, *ALWAYS)},
        openapi_extra={'parameters': [
            option('format', 'string', 'Form of each frame.', 'jpeg', enum=list(FORMS)),
            option('frames', 'integer', 'How many; 0: for as long as one reads.', 1, minimum=0,
                   maximum=10**6),
            option('rate', 'number', 'Largest number per second; 0: all.', 5.0, minimum=0),
            DEADLINE]})
    async def stream(request: Request, camera: str) -> Response:
        service = context.service()
        watchers = service.watchers
        name = camera.strip('/')
        known = list(watchers.streams())
        if name not in known:
            raise NotFound(
                f'no camera {name[:60]!r}; known: {", ".join(known)[:200] or "none"}')
        fields = dict(request.query_params)
        form = choose_form(request, FORMS)
        frames = read.whole(fields, 'frames', 0, 0, 10**6)
        rate = read.number(fields, 'rate', 0.0, 0.0)
        newest = Newest(asyncio.get_running_loop())
        watch = watchers.watch(name, newest.put)
        request_id = request_id_of(request.scope)
        if frames == 1:
            try:
                due = context.deadline_of(request)
                result = await newest.take(due - time.monotonic())
            finally:
                watch.close()
            if result is None:
                raise DeadlineExceeded(f'no frame of {name} came in the time that was given')
            header = described(result, request_id)
            kind, writer = FORMS[form]
            file = await context.timed('encode', writer, result, header)
            return Response(file.body, media_type=kind, headers={
                **result_headers(header), **file.extra, 'Cache-Control': 'no-store'})

        async def parts() -> AsyncIterator[bytes]:
            sent, due = 0, 0.0
            try:
                # Another model's service has other streams: the reader asks again.
                while context.serves(service) and (not frames or sent < frames):
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    result = await newest.take(TICK_S)
                    if result is None:
                        continue
                    due = time.monotonic() + (1 / rate if rate else 0.0)
                    yield await context.timed(
                        'encode', part_of, result, form, request_id, newest.missed)
                    sent += 1
                yield b'--%b--\r\n' % BOUNDARY.encode()
            finally:
                watch.close()

        return StreamingResponse(
            parts(), media_type=f'multipart/x-mixed-replace; boundary={BOUNDARY}',
            headers={'Cache-Control': 'no-store'})

    app.include_router(router)
