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

"""Results as replies: the body in its form, and headers that say what it is."""

from __future__ import annotations

import json
from typing import Any, Mapping
from urllib.parse import quote

from depth_anything_ros.bridges.rest.negotiation import coding_of, WORTH_BYTES
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.wire.coding import compressed
from depth_anything_ros.wire.depth_files import DepthFile, described, FORMS
from starlette.requests import Request
from starlette.responses import Response


def result_headers(header: Mapping[str, Any]) -> dict[str, str]:
    """Return everything about a result as HTTP headers; values are ASCII."""
    law = header['scale_law']
    return {
        'X-Depth-Shape': ','.join(str(side) for side in header['shape']),
        'X-Depth-Dtype': header['dtype'], 'X-Depth-Byteorder': 'little',
        'X-Depth-Units': header['units'], 'X-Depth-Kind': header['kind'],
        'X-Depth-Scale-Law': law['text'], 'X-Depth-Model': quote(header['model'], safe=' /:'),
        'X-Depth-Intrinsics': json.dumps(header['intrinsics']),
        'X-Depth-Timing': json.dumps(header['timings']),
        'X-Depth-Result': json.dumps(header)}


def only_sent(form: str, request: Request) -> bool:
    """Return whether a reply is the result's own memory, so that no thread is worth its cost."""
    return form == 'raw' and coding_of(request, FORMS[form][0], WORTH_BYTES) == ''


def written(result: DepthResult, form: str, request: Request, request_id: str) -> Response:
    """
    Return a result as a reply; for the pool unless :func:`only_sent`.

    :param result: what the engine said.
    :param form: short name of the form.
    :param request: says what coding the client reads.
    :param request_id: its name.
    """
    header = described(result, request_id)
    kind, writer = FORMS[form]
    file: DepthFile = writer(result, header)
    return reply_of(file.body, kind, {**result_headers(header), **file.extra}, request)


def reply_of(
    body: bytes | memoryview, kind: str, headers: Mapping[str, str], request: Request,
) -> Response:
    """Return a body as a reply, compressed where that pays and the client reads it."""
    coding = coding_of(request, kind, len(body))
    more = {'Content-Encoding': coding} if coding else {}
    return Response(
        compressed(body, coding), media_type=kind,
        headers={**headers, **more, 'Vary': 'Accept, Accept-Encoding'})
