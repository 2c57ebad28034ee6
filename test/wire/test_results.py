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

"""A result sent and received is the same result, with its units and law."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.result import DepthResult, ScaleLaw
from depth_anything_ros.errors import InvalidIntrinsics, InvalidRequest
from depth_anything_ros.wire.message import from_body, Message, to_body
from depth_anything_ros.wire.results import depth_reply, DepthReply, result_message
import numpy as np
import pytest
from wire_parts import full_result


def sent(result: DepthResult, request_id: str = '') -> DepthReply:
    return depth_reply(from_body(b''.join(to_body(result_message(result, request_id)))))


def test_every_field_comes_back() -> None:
    result = full_result()
    reply = sent(result, 'request 7')
    for name in ('depth', 'confidence', 'sky', 'cloud', 'preview'):
        seen, expected = getattr(reply, name), getattr(result, name)
        assert seen.dtype == expected.dtype
        np.testing.assert_array_equal(seen, expected, err_msg=name)
    for name in ('scale_law', 'model', 'intrinsics', 'timings', 'notes', 'kind'):
        assert getattr(reply, name) == getattr(result, name), name
    assert reply.stamp_ns == 1_700_000_000_123_456_789, 'no rounding through a float'
    assert reply.frame_id == 'camera_optical' and reply.request_id == 'request 7'
    assert reply.units == 'm'
    np.testing.assert_array_equal(reply.points(), result.points())


def test_what_is_not_there_stays_away() -> None:
    result = replace(
        full_result(), confidence=None, sky=None, cloud=None, preview=None, intrinsics=None,
        timings={}, notes=())
    reply = sent(result)
    assert (reply.confidence, reply.sky, reply.cloud, reply.preview) == (None,) * 4
    assert reply.request_id == '' and reply.timings == {} and reply.notes == ()
    with pytest.raises(InvalidIntrinsics):
        reply.points()


@pytest.mark.parametrize(('kind', 'units', 'said'), [
    (DepthKind.RELATIVE, 'relative', DepthKind.RELATIVE),
    (DepthKind.CANONICAL, 'm', DepthKind.METRIC), (DepthKind.METRIC, 'm', DepthKind.METRIC)])
def test_the_unit_is_metres_only_where_the_law_gives_metres(
    kind: DepthKind, units: str, said: DepthKind,
) -> None:
    result = replace(full_result(), scale_law=ScaleLaw(kind, 1.5, 2.5, FocalSource.MODEL))
    message = result_message(result)
    assert message.header['units'] == units and message.header['kind'] == said.value
    reply = sent(result)
    assert reply.units == units and reply.kind is said and reply.scale_law == result.scale_law


def header_with(**changes: Any) -> Message:
    message = result_message(full_result())
    return Message({**message.header, **changes}, message.arrays)


@pytest.mark.parametrize('changes', [
    {'type': 'other'}, {'scale_law': None}, {'scale_law': {'kind': 'feet'}},
    {'scale_law': {'kind': 'metric', 'focal_source': 'none', 'factor': '1', 'focal': 0}},
    {'intrinsics': 5}, {'intrinsics': {'fx': 1}},
    {'intrinsics': {'fx': 1, 'fy': 1, 'cx': 1, 'cy': 1, 'width': 4, 'height': 3}},
    {'intrinsics': {'fx': 0, 'fy': 1, 'cx': 1, 'cy': 1, 'width': 5, 'height': 3}},
    {'model': 5}, {'stamp_ns': 1.5}, {'stamp_ns': True}, {'timings': []},
    {'timings': {'a': 'b'}}, {'notes': 'a'}, {'notes': [1]}, {'frame_id': None}])
def test_a_header_of_another_kind_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        depth_reply(header_with(**changes))


@pytest.mark.parametrize(('name', 'array'), [
    ('depth', None), ('depth', np.zeros((3, 5))), ('depth', np.zeros((3, 5, 1), np.float32)),
    ('sky', np.zeros((3, 5), np.uint8)), ('cloud', np.zeros((3, 5, 3))),
    ('cloud', np.zeros((15, 2), np.float32)), ('cloud', np.zeros(15, np.float32)),
    ('cloud', np.zeros((1, 3, 5, 4), np.float32)),
    ('confidence', np.zeros((5, 3), np.float32)), ('preview', np.zeros((3, 5), np.uint8))])
def test_arrays_that_do_not_fit_are_refused(name: str, array: Any) -> None:
    message = result_message(full_result())
    arrays = {key: value for key, value in {**message.arrays, name: array}.items()
              if value is not None}
    with pytest.raises(InvalidRequest):
        depth_reply(Message(message.header, arrays))
