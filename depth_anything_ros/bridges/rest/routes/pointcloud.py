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

"""``POST /v1/pointcloud``: a picture in, its points out, filtered as the node filters them."""

from __future__ import annotations

from dataclasses import replace
import math
from typing import Any

from depth_anything_ros.bridges.rest import fields as read
from depth_anything_ros.bridges.rest.answers import reply_of, result_headers
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import (
    binary_replies,
    format_option,
    option,
    OPTIONS,
    picture_body,
)
from depth_anything_ros.bridges.rest.estimating import options_of, result_for
from depth_anything_ros.bridges.rest.negotiation import choose_form
from depth_anything_ros.bridges.rest.replies import request_id_of
from depth_anything_ros.bridges.rest.uploads import read_upload
from depth_anything_ros.core.cloud_options import CloudOptions
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.placement import Mount
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.wire.cloud_files import FORMS
from depth_anything_ros.wire.depth_files import described
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

FILTERS = [
    option('dense', 'boolean', 'A list of valid points; false: organised, NaN where there is '
           'none (pcd and raw).', default=True),
    option('stride', 'integer', 'Every n-th row and column.', 2, minimum=1, maximum=64),
    option('voxel_size', 'number', 'One point per cube of so many metres; 0: all.', 0.05,
           minimum=0),
    option('nearest', 'number', 'Smallest distance from the camera, metres.', minimum=0),
    option('farthest', 'number', 'Largest distance from the camera, metres.', 10.0, minimum=0),
    option('lowest', 'number', 'Smallest height, metres, over the camera (or the ground: '
           'mount_height).'),
    option('highest', 'number', 'Largest height, metres.'),
    option('mount_height', 'number', 'Height of the camera over the ground, metres.'),
    option('mount_pitch_deg', 'number', 'How far the camera looks down, degrees.', minimum=-90,
           maximum=90),
    option('confidence_percentile', 'number', 'Points of less confidence are left out.',
           minimum=0, maximum=99),
    option('edge_filter', 'boolean', 'Leave out points between two surfaces.'),
]


def cloud_options(fields: read.Fields) -> FrameOptions:
    """
    Return what the fields ask of a picture and of its points.

    :raises InvalidRequest: when a value is not accepted.
    """
    number = read.number
    points = CloudOptions(
        dense=read.switch(fields, 'dense', default=True),
        stride=read.whole(fields, 'stride', 1, 1, 64),
        voxel_size=number(fields, 'voxel_size', 0.0, 0.0),
        nearest=number(fields, 'nearest', 0.0, 0.0),
        farthest=number(fields, 'farthest', math.inf, 0.0),
        lowest=number(fields, 'lowest', -math.inf),
        highest=number(fields, 'highest', math.inf),
        confidence_percentile=number(fields, 'confidence_percentile', 0.0, 0.0, 99.0),
        edge_filter=read.switch(fields, 'edge_filter'))
    mount = Mount(
        height=number(fields, 'mount_height', 0.0),
        pitch_deg=number(fields, 'mount_pitch_deg', 0.0, -90.0, 90.0))
    return replace(
        options_of({**fields, 'outputs': ''}, 'raw'), points=points, mount=mount,
        outputs=frozenset({Output.POINTS}))


def written(result: DepthResult, form: str, request: Request, request_id: str) -> Response:
    """
    Return points as a reply; for the pool.

    :raises InvalidRequest: when the model has no metres or nobody knows the camera.
    """
    cloud = result.cloud
    if cloud is None:
        raise InvalidRequest('; '.join(result.notes) or 'there is no cloud')
    header: dict[str, Any] = described(result, request_id)
    law = header['scale_law']['text']
    remarks = [f'units {header["units"]}', f'model {result.model}', f'scale law {law}',
               'frame optical: x right, y down, z forward']
    kind, writer = FORMS[form]
    shape = [*cloud.shape[:-1], len(FIELDS)]
    headers = {
        **result_headers({**header, 'shape': shape}), 'X-Cloud-Fields': ','.join(FIELDS),
        'X-Cloud-Points': str(cloud.size // len(FIELDS))}
    return reply_of(writer(cloud, remarks), kind, headers, request)


FIELDS = ('x', 'y', 'z', 'rgb')


def register(app: FastAPI, context: RestContext) -> None:
    """Add the route."""
    router = APIRouter(tags=['depth'])
    options = [format_option(FORMS), *FILTERS, *OPTIONS]

    @router.post('/v1/pointcloud', summary='Points of a picture', response_class=Response,
                 responses=binary_replies(FORMS), openapi_extra=picture_body(options))
    async def pointcloud(request: Request) -> Response:
        form = choose_form(request, FORMS)
        upload = await read_upload(request, context)
        (_, data), = upload.files
        fields = {name: text for name, text in upload.fields.items() if name != 'output_size'}
        result = await result_for(data, fields, cloud_options(fields), request, context)
        return await context.timed(
            'encode', written, result, form, request, request_id_of(request.scope))

    app.include_router(router)
