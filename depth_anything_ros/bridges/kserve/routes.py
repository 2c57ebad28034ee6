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

"""The routes below /v2."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from depth_anything_ros.bridges.kserve.asking import (
    check_size,
    frames_of,
    options_of,
    response_of,
    seconds_of,
)
from depth_anything_ros.bridges.kserve.metadata import (
    BATCH,
    INPUTS,
    model_config,
    model_metadata,
    outputs_of,
    VERSION,
)
from depth_anything_ros.bridges.rest.app import package_version
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import ALWAYS, DEADLINE, MEANINGS
from depth_anything_ros.bridges.rest.negotiation import coding_of, WORTH_BYTES
from depth_anything_ros.bridges.rest.replies import NotFound, UnsupportedMedia
from depth_anything_ros.bridges.rest.routes.batch import AT_ONCE
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import Busy, NotReady
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.coding import compressed, expanded, ZLIB
from depth_anything_ros.wire.kserve import HEADER_LENGTH, read_request
from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import JSONResponse, Response

NAME = 'depth_anything_ros'

EXTENSIONS = ('binary_tensor_data', 'model_configuration')

MODEL = '/v2/models/{name}'
ONE_VERSION = MODEL + '/versions/{version}'

Name = Annotated[str, Path(description='Name of the loaded model, as /v1/models says it.')]
Version = Annotated[str, Path(description=f'Only {VERSION!r}.')]

NOT_READY = 400
"""What the protocol calls not ready: a status of 4xx."""

READS: dict[str, Any] = {
    'parameters': [DEADLINE, {
        'name': HEADER_LENGTH, 'in': 'header', 'required': False, 'schema': {'type': 'integer'},
        'description': 'Bytes of the JSON object, where raw bytes of tensors follow it.'}],
    'requestBody': {'required': True, 'content': {
        'application/json': {'schema': {
            'type': 'object', 'required': ['inputs'], 'properties': {
                'id': {'type': 'string'}, 'parameters': {'type': 'object'},
                'inputs': {'type': 'array', 'items': {'type': 'object'}},
                'outputs': {'type': 'array', 'items': {'type': 'object'}}}}},
        'application/octet-stream': {'schema': {'type': 'string', 'format': 'binary'}}}}}


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of error replies as the protocol has them."""
    schema = {'type': 'object', 'required': ['error'],
              'properties': {'error': {'type': 'string'}}}
    return {code: {'description': MEANINGS[code][0], 'content': {'application/json': {
        'schema': schema, 'example': {'error': MEANINGS[code][2]}}}} for code in sorted(codes)}


def register(app: FastAPI, context: RestContext) -> None:
    """Add the routes."""
    router = APIRouter(tags=['KServe v2'])
    about = errors(404, 422, *ALWAYS)

    def service_of(name: str, version: str = '') -> DepthService:
        loaded = {service.info.model: service for service in context.services()}
        if name not in loaded:
            raise NotFound(f'model {name[:60]!r} is not here; accepted: {", ".join(loaded)}')
        if version not in ('', VERSION):
            raise NotFound(f'version {version[:20]!r} of {name} is not here; accepted: {VERSION}')
        return loaded[name]

    @router.get('/v2', summary='What the server is', responses=errors(*ALWAYS))
    async def server() -> dict[str, Any]:
        return {'name': NAME, 'version': package_version(), 'extensions': list(EXTENSIONS)}

    @router.get('/v2/health/live', summary='Does the process live?')
    async def live() -> dict[str, Any]:
        return {'live': True}

    @router.get('/v2/health/ready', summary='Is the model loaded and warm?',
                responses=errors(NOT_READY))
    async def ready() -> JSONResponse:
        return readiness('')

    def readiness(name: str, version: str = '') -> JSONResponse:
        try:
            service = service_of(name, version) if name else context.service()
        except NotReady as error:
            return JSONResponse({'error': str(error)}, NOT_READY)
        return JSONResponse({'name': service.info.model, 'ready': True})

    @router.get(MODEL + '/ready', summary='Is this model loaded and warm?',
                responses=errors(NOT_READY, 404, 422, *ALWAYS))
    async def model_ready(name: Name) -> JSONResponse:
        return readiness(name)

    @router.get(ONE_VERSION + '/ready', summary='Is this version loaded and warm?',
                responses=errors(NOT_READY, 404, 422, *ALWAYS))
    async def version_ready(name: Name, version: Version) -> JSONResponse:
        return readiness(name, version)

    @router.get(MODEL, summary='What the model takes and gives', responses=about)
    async def metadata(name: Name) -> dict[str, Any]:
        return model_metadata(service_of(name).info)

    @router.get(ONE_VERSION, summary='What this version takes and gives', responses=about)
    async def version_metadata(name: Name, version: Version) -> dict[str, Any]:
        return model_metadata(service_of(name, version).info)

    @router.get(MODEL + '/config', summary='Its configuration, in the words of Triton',
                responses=about)
    async def config(name: Name) -> dict[str, Any]:
        return model_config(service_of(name).info)

    @router.get(ONE_VERSION + '/config', summary='That of this version', responses=about)
    async def version_config(name: Name, version: Version) -> dict[str, Any]:
        return model_config(service_of(name, version).info)

    answers = {200: {'description': 'JSON, or JSON and the raw bytes of tensors behind it; '
                     'parameters say units, kind and scale law.', 'content': {
                         'application/json': {'schema': {'type': 'object'}},
                         'application/octet-stream': {
                             'schema': {'type': 'string', 'format': 'binary'}}}},
               **errors(400, 404, 413, 415, 422, 504, *ALWAYS)}

    @router.post(MODEL + '/infer', summary=f'Depth of up to {BATCH} images', openapi_extra=READS,
                 response_class=Response, responses=answers)
    async def infer(name: Name, request: Request) -> Response:
        return await answer(service_of(name), request, context)

    @router.post(ONE_VERSION + '/infer', summary='The same of this version', openapi_extra=READS,
                 response_class=Response, responses=answers)
    async def version_infer(name: Name, version: Version, request: Request) -> Response:
        return await answer(service_of(name, version), request, context)

    app.include_router(router)


async def answer(service: DepthService, request: Request, context: RestContext) -> Response:
    """Return the reply to an inference request for the loaded model."""
    due = context.deadline_of(request)
    coding = request.headers.get('content-encoding', 'identity').strip().lower()
    if coding not in ('identity', *ZLIB):
        raise UnsupportedMedia(
            f'content-encoding is {coding[:20]!r}; accepted: {", ".join(ZLIB)}, identity')
    body = await context.read_body(request)
    more = 0
    try:
        if coding in ZLIB:
            limit = context.options.limits.message.message_bytes
            body = await context.timed('decode', expanded, body, coding, limit)
            more = len(body)
            context.hold(more)
            if context.held > context.most_held:
                raise Busy('other requests hold all the memory for bodies; try again')
        asked = await context.timed(
            'decode', read_request, body, request.headers.get(HEADER_LENGTH), INPUTS)
        seconds = seconds_of(asked)
        if seconds is not None:
            due = min(due, time.monotonic() + seconds)
        wishes = asked.wishes(outputs_of(service.info))
        options = options_of(asked, wishes)
        frames = frames_of(asked, context.options.limits.message)
        check_size(frames, wishes)
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(frame: Frame) -> DepthResult:
            async with turns:
                return await context.estimate(request, frame, options, due, service)

        tasks = [asyncio.ensure_future(one(frame)) for frame in frames]
        try:
            results = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

        def written() -> Response:
            return reply_of(*response_of(asked, service.info.model, wishes, results), request)

        return await context.timed('encode', written)
    finally:
        context.hold(-more)


def reply_of(body: bytes, header_length: int | None, request: Request) -> Response:
    """Return a response's body as a reply, compressed where the client asks for that."""
    kind = 'application/json' if header_length is None else 'application/octet-stream'
    wanted = request.headers.get('accept-encoding', '').strip().lower()
    # One coding and no other was chosen on purpose; lists are what libraries send unasked, and
    # floats gain little.
    alone = wanted in ZLIB and len(body) >= WORTH_BYTES
    coding = wanted if alone else coding_of(request, kind, len(body))
    headers = {'Vary': 'Accept-Encoding'}
    if coding:
        headers['Content-Encoding'] = coding
    if header_length is not None:
        headers[HEADER_LENGTH] = str(header_length)
    return Response(compressed(body, coding), media_type=kind, headers=headers)
