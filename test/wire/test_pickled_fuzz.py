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

"""
Random pickles: plain values come back equal, everything else is read or refused, never worse.

``WIRE_FUZZ_EXAMPLES`` sets the number of inputs of each of the first three tests;
docs/wire-format.md has the long run.
"""

from __future__ import annotations

import math
import os
import pickle
import pickletools
import struct
from typing import Any

from attacks import ARRAY
from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.inert import MARKS
from depth_anything_ros.wire.limits import DEFAULT_LIMITS
from depth_anything_ros.wire.pickle_machine import CODES, STEPS
from depth_anything_ros.wire.pickled import read, write
from depth_anything_ros.wire.pillow import PillowImage
from golden_values import plain_values
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import PIL.Image
from wire_parts import one_by_one, spelled

EXAMPLES = int(os.environ.get('WIRE_FUZZ_EXAMPLES', '400'))

FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, database=None,
    derandomize='WIRE_FUZZ_EXAMPLES' not in os.environ,
    suppress_health_check=list(HealthCheck))


def seeds() -> list[bytes]:
    """Return small true requests to start from, in every protocol."""
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    picture = PIL.Image.fromarray(image)
    values = [
        {'command': 'ping'},
        {'command': 'inference', 'image': image, 'process_res': 504},
        {'image': np.asfortranarray(image), 'mirrored': image[:, ::-1], 'scalar': np.float32(1)},
        {'image': picture, 'palette': picture.quantize(3)},
        {'image': image.astype('>u2').transpose(1, 0, 2), 'k': np.eye(3), 'bytes': b'abc'},
        {key: value for key, value in plain_values().items() if key in ('nested', 'numbers')},
    ]
    return [unframed(pickle.dumps(value, protocol))
            for value in values for protocol in range(2, 6)]


def unframed(data: bytes) -> bytes:
    """Return a pickle without its frame, whose length every edit would break."""
    return data[:2] + data[11:] if data[2] == CODES['FRAME'] else data


def opcodes_of(data: bytes) -> list[bytes]:
    """Return the body of a pickle cut between its opcodes, without PROTO and STOP."""
    starts = [position for _, _, position in pickletools.genops(data)]
    return [data[start:end] for start, end in zip(starts[1:-1], starts[2:])]


SEEDS = seeds()

SEED_OPCODES = [opcodes_of(data) for data in SEEDS]

NAMES = st.sampled_from([
    'numpy ndarray', 'numpy dtype', 'numpy.core.multiarray _reconstruct', '_codecs encode',
    'numpy._core.multiarray scalar', 'numpy._core.numeric _frombuffer', 'builtins bytearray',
    '__builtin__ bytes', 'PIL.Image Image', 'PIL.PngImagePlugin PngImageFile',
    'PIL.PngImagePlugin iTXt', 'PIL.TiffImagePlugin IFDRational', 'fractions Fraction',
    'os system'])

WORDS = st.sampled_from(['u1', 'f4', 'f8', '<', '>', '|', 'C', 'F', 'K', 'latin1', 'RGB', 'L', ''])


def counted(code: str, size: str, data: bytes) -> bytes:
    return bytes([CODES[code]]) + struct.pack(size, len(data)) + data


OPCODE = st.one_of(
    st.sampled_from([bytes([code]) for code in sorted(STEPS)]),
    st.sampled_from([b'N', b'(', b')', b'}', b']', b'\x88', b'\x89', b'\x94', b'\x85', b'\x86',
                     b'\x87', b't', b'R', b'b', b'\x81', b'e', b'u', b's', b'a', b'.']),
    st.integers(0, 255).map(lambda value: b'K' + bytes([value])),
    st.integers(0, 12).map(lambda value: b'h' + bytes([value])),
    st.integers(-2**31, 2**31 - 1).map(lambda value: b'J' + struct.pack('<i', value)),
    st.binary(max_size=12).map(lambda data: counted('SHORT_BINBYTES', '<B', data)),
    WORDS.map(lambda word: counted('SHORT_BINUNICODE', '<B', word.encode())),
    NAMES.map(lambda name: b'c' + name.replace(' ', '\n').encode() + b'\n'),
    st.sampled_from([b'(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb']),
    st.sampled_from([ARRAY, b'cnumpy\ndtype\n\x8c\x02f4\x89\x88\x87R']),
    st.integers(0, 255).map(lambda value: bytes([value])),
)

EDIT = st.tuples(
    st.sampled_from(['replace', 'insert', 'delete', 'repeat', 'graft']),
    st.floats(0, 1, exclude_max=True), st.integers(1, 24), st.binary(min_size=1, max_size=6),
    st.sampled_from(SEEDS))

EXCHANGE = st.tuples(
    st.sampled_from(['replace', 'insert', 'delete', 'repeat', 'swap', 'graft']),
    st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True),
    st.sampled_from(SEED_OPCODES), st.integers(1, 6))

SIDES = st.lists(st.integers(0, 4), max_size=4).map(tuple)

PLAIN = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-2**63, 2**63 - 1), st.floats(),
        st.text(st.characters(exclude_categories=['Cs']), max_size=20), st.binary(max_size=40),
        st.tuples(SIDES, st.sampled_from(['u1', 'i4', 'f4', 'f8', '?', '>u2']),
                  st.sampled_from('CF'), st.integers(0, 99)).map(
            lambda made: np.random.default_rng(made[3]).integers(0, 2, made[0]).astype(
                made[1]).copy(order=made[2])),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(st.characters(exclude_categories=['Cs']), max_size=8), inner,
                        max_size=4)),
    max_leaves=12)


def edited(data: bytes, edit: tuple[str, float, int, bytes, bytes]) -> bytes:
    kind, where, size, new, other = edit
    at = int(where * len(data))
    if kind == 'replace':
        return data[:at] + new + data[at + len(new):]
    if kind == 'insert':
        return data[:at] + new + data[at:]
    if kind == 'delete':
        return data[:at] + data[at + size:]
    if kind == 'repeat':
        return data[:at] + data[at:at + size] * 3 + data[at + size:]
    start = int(where * len(other))
    return data[:at] + other[start:start + 4 * size] + data[at:]


def exchanged(opcodes: list[bytes], exchange: Any) -> list[bytes]:
    kind, where, other_where, others, size = exchange
    at = int(where * len(opcodes))
    from_at = int(other_where * len(others))
    if kind == 'replace':
        return [*opcodes[:at], others[from_at], *opcodes[at + 1:]]
    if kind == 'insert':
        return [*opcodes[:at], others[from_at], *opcodes[at:]]
    if kind == 'delete':
        return opcodes[:at] + opcodes[at + 1:]
    if kind == 'repeat':
        return opcodes[:at] + opcodes[at:at + size] * 2 + opcodes[at + size:]
    if kind == 'swap' and len(opcodes) > at + 1:
        return [*opcodes[:at], opcodes[at + 1], opcodes[at], *opcodes[at + 2:]]
    return opcodes[:at] + others[from_at:from_at + 5 * size] + opcodes[at:]


def count_values(value: Any, depth: int = 1) -> int:
    """Return how many values there are, after checking that each may be handed out."""
    assert not isinstance(value, MARKS)
    assert depth <= DEFAULT_LIMITS.depth + 1
    if isinstance(value, dict):
        assert all(type(key) in (str, int) for key in value)
        return 1 + sum(count_values(item, depth + 1) for item in value.values())
    if isinstance(value, (list, tuple)):
        return 1 + sum(count_values(item, depth + 1) for item in value)
    if isinstance(value, np.ndarray):
        assert value.dtype.kind in 'biuf' and not value.flags.writeable
        value.sum(dtype=np.float64)
    elif isinstance(value, PillowImage):
        assert value.width * value.height <= DEFAULT_LIMITS.pixels
    else:
        assert value is None or isinstance(value, (bool, int, float, str, memoryview, np.generic))
    return 1


def check(data: bytes) -> None:
    """Read anything: a plain value comes out, or one of our refusals, by whichever way."""
    expected = one_by_one(data)
    try:
        value = read(data)
    except (InvalidRequest, PayloadTooLarge) as error:
        assert str(error) and expected == (type(error), str(error))
        return
    assert count_values(value) <= DEFAULT_LIMITS.nodes
    assert spelled(value) == expected


def same(seen: Any, expected: Any, byte_order: bool = True) -> bool:
    if isinstance(expected, np.ndarray):
        dtype = expected.dtype if byte_order else expected.dtype.newbyteorder('<')
        return bool(seen.dtype == dtype and seen.shape == expected.shape
                    and np.array_equal(seen, expected))
    if isinstance(expected, dict):
        return list(seen) == list(expected) and all(
            same(seen[key], expected[key], byte_order) for key in expected)
    if isinstance(expected, (list, tuple)):
        return type(seen) is type(expected) and len(seen) == len(expected) and all(
            same(part, other, byte_order) for part, other in zip(seen, expected))
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(seen, float) and math.isnan(seen)
    return bool(seen == expected)


@FUZZ
@given(st.sampled_from(SEEDS), st.lists(EDIT, min_size=1, max_size=6))
def test_a_damaged_request_is_read_or_refused(
    data: bytes, edits: list[tuple[str, float, int, bytes, bytes]],
) -> None:
    body = data[2:]
    for edit in edits:
        body = edited(body, edit)
    check(data[:2] + body)


@FUZZ
@given(st.sampled_from(SEED_OPCODES), st.lists(EXCHANGE, min_size=1, max_size=4))
def test_a_request_with_opcodes_exchanged_is_read_or_refused(
    opcodes: list[bytes], exchanges: list[Any],
) -> None:
    for exchange in exchanges:
        opcodes = exchanged(opcodes, exchange)
    check(b'\x80\x05' + b''.join(opcodes) + b'.')


@FUZZ
@given(st.sampled_from([2, 3, 4, 5]), st.lists(OPCODE, max_size=60))
def test_random_opcodes_are_read_or_refused(protocol: int, opcodes: list[bytes]) -> None:
    check(bytes([0x80, protocol]) + b''.join(opcodes) + b'.')


@settings(FUZZ, max_examples=max(100, EXAMPLES // 20))
@given(PLAIN, st.sampled_from([2, 3, 4, 5]))
def test_plain_values_come_back_equal(value: Any, protocol: int) -> None:
    assert same(read(pickle.dumps(value, protocol)), value)
    # Our own bytes, as a client loads them; arrays are little-endian in every reply.
    loaded = pickle.loads(write(value))
    assert same(loaded, value, byte_order=False)
    assert same(read(write(value)), loaded)
