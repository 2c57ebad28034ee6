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

"""``/pc``, ``/metric_depth`` and ``/rel_depth``: the API of the seed (rules R2 to R10)."""

from __future__ import annotations

import asyncio
import binascii
from dataclasses import asdict
from typing import Any, Callable

from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import DEADLINE, errors, PICTURE
from depth_anything_ros.bridges.rest.fetching import fetch
from depth_anything_ros.bridges.rest.openapi import reference
from depth_anything_ros.bridges.rest.replies import request_id_of, UnsupportedMedia
from depth_anything_ros.bridges.rest.seed_law import (
    DEFAULT_FOV,
    DEPTH_FORMS,
    file_of,
    model_for,
    RANGES,
    seed_depth,
)
from depth_anything_ros.bridges.rest.seed_models import (
    DepthReply,
    DepthRequest,
    PointCloudReply,
)
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidImage, InvalidRequest
from depth_anything_ros.wire.depth_files import base64_of
from depth_anything_ros.wire.images import decode_image
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
import numpy as np
from pydantic import ValidationError

NO_IMAGE = 'Either image or image_url must be provided'
NO_CAMERA = 'camera_intrinsics is required for pointcloud'
NO_DEPTH = 'max_depth is required for {}'
"""The seed's own words."""

MODELS_KEPT = 64
"""Keys that /health lists; every max_depth makes one."""

LARGEST_AREA = 2016 ** 2
"""Pixels of the processed picture; a narrow strip grows with its shorter side."""

Responses = dict[int | str, dict[str, Any]]

Reply = Callable[[DepthResult, DepthRequest, float], dict[str, Any]]


def parsed(body: bytes) -> DepthRequest:
    """
    Return the seed's request from JSON.

    :raises RequestValidationError: with FastAPI's own list of what is wrong.
    """
    try:
        return DepthRequest.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError([
            {**item, 'loc': ('body', *item['loc'])} for item in error.errors(
                include_url=False, include_context=False, include_input=False)]) from None


def frame_of(asked: DepthRequest, data: bytes | None, context: RestContext) -> Frame:
    """
    Return the picture of a request with its camera.

    :param asked: the request.
    :param data: the file, where it was fetched already.
    :param context: the limits.
    :raises InvalidRequest: when it cannot be read.
    """
    try:
        content = file_of(asked.image or '') if data is None else data
    except binascii.Error as error:
        raise InvalidImage(f'image is no base64: {error}') from None
    rgb = decode_image(content, context.options.limits.message)
    height, width = rgb.shape[:2]
    short, long = sorted((width, height))
    size = asked.model_input_size
    if size * size * long / short > LARGEST_AREA:
        raise InvalidImage(
            f'image of {width}x{height} with a shorter side of {size} would be processed at '
            f'{round(size * long / short)} pixels; accepted: {LARGEST_AREA} pixels in all')
    given = asked.camera_intrinsics
    camera = None
    if given is not None:
        camera = Intrinsics(given.fx, given.fy, given.cx, given.cy, width, height)
    return Frame(rgb, intrinsics=camera)


def common(result: DepthResult, law: str, metres: bool) -> dict[str, Any]:
    """Return what every reply says about itself."""
    return {
        'law': law, 'units': 'm' if metres else 'scaled', 'kind': result.kind.value,
        'model': result.model, 'notes': list(result.notes), 'timings': dict(result.timings),
        'intrinsics': None if result.intrinsics is None else asdict(result.intrinsics)}


def cloud_reply(result: DepthResult, asked: DepthRequest, max_depth: float) -> dict[str, Any]:
    """Return the points of every pixel (rule R6)."""
    depth, law = seed_depth(result, asked.dataset, max_depth)
    if result.intrinsics is None:
        raise InvalidRequest(NO_CAMERA)
    points = np.ascontiguousarray(unproject(depth, result.intrinsics).reshape(-1, 3), '<f4')
    shape = list(points.shape)
    return {'pointcloud': base64_of(points.data.cast('B')), 'shape': shape,
            'pointcloud_shape': shape, **common(result, law, in_metres(result, asked, max_depth))}


def depth_reply(result: DepthResult, asked: DepthRequest, max_depth: float) -> dict[str, Any]:
    """Return the depth map (rules R7 and R8)."""
    depth, law = seed_depth(result, asked.dataset, max_depth)
    shape = list(depth.shape)
    return {
        'depth_map': DEPTH_FORMS[asked.depth_format](depth), 'shape': shape,
        'depth_shape': shape, 'min': float(depth.min()), 'max': float(depth.max()),
        'depth_format': asked.depth_format,
        **common(result, law, in_metres(result, asked, max_depth))}


def in_metres(result: DepthResult, asked: DepthRequest, max_depth: float) -> bool:
    """Return whether the law's numbers are metres."""
    return result.kind is not DepthKind.RELATIVE and max_depth == RANGES[asked.dataset]


def register(app: FastAPI, context: RestContext) -> None:
    """Add the routes."""
    router = APIRouter(tags=['Depth Anything V2 API'])

    async def answer(
        request: Request, make: Reply, max_depth: float | None, what: str = '',
    ) -> Response:
        kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
        if kind not in ('application/json', ''):
            raise UnsupportedMedia(f'body is {kind[:60]!r}; accepted: application/json')
        body = await context.read_body(request)
        asked: DepthRequest = await context.work(parsed, body)
        del body
        top = asked.max_depth if max_depth is None else max_depth
        if not top:
            raise InvalidRequest(NO_DEPTH.format(what))
        if top < 0:
            raise InvalidRequest(f'max_depth must be positive, seen {top:g}')
        loaded = [service.info.model for service in context.services()]
        model, note = model_for(asked.encoder, loaded)
        service = context.service(model)
        info = service.info
        if make is cloud_reply and asked.camera_intrinsics is None \
                and not info.predicts_intrinsics:
            raise InvalidRequest(NO_CAMERA)
        if not asked.image and not asked.image_url:
            raise InvalidRequest(NO_IMAGE)
        data = None
        if not asked.image:
            # Not in the pool: a slow server elsewhere would hold up everybody's pictures.
            data = await asyncio.to_thread(
                fetch, asked.image_url or '', context.options.fetch,
                context.options.limits.message.message_bytes)
        frame = await context.timed('decode', frame_of, asked, data, context)
        assumed = frame.intrinsics is None and not info.predicts_intrinsics
        options = FrameOptions(
            process_res=asked.model_input_size, process_res_method='lower_bound_resize',
            fov_deg=DEFAULT_FOV if assumed else 0.0)
        result = await context.estimate(request, frame, options, service=service)
        remember(context.models_loaded, asked, top)
        reply = await context.timed('encode', make, result, asked, top)
        reply['request_id'] = request_id_of(request.scope)
        if note:
            reply['notes'].append(note)
        if assumed:
            reply['notes'].append(
                f'no camera_intrinsics: a horizontal field of view of {DEFAULT_FOV:g} degrees '
                'is assumed')
        return await context.work(JSONResponse, reply)

    context.documented.append(DepthRequest)
    body = {'parameters': [DEADLINE], 'requestBody': {'required': True, 'content': {
        'application/json': {'schema': reference(DepthRequest)}}}}
    failing = errors(422, *PICTURE)
    points: Responses = {200: {'model': PointCloudReply}, **failing}
    maps: Responses = {200: {'model': DepthReply}, **failing}

    @router.post('/pc', summary='Point cloud of a picture', responses=points, openapi_extra=body)
    async def pc(request: Request) -> Response:
        return await answer(request, cloud_reply, None, 'pointcloud')

    @router.post('/metric_depth', summary='Depth scaled by max_depth', responses=maps,
                 openapi_extra=body)
    async def metric_depth(request: Request) -> Response:
        return await answer(request, depth_reply, None, 'metric depth')

    @router.post('/rel_depth', summary='Depth with max_depth 1', responses=maps,
                 openapi_extra=body)
    async def rel_depth(request: Request) -> Response:
        return await answer(request, depth_reply, 1.0)

    app.include_router(router)


def remember(keys: list[str], asked: DepthRequest, max_depth: float) -> None:
    """Add the key of a model to those that are loaded (rule R9)."""
    key = f'{asked.encoder}_{asked.dataset}_{asked.model_input_size}_{float(max_depth)}'
    if key not in keys and len(keys) < MODELS_KEPT:
        keys.append(key)
