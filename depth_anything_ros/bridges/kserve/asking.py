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

"""From the tensors of a request to frames, and from results to tensors."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from depth_anything_ros.bridges.kserve.metadata import (
    BATCH,
    CONFIDENCE,
    DEPTH,
    IMAGE,
    INTRINSICS,
    OUTPUTS,
    SKY,
    VERSION,
)
from depth_anything_ros.bridges.rest import fields as read
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.pictures import check_pixels
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import (
    InvalidImage,
    InvalidIntrinsics,
    InvalidRequest,
    PayloadTooLarge,
)
from depth_anything_ros.wire.kserve import (
    Array,
    Document,
    InferRequest,
    JSON_VALUES,
    OutputWish,
    write_response,
)
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.results import units_of
import numpy as np

OPTIONS = ('process_res', 'fov_deg', 'focal_length', 'minimum', 'maximum')
"""Parameters of a request that say how its images are processed, as of /v1/depth."""

TIMEOUT = 'timeout'
"""Parameter: microseconds until the answer is due."""

UNUSED = ('priority', 'sequence_id', 'sequence_start', 'sequence_end')
"""Parameters of Triton's clients that change nothing here; the reply's notes say so."""


def frames_of(request: InferRequest, limits: Limits) -> list[Frame]:
    """
    Return the images of a request, each with its camera where one is given.

    :param request: with the inputs ``image`` and perhaps ``intrinsics``.
    :param limits: how many pixels an image may have.
    :raises InvalidRequest: when they have other shapes than accepted.
    :raises PayloadTooLarge: when an image or the batch is too large.
    """
    image = request.inputs.get(IMAGE)
    if image is None or image.ndim not in (3, 4) or image.shape[-1] != 3:
        seen = 'missing' if image is None else str(list(image.shape))
        raise InvalidImage(f'image is {seen}; accepted: UINT8 [H, W, 3] or [N, H, W, 3], RGB')
    images = image[None] if image.ndim == 3 else image
    count, height, width = images.shape[:3]
    if count > BATCH:
        raise PayloadTooLarge(f'{count} images; accepted: at most {BATCH} in one request')
    check_pixels(width, height, limits.pixels)
    cameras = _cameras(request.inputs.get(INTRINSICS), count, width, height)
    return [Frame(rgb, intrinsics=camera) for rgb, camera in zip(images, cameras, strict=True)]


def options_of(request: InferRequest, wishes: Sequence[OutputWish]) -> FrameOptions:
    """
    Return what a request's parameters ask.

    :param request: the request.
    :param wishes: the outputs that it wants.
    :raises InvalidRequest: when a parameter is unknown or not accepted.
    """
    known = (*OPTIONS, TIMEOUT, *UNUSED)
    for name in request.parameters:
        if name not in known:
            raise InvalidRequest(f'parameter {name[:40]!r} is unknown; accepted: '
                                 f'{", ".join(known[:-len(UNUSED)])}')
    texts = {name: str(value) for name, value in request.parameters.items()}
    return FrameOptions(
        process_res=read.process_res(texts),
        minimum=read.number(texts, 'minimum', 0.0, 0.0),
        maximum=read.number(texts, 'maximum', float('inf'), 0.0),
        focal_length=read.number(texts, 'focal_length', 0.0, 0.0),
        fov_deg=read.number(texts, 'fov_deg', 0.0, 0.0, 179.0),
        outputs=frozenset({Output.DEPTH, *(Output(wish.name) for wish in wishes)}))


def seconds_of(request: InferRequest) -> float | None:
    """Return the seconds until the answer is due, None where the client does not say."""
    microseconds = read.number(
        {name: str(value) for name, value in request.parameters.items()}, TIMEOUT, 0.0, 1.0)
    return microseconds / 1e6 if microseconds else None


def check_size(frames: Sequence[Frame], wishes: Sequence[OutputWish]) -> None:
    """
    Refuse a reply with too many numbers as JSON, before they are computed.

    :raises PayloadTooLarge: saying what is accepted.
    """
    width, height = frames[0].size
    values = len(frames) * width * height * sum(not wish.binary for wish in wishes)
    if values > JSON_VALUES:
        raise PayloadTooLarge(
            f'{values} numbers as JSON; accepted: at most {JSON_VALUES}. Ask for binary_data')


def response_of(
    request: InferRequest, model: str, wishes: Sequence[OutputWish],
    results: Sequence[DepthResult],
) -> tuple[bytes, int | None]:
    """
    Return a response's body, and the length of its JSON where raw bytes follow.

    :param request: what was asked.
    :param model: name of the model.
    :param wishes: the outputs to send.
    :param results: of all images, in order.
    """
    document: Document = {
        'model_name': model, 'model_version': VERSION,
        'parameters': _said(results, request.parameters)}
    if request.request_id:
        document['id'] = request.request_id
    single = request.inputs[IMAGE].ndim == 3
    return write_response(document, [
        (wish, OUTPUTS[wish.name], _tensor(results, wish.name, single)) for wish in wishes])


def _tensor(results: Sequence[DepthResult], name: str, single: bool) -> Array:
    maps = [{DEPTH: result.depth, CONFIDENCE: result.confidence, SKY: result.sky}[name]
            for result in results]
    arrays = [each for each in maps if each is not None]
    if len(arrays) != len(maps):
        raise InvalidRequest(f'this model gave no {name}')
    return arrays[0] if single else np.stack(arrays)


def _said(results: Sequence[DepthResult], given: Mapping[str, Any]) -> Document:
    """Return what the numbers mean; of several images, with their place where they differ."""
    found: Document = {}
    rows = []
    for result in results:
        law = result.scale_law
        camera = result.intrinsics
        rows.append({
            'units': units_of(law), 'kind': result.kind.value, 'scale_law': str(law),
            'scale_factor': law.factor, 'focal_source': law.focal_source.value,
            'intrinsics': '' if camera is None else
            f'{camera.fx:.9g},{camera.fy:.9g},{camera.cx:.9g},{camera.cy:.9g}',
            'notes': '; '.join(result.notes)})
    for key in rows[0]:
        values = [row[key] for row in rows]
        if len(set(values)) == 1:
            found[key] = values[0]
        else:
            found.update({f'{key}.{at}': value for at, value in enumerate(values)})
    unused = [name for name in UNUSED if name in given]
    if unused:
        found['unused_parameters'] = ', '.join(unused)
    return found


def _cameras(
    given: Array | None, count: int, width: int, height: int,
) -> list[Intrinsics | None]:
    if given is None:
        return [None] * count
    shape = given.shape
    one = shape in ((3, 3), (4,))
    if not one and shape not in ((count, 3, 3), (count, 4), (1, 3, 3), (1, 4)):
        raise InvalidIntrinsics(
            f'intrinsics are {list(shape)} for {count} images; accepted: FP32 K as [3, 3], or fx, '
            'fy, cx, cy as [4], for all images or one for each')
    rows = np.broadcast_to(given, (count, *(shape if one else shape[1:]))).astype(np.float64)
    if rows.ndim == 3:
        return [Intrinsics.from_matrix(row, width, height) for row in rows]
    return [Intrinsics(fx, fy, cx, cy, width, height) for fx, fy, cx, cy in rows.tolist()]
