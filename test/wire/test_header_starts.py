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

"""A header that begins like an earlier one is read quickly, and never otherwise than in full."""

from __future__ import annotations

import json
from typing import Any

from depth_anything_ros.errors import DepthAnythingError
from depth_anything_ros.wire import json_header
from depth_anything_ros.wire import message as module
from depth_anything_ros.wire.header_starts import KEPT, LONGEST, Start, Starts
from depth_anything_ros.wire.json_header import (
    decode_header,
    encode_changing,
    encode_header,
    KEPT_FORMS,
)
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.message import from_parts, Message, to_parts
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest

TABLE = '"arrays":[{"name":"a","dtype":"uint8","shape":[2]}]'

ENDS = [
    '"request_id":"1"}', '"request_id":"2"}', '"request_id":"2","stamp_ns":7}   ',
    '"request_id":"3","timings":{"infer":0.5}}', '"request_id":3}', '"request_id":null}',
    '"request_id":"4","request_id":"5"}', '"request_id":"6","command":"ping"}',
    '"request_id":"7","arrays":[]}', '"request_id":"8"', '"request_id":', '"request_id":"9"}}',
    '"request_id":"10"},{"a":1}', '"request_id":NaN}', '"request_id":1e999}',
    f'"request_id":{"9" * 25}}}', '"request_id":"\udcff"}', '"request_id":"a"]}',
    '"request_id":{}}', f'"request_id":"{"x" * 70_000}"}}']

BEGINNINGS = [
    f'{{"command":"inference",{TABLE}', f'{{"outputs":["depth"],"K":[[1,2.5],[3,4]],{TABLE}',
    f'{{{TABLE},"inner":{{"a":1', f'{{{TABLE},"list":[{{"a":1', f'{{{TABLE},"text":"it is',
    f'{{{TABLE},"text":"a \\"', f'{{"request_id":"0",{TABLE}', '{"arrays":[],"n":1', '{"n":1',
    '[1', f'{{{TABLE},{TABLE}', f'{{{TABLE},"long":"{"y" * LONGEST}"',
    '{"arrays":[{"name":"a","dtype":"object","shape":[2]}]', f'{{{TABLE},"n":1e999']


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with nothing remembered, as a process does."""
    monkeypatch.setattr(module, '_starts', Starts())


def outcome(function: Any) -> Any:
    try:
        return function()
    except DepthAnythingError as error:
        return type(error), str(error)


def in_full(text: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    return outcome(lambda: module._split(decode_header(text, limits), limits))


def quickly(text: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    def read() -> Any:
        header, entries, _ = module._header(memoryview(text), limits)
        return header, list(entries)
    return outcome(read)


@pytest.mark.parametrize('beginning', BEGINNINGS, ids=range(len(BEGINNINGS)))
def test_every_end_of_every_beginning_means_the_same(beginning: str) -> None:
    for end in [*ENDS, *ENDS, *reversed(ENDS)]:
        text = f'{beginning},{end}'.encode('utf-8', 'surrogateescape')
        assert quickly(text) == in_full(text), end[:40]


@settings(max_examples=300, deadline=None, database=None, derandomize=True,
          suppress_health_check=list(HealthCheck))
@given(st.sampled_from(BEGINNINGS[:9]), st.sampled_from(ENDS[:-1]), st.integers(0, 400),
       st.sampled_from(list('{}[],:"\\0a ') + [',"request_id":', '"arrays":[]']))
def test_damaged_headers_mean_the_same(beginning: str, end: str, at: int, new: str) -> None:
    whole = f'{beginning},{end}'
    for text in (whole, whole, whole[:at] + new + whole[at:], whole[:at] + new + whole[at + 1:]):
        data = text.encode('utf-8', 'surrogateescape')
        for _ in range(3):
            assert quickly(data) == in_full(data)


def test_the_third_message_of_a_kind_reads_the_beginning_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def counted(text: bytes, limits: Limits) -> dict[str, Any]:
        seen.append(len(text))
        return decode_header(text, limits)
    monkeypatch.setattr(module, 'decode_header', counted)
    image = np.zeros((4, 6, 3), np.uint8)
    kept = []
    for number in range(4):
        header = {'command': 'inference', 'outputs': ['depth'], 'request_id': str(number)}
        message = from_parts(to_parts(Message(header, {'image': image})))
        assert message.header == header and message.arrays['image'].shape == image.shape
        kept.append(message.kept)
    # Two of them in full, and what the second one has in common with the first.
    assert len(seen) == 3 and seen[0] == seen[1] > seen[2]
    # What was concluded from one is there for the next.
    assert kept[2] is kept[3] and kept[0] is not kept[2]


def test_the_limits_hold_for_what_is_remembered() -> None:
    for _ in range(3):
        quickly(f'{BEGINNINGS[0]},{ENDS[0]}'.encode())
    text = f'{BEGINNINGS[0]},{ENDS[1]}'.encode()
    none = Limits(header_bytes=len(text) - 1)
    assert quickly(text, none) == in_full(text, none)
    more = text.replace(b'[{', b'[{"name":"b","dtype":"uint8","shape":[1]},{')
    for _ in range(3):
        quickly(more)
    one = Limits(arrays=1)
    assert quickly(more, one) == in_full(more, one) and quickly(more, one)[0] is not dict


def test_only_so_many_beginnings_are_remembered_and_not_before_they_come_twice() -> None:
    starts = Starts()
    for number in range(3 * KEPT):
        assert not starts.came(b'%d' % number)
    assert len(starts._known) == KEPT and b'0' not in starts._known
    assert starts.came(b'%d' % (3 * KEPT - 1))
    starts.keep(b'none', Start({}, ()))
    assert starts.read(b'none,"request_id":"1"}') is None


@pytest.mark.parametrize('timings', [
    {'infer': 0.5, 'wait': 0.0}, {}, {'100 %s': -1e-300, '"': 0.1, 'ä\n': 1e300},
    {'infer': 1, 'wait': True}, {'infer': [0.5]}, {'infer': 1e308, 'wait': 1e308},
    {str(number): float(number) for number in range(40)}])
def test_what_changes_is_written_as_the_whole_header_is(timings: dict[str, Any]) -> None:
    header = {'request_id': '"1" %d', 'stamp_ns': -5, 'timings': timings}
    # The first time by the encoder, then as remembered; and other kinds of values in between.
    for values in (timings, timings, dict.fromkeys(timings, 2), timings):
        changed = {**header, 'timings': values}
        assert b'{' + encode_changing(changed)[1:] == encode_header(changed)
    for value in (float('nan'), float('inf')):
        with pytest.raises(ValueError, match='JSON compliant'):
            encode_changing({'timings': dict.fromkeys(timings or 'a', value)})


def test_sets_of_names_are_forgotten_when_they_are_too_many() -> None:
    for number in range(3 * KEPT_FORMS):
        encode_changing({'timings': {str(number): 0.5}})
    assert 0 < len(json_header._forms) <= KEPT_FORMS


def test_a_header_is_written_with_what_changes_at_its_end() -> None:
    header = {'timings': {'infer': 0.5}, 'type': 'x', 'request_id': '1', 'stamp_ns': 2}
    text = bytes(to_parts(Message(header))[0]).decode()
    assert list(json.loads(text)) == ['type', 'arrays', 'request_id', 'stamp_ns', 'timings']
    assert bytes(to_parts(Message({}))[0]) == b'{"arrays":[]}'
