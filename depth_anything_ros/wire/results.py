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

"""Depth results as messages of our own form, and back to a typed value for clients."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import lru_cache
import math
from typing import Any, Mapping

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.result import DepthResult, ScaleLaw
from depth_anything_ros.errors import InvalidIntrinsics, InvalidRequest
from depth_anything_ros.wire.arrays import Array, name_of, NAMES
from depth_anything_ros.wire.message import Message, start_of
import numpy as np
import numpy.typing as npt

TYPE = 'depth_result'

METRES = 'm'

NO_UNIT = 'relative'
"""Unit of a depth whose scale nobody knows."""

SHAPES: Mapping[str, tuple[str, int]] = {
    'depth': ('float32', 0), 'confidence': ('float32', 0), 'sky': ('bool', 0),
    'cloud': ('float32', 4), 'preview': ('uint8', 3)}
"""Arrays of a result: element type and channels, 0 for (H, W)."""

LISTS = ((2, (3,)), (2, (4,)), (3, (3,)), (3, (4,)))
"""Dimensions and last side of a cloud, which may have any size: a list, or thinned out."""


@dataclass(frozen=True)
class DepthReply:
    """
    What a server answered about one image: :class:`DepthResult` without the image itself.

    ``depth`` is (H, W) float32, NaN where invalid, in metres when ``units`` is 'm'. The other
    fields mean what they mean in :class:`DepthResult`; ``timings`` are seconds by stage.
    """

    depth: npt.NDArray[np.float32]
    scale_law: ScaleLaw
    model: str
    intrinsics: Intrinsics | None = None
    confidence: npt.NDArray[np.float32] | None = None
    sky: npt.NDArray[np.bool_] | None = None
    cloud: npt.NDArray[np.float32] | None = None
    preview: npt.NDArray[np.uint8] | None = None
    stamp_ns: int = 0
    frame_id: str = ''
    timings: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    request_id: str = ''

    @property
    def kind(self) -> DepthKind:
        """Return METRIC where the numbers are metres, RELATIVE where their scale is unknown."""
        return kind_of(self.scale_law)

    @property
    def units(self) -> str:
        """Return 'm' or 'relative'."""
        return units_of(self.scale_law)

    def points(self) -> npt.NDArray[np.float32]:
        """
        Return the (H, W, 3) float32 points in the optical frame, NaN where invalid.

        In the unit of the depth.

        :raises InvalidIntrinsics: when the camera is unknown.
        """
        if self.intrinsics is None:
            raise InvalidIntrinsics('points need intrinsics; the server did not know any')
        return unproject(self.depth, self.intrinsics)


def kind_of(law: ScaleLaw) -> DepthKind:
    """Return METRIC or RELATIVE: what a depth is after this law."""
    return DepthKind.RELATIVE if law.kind is DepthKind.RELATIVE else DepthKind.METRIC


def units_of(law: ScaleLaw) -> str:
    """Return the unit of a depth after this law, 'm' or 'relative'."""
    return NO_UNIT if law.kind is DepthKind.RELATIVE else METRES


def result_message(result: DepthResult, request_id: str = '') -> Message:
    """
    Return a result as a message; its arrays are those of the result, not copies.

    :param result: what the service returned.
    :param request_id: the name that the client gave its request.
    """
    arrays: dict[str, Array] = {}
    table = []
    for name in SHAPES:
        array = getattr(result, name)
        if array is not None:
            arrays[name] = array
            table.append((name, array.dtype, array.shape))
    frame = result.frame
    fixed, start = _fixed(
        result.model, result.raw, result.scale_law, result.intrinsics, frame.frame_id,
        tuple(result.notes), tuple(table))
    return Message({**fixed, 'request_id': request_id, 'stamp_ns': frame.stamp_ns,
                    'timings': dict(result.timings)}, arrays, start)


def result_header(result: DepthResult) -> dict[str, Any]:
    """Return everything about a result that is no array, as JSON values."""
    fixed, _ = _fixed(
        result.model, result.raw, result.scale_law, result.intrinsics, result.frame.frame_id,
        tuple(result.notes))
    return {**fixed, 'stamp_ns': result.frame.stamp_ns, 'timings': dict(result.timings)}


@lru_cache(64)
def _fixed(
    model: str, raw: bool, law: ScaleLaw, intrinsics: Intrinsics | None, frame_id: str,
    notes: tuple[str, ...],
    table: tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...] = (),
) -> tuple[Mapping[str, Any], bytes]:
    """Return what the headers of a stream of results have in common, and its text."""
    header = {
        'type': TYPE,
        'model': model,
        'kind': (law.kind if raw else kind_of(law)).value,
        'units': units_of(law),
        'scale_law': law_values(law),
        'intrinsics': None if intrinsics is None else asdict(intrinsics),
        'frame_id': frame_id,
        'notes': list(notes),
    }
    return header, start_of(
        header, [(name, name_of(dtype), shape) for name, dtype, shape in table])


def depth_reply(message: Message) -> DepthReply:
    """
    Return the typed value of a result message; its arrays are views of the message.

    :raises InvalidRequest: when a field is missing, of another type or does not fit the depth.
    """
    header = message.header
    if header.get('type') != TYPE:
        raise InvalidRequest(f'message is not a {TYPE}')
    fixed = message.kept.get(TYPE)
    if fixed is None:
        fixed = message.kept[TYPE] = _checked(message)
    timings, stamp_ns = header.get('timings', {}), header.get('stamp_ns', 0)
    request_id = header.get('request_id', '')
    if not isinstance(timings, dict):
        raise InvalidRequest('timings must be an object')
    if type(stamp_ns) is not int:
        raise InvalidRequest(f'stamp_ns is {type(stamp_ns).__name__}; accepted: int')
    if not isinstance(request_id, str):
        raise InvalidRequest(f'request_id is {type(request_id).__name__}; accepted: text')
    for name, value in timings.items():
        if type(value) is not float or not math.isfinite(value):
            timings = {name: _number(timings, name) for name in timings}
            break
    arrays = message.arrays
    # As DepthReply(...), whose fields are thirteen calls because it is frozen.
    reply = object.__new__(DepthReply)
    reply.__dict__.update(
        fixed, depth=arrays['depth'], confidence=arrays.get('confidence'), sky=arrays.get('sky'),
        cloud=arrays.get('cloud'), preview=arrays.get('preview'), stamp_ns=stamp_ns,
        timings=timings, request_id=request_id)
    return reply


def _checked(message: Message) -> dict[str, Any]:
    """Return the fields that follow from the fixed part of the header, after checking it."""
    header = message.header
    arrays = {name: message.arrays.get(name) for name in SHAPES}
    depth = arrays.pop('depth')
    if depth is None or depth.ndim != 2:
        raise InvalidRequest('result has no depth of shape (H, W)')
    _check_array('depth', depth, depth.shape)
    for name, array in arrays.items():
        if array is not None:
            _check_array(name, array, depth.shape)
    intrinsics = _intrinsics(header.get('intrinsics'))
    if intrinsics is not None and intrinsics.size != depth.shape[::-1]:
        raise InvalidRequest(
            f'intrinsics are for {intrinsics.width}x{intrinsics.height}, the depth map is '
            f'{depth.shape[1]}x{depth.shape[0]}')
    notes = header.get('notes', [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise InvalidRequest('notes must be a list of texts')
    return {
        'scale_law': law_of(header.get('scale_law')), 'model': _text(header, 'model'),
        'intrinsics': intrinsics, 'frame_id': _text(header, 'frame_id'), 'notes': tuple(notes)}


def _check_array(name: str, array: Array, size: tuple[int, ...]) -> None:
    dtype, channels = SHAPES[name]
    if name == 'cloud' and (array.ndim, array.shape[-1:]) in LISTS \
            and NAMES.get(array.dtype) == dtype:
        return
    expected = (*size[:2], channels) if channels else size[:2]
    if NAMES.get(array.dtype) != dtype or array.shape != expected:
        raise InvalidRequest(
            f'{name} is {array.dtype} {array.shape}; accepted: {dtype} {expected}')


def _intrinsics(value: object) -> Intrinsics | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidRequest(f'intrinsics are a {type(value).__name__}; accepted: an object')
    width, height = value.get('width'), value.get('height')
    if type(width) is not int or type(height) is not int:
        raise InvalidRequest('intrinsics have no int width and height')
    return Intrinsics(
        _number(value, 'fx'), _number(value, 'fy'), _number(value, 'cx'), _number(value, 'cy'),
        width, height)


def law_values(law: ScaleLaw) -> dict[str, Any]:
    """Return a scale law as JSON values."""
    return {'kind': law.kind.value, 'factor': law.factor, 'focal': law.focal,
            'focal_source': law.focal_source.value, 'text': str(law)}


def law_of(value: object) -> ScaleLaw:
    """
    Return the scale law that :func:`law_values` made JSON values of.

    :raises InvalidRequest: when it is none.
    """
    if not isinstance(value, dict):
        raise InvalidRequest('result has no scale law')
    try:
        kind = DepthKind(value.get('kind'))
        source = FocalSource(value.get('focal_source'))
    except ValueError as error:
        raise InvalidRequest('scale law is of an unknown kind or focal source') from error
    return ScaleLaw(kind, _number(value, 'factor'), _number(value, 'focal'), source)


def _text(header: Mapping[str, Any], name: str) -> str:
    value = header.get(name, '')
    if not isinstance(value, str):
        raise InvalidRequest(f'{name} is {type(value).__name__}; accepted: text')
    return value


def _number(header: Mapping[str, Any], name: str) -> float:
    value = header.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) \
            or not math.isfinite(value):
        raise InvalidRequest(f'{name} is {type(value).__name__}; accepted: a number')
    return float(value)
