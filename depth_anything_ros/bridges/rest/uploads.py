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

"""The pictures and options of a request: a raw body, or a form with files."""

from __future__ import annotations

from typing import NamedTuple

from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.fields import Fields
from depth_anything_ros.bridges.rest.replies import UnsupportedMedia
from depth_anything_ros.errors import InvalidImage, InvalidRequest
from depth_anything_ros.wire.arrays import array_view, check_shape
import numpy as np
import numpy.typing as npt
from starlette.datastructures import UploadFile
from starlette.requests import Request

FORM = 'multipart/form-data'

RAW_KINDS = ('', 'application/octet-stream')
"""Types of a raw body, beside all of ``image/``; what it is shows in its first bytes."""

PIXELS = RAW_KINDS[1]
SHAPE_HEADER = 'x-image-shape'
"""A body of that type with that header is no file: it is the pixels themselves, row by row."""

MAX_FIELDS = 64

FIELD_BYTES = 64 * 1024


Picture = bytes | npt.NDArray[np.uint8]
"""The bytes of a file, or pixels: uint8 (H, W), (H, W, 3) RGB or (H, W, 4) RGBA."""


class Upload(NamedTuple):
    """Pictures by name, and the options that came with them."""

    files: list[tuple[str, Picture]]
    fields: Fields


async def read_upload(request: Request, context: RestContext, most: int = 1) -> Upload:
    """
    Return the pictures of a request.

    Options stand in the query, or in the fields of a form, which win.

    :param request: the request.
    :param context: its limits.
    :param most: how many files it may bring.
    :raises UnsupportedMedia: when the body is of another type.
    :raises InvalidRequest: when it has no file or too many.
    """
    kind = request.headers.get('content-type', '').partition(';')[0].strip().lower()
    if request.headers.get('content-encoding', 'identity').lower() != 'identity':
        raise UnsupportedMedia('compressed bodies are not read; pictures are compressed already')
    fields = dict(request.query_params)
    shape = request.headers.get(SHAPE_HEADER)
    if shape is not None and kind != PIXELS:
        raise UnsupportedMedia(
            f'X-Image-Shape says that the body is pixels, but it is {kind[:60]!r}; accepted: '
            f'{PIXELS}')
    if kind == FORM:
        async with request.form(
                max_files=most, max_fields=MAX_FIELDS, max_part_size=FIELD_BYTES) as form:
            files = list[tuple[str, Picture]]()
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files.append((value.filename or name, await value.read()))
                else:
                    fields[name] = value
    elif kind in RAW_KINDS or kind.startswith('image/'):
        body = await context.read_body(request)
        if shape is not None:
            files = [('image', pixels_of(body, shape))]
        else:
            files = [('image', body)] if body else []
    else:
        raise UnsupportedMedia(
            f'body is {kind[:60]!r}; accepted: image/jpeg, image/png, image/webp, '
            f'application/octet-stream, {FORM}')
    if not files:
        raise InvalidRequest('there is no picture in the request: send a JPEG, PNG or WebP as '
                             f'the body, or as a file in {FORM}')
    return Upload(files, fields)


def pixels_of(body: bytes, shape: str) -> npt.NDArray[np.uint8]:
    """
    Return a body of pixels as an array that shares its memory.

    :param body: uint8, row by row.
    :param shape: text of the header: height,width,channels, or height,width for grey.
    :raises InvalidImage: when the shape cannot be read or needs another number of bytes.
    """
    sides = [side.strip() for side in shape.split(',')]
    if not 2 <= len(sides) <= 3 or not all(
            side.isascii() and side.isdecimal() and len(side) < 10 for side in sides):
        raise InvalidImage(
            f'X-Image-Shape is {shape[:40]!r}; accepted: height,width,3 (RGB), height,width,4 '
            '(RGBA) or height,width (grey), such as 480,640,3')
    try:
        return array_view(
            memoryview(body), np.dtype(np.uint8), check_shape([int(side) for side in sides]))
    except InvalidRequest as error:
        raise InvalidImage(str(error)) from None
