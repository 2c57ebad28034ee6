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
from depth_anything_ros.errors import InvalidRequest
from starlette.datastructures import UploadFile
from starlette.requests import Request

FORM = 'multipart/form-data'

RAW_KINDS = ('', 'application/octet-stream')
"""Types of a raw body, beside all of ``image/``; what it is shows in its first bytes."""

MAX_FIELDS = 64

FIELD_BYTES = 64 * 1024


class Upload(NamedTuple):
    """Encoded pictures by name, and the options that came with them."""

    files: list[tuple[str, bytes]]
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
    if kind == FORM:
        async with request.form(
                max_files=most, max_fields=MAX_FIELDS, max_part_size=FIELD_BYTES) as form:
            files = []
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files.append((value.filename or name, await value.read()))
                else:
                    fields[name] = value
    elif kind in RAW_KINDS or kind.startswith('image/'):
        body = await context.read_body(request)
        files = [('image', body)] if body else []
    else:
        raise UnsupportedMedia(
            f'body is {kind[:60]!r}; accepted: image/jpeg, image/png, image/webp, '
            f'application/octet-stream, {FORM}')
    if not files:
        raise InvalidRequest('there is no picture in the request: send a JPEG, PNG or WebP as '
                             f'the body, or as a file in {FORM}')
    return Upload(files, fields)
