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

"""Hostile pickles are refused: nothing runs, memory stays flat, the work is bounded."""

from __future__ import annotations

import os
from pathlib import Path
import sys
import tracemalloc
from typing import Any

from attacks import ARRAY, array, code_calls, corpus, FLOATS, P4, pil, text
from depth_anything_ros.errors import ConfigError, InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.pickle_machine import STEPS
from depth_anything_ros.wire.pickled import read
import numpy as np
import pytest
from wire_parts import PICKLES

CORPUS = corpus()

EVERY_BYTE = 'WIRE_FUZZ_EXAMPLES' in os.environ
"""Set by the long run (docs/wire-format.md): a few minutes instead of a few seconds."""

CALLS_PER_OPERATION = 40
"""Function calls, ours and built-in, that one operation may take on average."""


def refusal(data: bytes) -> str:
    with pytest.raises((InvalidRequest, PayloadTooLarge)) as caught:
        read(data)
    return str(caught.value)


def calls_of_reading(data: bytes) -> int:
    """Return how many function calls reading takes: the work, without a clock."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ('call', 'c_call')

    sys.setprofile(count)
    try:
        read(data)
    except (InvalidRequest, PayloadTooLarge):
        pass
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize('name', CORPUS)
def test_hostile_pickle_is_refused_with_a_short_reason(name: str) -> None:
    message = refusal(CORPUS[name])
    assert 10 < len(message) < 400 and '\n' not in message


@pytest.mark.parametrize('name', CORPUS)
def test_hostile_pickle_costs_no_memory_beyond_its_own_size(name: str) -> None:
    data = CORPUS[name]
    tracemalloc.start()
    try:
        refusal(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**20 + 2 * len(data)


@pytest.mark.parametrize('name', CORPUS)
def test_hostile_pickle_costs_no_more_work_than_its_operations(name: str) -> None:
    data = CORPUS[name]
    operations = min(len(data), DEFAULT_LIMITS.operations)
    assert calls_of_reading(data) < 500 + CALLS_PER_OPERATION * operations


def test_no_code_runs(tmp_path: Path) -> None:
    touched = tmp_path / 'touched'
    for name, data in code_calls(str(touched)).items():
        refusal(data)
        assert not touched.exists(), name


def test_a_refused_name_is_named() -> None:
    assert "'os.system'" in refusal(P4 + b'cos\nsystem\n)R.')
    assert 'PERSID' in refusal(P4 + b'Pabc\n.')
    name = b'cnumpy\nndarray\n'
    assert 'arguments of a call' in refusal(P4 + name + name + b'\x85\x860.')
    assert 'again and again' in refusal(CORPUS['encode again and again'])
    assert refusal(CORPUS['a deeper Pillow name']).startswith('pickle names')
    assert 'byte 6' in refusal(CORPUS['tuple through a mark'])
    assert "'I;16'" in refusal(CORPUS['image of an unknown mode'])


def test_nothing_is_imported() -> None:
    before = set(sys.modules)
    refusal(P4 + b'cthis\ns\n.')
    refusal(P4 + b'cantigravity\nfly\n)R.')
    read(P4 + pil('L', 1, 1, b'C\x01a') + b'.')
    assert set(sys.modules) == before


@pytest.mark.parametrize('path', PICKLES, ids=lambda path: path.stem)
def test_a_request_cut_off_anywhere_is_refused(path: Path) -> None:
    data = path.read_bytes()
    step = 1 if EVERY_BYTE or path.stem in ('numpy-1.24.4-p2', 'numpy-2.4.6-p5') else 61
    for size in range(0, len(data), step):
        with pytest.raises(InvalidRequest):
            read(data[:size])


@pytest.mark.parametrize('path', PICKLES, ids=lambda path: path.stem)
def test_a_request_with_any_byte_changed_is_read_or_refused(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for index in range(0, len(data), 1 if EVERY_BYTE else 97):
        kept = data[index]
        for other in (kept ^ 0xFF, kept ^ 1):
            data[index] = other
            try:
                read(data)
            except (InvalidRequest, PayloadTooLarge):
                pass
        data[index] = kept


def test_every_limit_refuses_what_is_beyond_it() -> None:
    message = P4 + b'}(' + text('a') + b'](K\x01K\x02eu.'
    operations = 10
    assert read(message, Limits(
        message_bytes=len(message), operations=operations, depth=2, nodes=4, text_bytes=1,
        entries=1)) == {'a': [1, 2]}
    for limits in (Limits(message_bytes=len(message) - 1), Limits(operations=operations - 1),
                   Limits(depth=1), Limits(nodes=3)):
        with pytest.raises(PayloadTooLarge):
            read(message, limits)
    with pytest.raises(PayloadTooLarge):
        read(P4 + b'}(K\x01K\x02K\x03K\x04u.', Limits(entries=1))
    with pytest.raises(InvalidRequest, match='text of 3 bytes'):
        read(P4 + text('abc') + b'.', Limits(text_bytes=2))
    with pytest.raises(PayloadTooLarge, match='3x4 pixels'):
        read(P4 + pil('L', 3, 4, b'C\x0cabcdabcdabcd') + b'.', Limits(pixels=11))


def test_a_limit_that_lets_nothing_through_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match='operations'):
        Limits(operations=0)


def test_the_building_blocks_of_the_attacks_are_read_when_they_are_right() -> None:
    np.testing.assert_array_equal(
        read(P4 + array(b'K\x01\x85', b'C\x04' + np.float32(2).tobytes()) + b'.'),
        np.array([2], np.float32))
    assert read(P4 + pil('L', 2, 1, b'C\x02ab') + b'.').rgb().tolist() == [[[97] * 3, [98] * 3]]
    recalled = read(P4 + ARRAY + b'\x94(K\x01K\x01\x85' + FLOATS + b'\x89C\x04abcdtbh\x00\x86.')
    assert isinstance(recalled, tuple) and recalled[0] is recalled[1]
    stored_anew = read(P4 + ARRAY + b'q\x00(K\x01q\x00K\x01\x85' + FLOATS + b'\x89C\x04abcdtb'
                       b'h\x00\x86.')
    assert isinstance(stored_anew, tuple) and stored_anew[1] == 1
    assert read(P4 + text('x' * 200_000) + b'.') == 'x' * 200_000


def test_bytes_of_protocol_2_are_read_beyond_the_text_limit() -> None:
    content = bytes(range(256)) * 10
    encoded = P4 + b'c_codecs\nencode\n' + text(content.decode('latin1')) + text('latin1') \
        + b'\x86R.'
    assert read(encoded, Limits(text_bytes=100)) == content


def test_refused_opcodes_are_the_dangerous_ones() -> None:
    assert len(STEPS) == 38
    for code in b'PQRio\x81\x92\x82\x83\x84\x97\x98':
        assert (code in STEPS) == (code in b'R\x81')
