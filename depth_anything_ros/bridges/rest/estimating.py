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

"""From an encoded picture and the fields beside it to the service's result."""

from __future__ import annotations

from dataclasses import replace

from depth_anything_ros.bridges.rest import fields as read
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.uploads import Picture
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.resize import resize_depth, resize_nearest
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.wire.images import decode_image
import numpy as np
from starlette.requests import Request

DEFAULT = FrameOptions()
"""What a request asks for that names no options."""

EXTRAS = {Output.CONFIDENCE.value, Output.SKY.value}
"""Outputs beside depth that a form with several arrays can hold."""

WITH_ARRAYS = frozenset({'npz', 'msgpack', 'json'})
"""Forms that can."""


def frame_of(data: Picture, fields: read.Fields, context: RestContext) -> Frame:
    """
    Return a picture as a frame, with the camera that the fields give.

    :raises InvalidRequest: when it cannot be read.
    :raises PayloadTooLarge: when it has too many pixels.
    """
    rgb = decode_image(data, context.options.limits.message,
                       exif_orient=read.switch(fields, 'exif_orient'))
    height, width = rgb.shape[:2]
    return Frame(rgb, intrinsics=read.camera(fields, width, height))


def options_of(fields: read.Fields, form: str) -> FrameOptions:
    """
    Return what the fields ask of a picture.

    :param fields: texts by name.
    :param form: short name of the reply's form.
    :raises InvalidRequest: when a value is not accepted.
    """
    if not fields:
        return DEFAULT
    wanted = {name.strip() for name in fields.get('outputs', '').split(',') if name.strip()}
    unknown = wanted - EXTRAS - {Output.DEPTH.value}
    if unknown:
        raise InvalidRequest(
            f'outputs has {", ".join(sorted(unknown))[:60]!r}; accepted: depth, '
            f'{", ".join(sorted(EXTRAS))}')
    if wanted & EXTRAS and form not in WITH_ARRAYS:
        raise InvalidRequest(
            f'{form} holds depth alone; for {", ".join(sorted(wanted & EXTRAS))} ask for '
            f'{", ".join(sorted(WITH_ARRAYS))}')
    return FrameOptions(
        process_res=read.process_res(fields),
        minimum=read.number(fields, 'minimum', 0.0, 0.0),
        maximum=read.number(fields, 'maximum', float('inf'), 0.0),
        focal_length=read.number(fields, 'focal_length', 0.0, 0.0),
        fov_deg=read.number(fields, 'fov_deg', 0.0, 0.0, 179.0),
        outputs=frozenset(Output(name) for name in wanted | {Output.DEPTH.value}))


def resized(result: DepthResult, size: tuple[int, int] | None) -> DepthResult:
    """Return a result at another size (width, height), with the camera that belongs to it."""
    if size is None or size == result.depth.shape[::-1]:
        return result
    return replace(
        result, depth=resize_depth(result.depth, *size),
        intrinsics=result.intrinsics and result.intrinsics.resized(*size),
        confidence=None if result.confidence is None else resize_nearest(
            result.confidence, *size),
        sky=None if result.sky is None else resize_nearest(
            result.sky.astype(np.float32), *size) > 0)


async def result_for(
    data: Picture, fields: read.Fields, options: FrameOptions, request: Request,
    context: RestContext,
) -> DepthResult:
    """
    Return the result for one picture.

    :param data: the file, or its pixels.
    :param fields: its camera and the size that is wanted.
    :param options: what is asked of it.
    :param request: who asks.
    :param context: what the routes share.
    """
    size = read.size_of(fields, 'output_size')
    service = context.service(fields.get('model', ''))
    # Pixels in RGB are used where they are: a thread would cost more than that.
    ready = not isinstance(data, bytes) and data.shape[2:] == (3,)
    frame = await context.timed('decode', frame_of, data, fields, context, here=ready)
    result = await context.estimate(request, frame, options, service=service)
    return result if size is None else await context.work(resized, result, size)
