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

"""``POST /v1/batch``: several pictures in one request; those of one size share the network."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Callable, Mapping

from depth_anything_ros.bridges.rest.answers import reply_of
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import (
    binary_replies,
    format_option,
    OPTIONS,
    OUTPUTS,
    picture_body,
    SIZE,
)
from depth_anything_ros.bridges.rest.estimating import options_of, result_for
from depth_anything_ros.bridges.rest.negotiation import choose_form
from depth_anything_ros.bridges.rest.replies import request_id_of
from depth_anything_ros.bridges.rest.uploads import Picture, read_upload
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import DepthAnythingError
from depth_anything_ros.wire.depth_files import described, packed, with_arrays
from depth_anything_ros.wire.status import failure
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

MOST = 32
"""Pictures in one request."""

AT_ONCE = 4
"""Pictures of one request that are under way at once: others want their turn too."""

FORMS: Mapping[str, tuple[str, Callable[[Any], bytes]]] = {
    'msgpack': ('application/msgpack', packed),
    'json': ('application/json', lambda value: json.dumps(value).encode()),
}


def item_of(found: DepthResult | BaseException, name: str, form: str, request_id: str) -> Any:
    """Return one picture's entry: its result with arrays, or why there is none."""
    if isinstance(found, DepthResult):
        entry = with_arrays(found, described(found, request_id), text=form == 'json')
        return {'file': name, 'status': 200, **entry}
    seen = failure(found)
    return {'file': name, 'status': seen.face.http, **seen.http_body()}


def register(app: FastAPI, context: RestContext) -> None:
    """Add the route."""
    router = APIRouter(tags=['depth'])
    options = [format_option(FORMS), SIZE, OUTPUTS, *OPTIONS]

    @router.post('/v1/batch', summary=f'Depth of up to {MOST} pictures', response_class=Response,
                 responses=binary_replies(FORMS), openapi_extra=picture_body(options, many=True))
    async def batch(request: Request) -> Response:
        form = choose_form(request, FORMS)
        upload = await read_upload(request, context, MOST)
        wanted = options_of(upload.fields, form)
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(data: Picture) -> DepthResult | BaseException:
            async with turns:
                try:
                    return await result_for(data, upload.fields, wanted, request, context)
                except DepthAnythingError as error:
                    return error

        results = await asyncio.gather(*(one(data) for _, data in upload.files))
        request_id = request_id_of(request.scope)

        def written() -> Response:
            kind, writer = FORMS[form]
            items = [item_of(found, name, form, request_id)
                     for (name, _), found in zip(upload.files, results)]
            body = writer({'request_id': request_id, 'results': items})
            return reply_of(body, kind, {}, request)

        return await context.timed('encode', written)

    app.include_router(router)
