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

"""``POST /v1/depth``: a picture in, its depth out, in the form that the client accepts."""

from __future__ import annotations

from depth_anything_ros.bridges.rest.answers import only_sent, written
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
from depth_anything_ros.bridges.rest.uploads import read_upload
from depth_anything_ros.wire.depth_files import FORMS
from fastapi import FastAPI, Request
from fastapi.responses import Response


def register(app: FastAPI, context: RestContext) -> None:
    """Add the route."""
    options = [format_option(FORMS), SIZE, OUTPUTS, *OPTIONS]

    # Not in a router of its own: FastAPI would look for the route twice.
    @app.post('/v1/depth', summary='Depth of a picture', tags=['depth'], response_class=Response,
              responses=binary_replies(FORMS), openapi_extra=picture_body(options))
    async def depth(request: Request) -> Response:
        form = choose_form(request, FORMS)
        upload = await read_upload(request, context)
        (_, data), = upload.files
        result = await result_for(
            data, upload.fields, options_of(upload.fields, form), request, context)
        return await context.timed(
            'encode', written, result, form, request, request_id_of(request.scope),
            here=only_sent(form, request))
