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

"""Our own form: golden bytes, round trips without copies, and everything that is refused."""

from __future__ import annotations

import json
from pathlib import Path
import struct
from typing import Any

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.arrays import DTYPES
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import (
    from_body,
    from_parts,
    is_body,
    Message,
    to_body,
    to_parts,
)
from depth_anything_ros.wire.pickled import is_pickle, write
from depth_anything_ros.wire.results import depth_reply, result_message
from golden_values import pattern
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from wire_parts import full_result, GOLDEN


def body_of(header: Any, data: bytes = b'') -> bytes:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = -(-(8 + len(encoded)) // 64) * 64 - 8
    return b'DAR1' + struct.pack('<I', size) + encoded.ljust(size) + data


def test_the_body_is_the_committed_one_byte_for_byte() -> None:
    golden = (GOLDEN / 'depth_result.body').read_bytes()
    assert b''.join(to_body(result_message(full_result(), 'request 7'))) == golden


def test_the_parts_are_the_committed_ones_byte_for_byte() -> None:
    parts = to_parts(result_message(full_result(), 'request 7'))
    names = sorted(GOLDEN.glob('depth_result.part*'))
    assert len(names) == len(parts) == 6
    for path, part in zip(names, parts):
        assert path.read_bytes() == bytes(part), path.name


def test_a_reader_made_from_the_document_alone_understands_the_body() -> None:
    body = (GOLDEN / 'depth_result.body').read_bytes()
    assert body[:4] == b'DAR1'
    size = int.from_bytes(body[4:8], 'little')
    assert (8 + size) % 64 == 0
    header = json.loads(body[8:8 + size])
    at = 8 + size
    arrays = {}
    for entry in header['arrays']:
        dtype = np.dtype(entry['dtype']).newbyteorder('<')
        length = int(np.prod(entry['shape'])) * dtype.itemsize
        arrays[entry['name']] = np.frombuffer(body[at:at + length], dtype).reshape(entry['shape'])
        at += -(-length // 64) * 64
    assert at == len(body)
    np.testing.assert_array_equal(arrays['depth'], full_result().depth)
    np.testing.assert_array_equal(arrays['preview'], full_result().preview)
    assert header['units'] == 'm' and header['request_id'] == 'request 7'


def test_the_reader_printed_in_the_document_works() -> None:
    document = (Path(__file__).parents[2] / 'docs' / 'wire-format.md').read_text()
    names: dict[str, Any] = {}
    exec(document.split('```python\n')[1].split('```')[0], names)
    header, arrays = names['read']((GOLDEN / 'depth_result.body').read_bytes())
    assert header['model'] == 'da3-tiny'
    result = full_result()
    for name in ('depth', 'confidence', 'sky', 'cloud', 'preview'):
        np.testing.assert_array_equal(arrays[name], getattr(result, name).reshape(-1))


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('shape', [(), (0, 3), (1,), (3, 5), (2, 3, 4, 5)])
def test_every_type_and_shape_comes_back_equal_both_ways(
    dtype: str, shape: tuple[int, ...],
) -> None:
    array = pattern(shape, dtype)
    message = Message({'a': 1}, {'one': array, 'two': array})
    for back in (from_parts(to_parts(message)), from_body(b''.join(to_body(message)))):
        assert back.header == {'a': 1} and list(back.arrays) == ['one', 'two']
        for seen in back.arrays.values():
            assert seen.dtype == array.dtype and seen.shape == shape
            np.testing.assert_array_equal(seen, array)


@pytest.mark.parametrize('array', [
    pattern((3, 4), 'uint8')[:, ::-1], np.asfortranarray(pattern((3, 4), 'float32')),
    pattern((3, 4), '>u2')], ids=['mirrored', 'fortran', 'big-endian'])
def test_arrays_of_any_layout_are_written_in_c_order_and_little_endian(array: Any) -> None:
    back = from_parts(to_parts(Message({}, {'a': array}))).arrays['a']
    np.testing.assert_array_equal(back, array)
    assert back.flags.c_contiguous and back.dtype.byteorder in '=|<'


def test_nothing_is_copied_in_either_direction() -> None:
    array = pattern((30, 40), 'float32')
    parts = to_parts(Message({}, {'a': array}))
    assert np.shares_memory(np.frombuffer(parts[1], np.uint8), array)
    assert np.shares_memory(np.frombuffer(to_body(Message({}, {'a': array}))[1], np.uint8), array)
    assert np.shares_memory(from_parts(parts).arrays['a'], array)
    body = b''.join(to_body(Message({}, {'a': array})))
    seen = from_body(body).arrays['a']
    assert np.shares_memory(seen, np.frombuffer(body, np.uint8)) and not seen.flags.writeable


def test_the_first_byte_tells_the_forms_apart() -> None:
    message = Message({}, {'a': pattern((2,), 'uint8')})
    assert is_pickle(write({'command': 'ping'})) and is_pickle(memoryview(b'\x80\x02N.'))
    for data in (b''.join(to_body(message)), bytes(to_parts(message)[0]), b''):
        assert not is_pickle(data)
    assert bytes(to_parts(message)[0][:1]) == b'{'
    assert is_body(body_of({}))
    assert not is_body(b'\x80\x04}.' + b'DAR1') and not is_body(b'DAR') and not is_body(b'')


def test_arrays_that_cannot_be_sent_are_named() -> None:
    for array in (np.array([{}]), np.zeros(2, complex), np.array(['a'])):
        with pytest.raises(InvalidRequest, match='cannot be sent'):
            to_parts(Message({}, {'a': array}))
    with pytest.raises(ValueError):
        to_parts(Message({'a': float('nan')}))


ONE = {'name': 'a', 'dtype': 'uint8', 'shape': [2, 2]}

WRONG_BODIES: dict[str, bytes] = {
    'empty': b'', 'magic only': b'DAR1', 'other magic': b'DAR2' + bytes(60),
    'header beyond the end': b'DAR1' + struct.pack('<I', 120) + b'{}'.ljust(56),
    'header that is not padded': b'DAR1' + struct.pack('<I', 2) + b'{}',
    'no JSON': body_of(b'hello'), 'two JSON': body_of(b'{}{}'), 'a list': body_of([]),
    'not UTF-8': body_of(b'{"a":"\xff"}'), 'NaN': body_of(b'{"a":NaN}'),
    'infinity': body_of(b'{"a":1e999}'), 'huge int': body_of(b'{"a":' + b'1' * 21 + b'}'),
    'deep': body_of(b'[' * 50_000), 'deep objects': body_of(b'{"a":' * 10_000),
    'arrays is a text': body_of({'arrays': 'a'}), 'an array is a text': body_of({'arrays': ['a']}),
    'no name': body_of({'arrays': [{**ONE, 'name': 1}]}, bytes(64)),
    'empty name': body_of({'arrays': [{**ONE, 'name': ''}]}, bytes(64)),
    'long name': body_of({'arrays': [{**ONE, 'name': 'a' * 65}]}, bytes(64)),
    'same name': body_of({'arrays': [ONE, ONE]}, bytes(128)),
    'object type': body_of({'arrays': [{**ONE, 'dtype': 'object'}]}, bytes(64)),
    'type code': body_of({'arrays': [{**ONE, 'dtype': '<u4'}]}, bytes(64)),
    'type is a list': body_of({'arrays': [{**ONE, 'dtype': ['a']}]}, bytes(64)),
    'no shape': body_of({'arrays': [{'name': 'a', 'dtype': 'uint8'}]}, bytes(64)),
    'negative shape': body_of({'arrays': [{**ONE, 'shape': [-2, -2]}]}, bytes(64)),
    'float shape': body_of({'arrays': [{**ONE, 'shape': [2.0, 2]}]}, bytes(64)),
    'bool shape': body_of({'arrays': [{**ONE, 'shape': [True, 4]}]}, bytes(64)),
    'huge shape': body_of({'arrays': [{**ONE, 'shape': [2**31 - 1] * 4}]}, bytes(64)),
    'huge empty shape': body_of({'arrays': [{**ONE, 'shape': [0, 2**31 - 1, 2**31 - 1, 9]}]}),
    'five sides': body_of({'arrays': [{**ONE, 'shape': [1] * 5}]}, bytes(64)),
    'array beyond the end': body_of({'arrays': [ONE]}),
    'array that is not padded': body_of({'arrays': [ONE]}, bytes(4)),
    'bytes after the arrays': body_of({'arrays': [ONE]}, bytes(128)),
}


@pytest.mark.parametrize('name', WRONG_BODIES)
def test_a_wrong_body_is_refused_with_a_short_reason(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        from_body(WRONG_BODIES[name])
    assert 10 < len(str(caught.value)) < 400


def test_a_body_cut_off_anywhere_is_refused() -> None:
    body = (GOLDEN / 'depth_result.body').read_bytes()
    for size in range(len(body)):
        with pytest.raises(InvalidRequest):
            from_body(body[:size])


def test_parts_must_fit_their_header() -> None:
    header, data = to_parts(Message({}, {'a': pattern((2, 2), 'uint8')}))
    assert from_parts([header, data]).arrays['a'].shape == (2, 2)
    for parts in ([], [header], [header, data, data], [header, b'abc'], [b'{}', data], [data]):
        with pytest.raises(InvalidRequest):
            from_parts(parts)


def test_every_limit_refuses_what_is_beyond_it() -> None:
    message = Message({}, {'a': np.zeros(64, np.uint8), 'b': np.zeros(64, np.uint8)})
    parts, body = to_parts(message), b''.join(to_body(message))
    total = sum(len(part) for part in parts)
    assert from_parts(parts, Limits(message_bytes=total, header_bytes=len(parts[0]), arrays=2))
    assert from_body(body, Limits(message_bytes=len(body), header_bytes=120, arrays=2))
    for limits in (Limits(message_bytes=total - 1), Limits(header_bytes=len(parts[0]) - 1),
                   Limits(arrays=1)):
        with pytest.raises(PayloadTooLarge):
            from_parts(parts, limits)
    for limits in (Limits(message_bytes=len(body) - 1), Limits(header_bytes=119),
                   Limits(arrays=1)):
        with pytest.raises(PayloadTooLarge):
            from_body(body, limits)


BODY = (GOLDEN / 'depth_result.body').read_bytes()


@settings(max_examples=500, deadline=None, database=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, len(BODY) - 1), st.binary(min_size=1, max_size=4)),
                min_size=1, max_size=5), st.integers(0, len(BODY)))
def test_a_damaged_body_is_read_or_refused(edits: list[tuple[int, bytes]], size: int) -> None:
    body = bytearray(BODY)
    for at, data in edits:
        body[at:at + len(data)] = data
    for damaged in (bytes(body), bytes(body[:size])):
        try:
            message = from_body(damaged)
            depth_reply(message)
        except (InvalidRequest, PayloadTooLarge):
            continue
        assert all(array.nbytes <= len(BODY) for array in message.arrays.values())
