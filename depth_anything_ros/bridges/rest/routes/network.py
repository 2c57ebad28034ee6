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

"""``POST /v1/network``: for an engine on another machine, the network's own maps of an image."""

from __future__ import annotations

from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import DEADLINE, errors, MODEL, PICTURE
from depth_anything_ros.bridges.rest.replies import request_id_of
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.wire.message import from_body, to_body
from depth_anything_ros.wire.network_messages import image_of, MEDIA_TYPE, PATH, raw_options
from depth_anything_ros.wire.results import result_message
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

BINARY = {'schema': {'type': 'string', 'format': 'binary'}}


def register(app: FastAPI, context: RestContext) -> None:
    """Add the route."""
    router = APIRouter(tags=['depth'])

    @router.post(
        PATH, summary="The network's own maps of an image at the processed size, for another "
        'engine', response_class=Response,
        responses={200: {'description': 'A result in our own form, raw.',
                         'content': {MEDIA_TYPE: BINARY}}, **errors(*PICTURE)},
        openapi_extra={'parameters': [MODEL, DEADLINE], 'requestBody': {
            'required': True, 'content': {MEDIA_TYPE: BINARY}}})
    async def network(request: Request) -> Response:
        limits = context.options.limits.message
        pixels = image_of(from_body(await context.read_body(request), limits), limits)
        service = context.service(request.query_params.get('model', ''))
        info = service.info
        options = raw_options(
            pixels, has_confidence=info.has_confidence, has_sky=info.has_sky)
        result = await context.estimate(request, Frame(pixels), options, service=service)
        message = result_message(result, request_id_of(request.scope))
        return Response(b''.join(to_body(message)), media_type=MEDIA_TYPE)

    app.include_router(router)
