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

"""What every array of numpy begins with is done at once, and never otherwise than step by step."""

from __future__ import annotations

from dataclasses import replace
import pickle
import pickletools
from typing import Any

from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.pickle_machine import Machine, RUNS
import numpy as np
import pytest
from wire_parts import one_by_one, outcome, PICKLES

PROTOCOLS = (4, 5)

TYPES = ('?', 'u1', 'i1', '<u2', '>u2', '<i4', '<f2', '>f4', '<f8', '<i8')

IMAGE = np.arange(30, dtype=np.uint8).reshape(2, 5, 3)


def request(protocol: int, **more: Any) -> bytes:
    return pickle.dumps({'command': 'inference', 'image': IMAGE, **more}, protocol)


class Counting(Machine):
    """Counts the steps that known runs do at once."""

    at_once = 0

    def _known(self, length: int) -> bool:
        """Count the steps of the run, if it is one."""
        start = self.input.at - 2
        known = super()._known(length)
        if known:
            self.at_once += RUNS[bytes(self.input.data[start:start + length])].steps
        return known


@pytest.mark.parametrize('path', PICKLES, ids=lambda path: path.stem)
def test_the_pickles_of_all_generations_mean_the_same(path: Any) -> None:
    data = path.read_bytes()
    assert outcome(Machine, data) == one_by_one(data)


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_most_of_an_image_is_known(protocol: int) -> None:
    data = request(protocol)
    machine = Counting(memoryview(data), DEFAULT_LIMITS)
    machine.run()
    assert machine.at_once >= sum(1 for _ in pickletools.genops(data)) // 2


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_every_type_means_the_same(protocol: int) -> None:
    for name in TYPES:
        data = pickle.dumps([IMAGE.astype(name), IMAGE.astype(name).T], protocol)
        assert outcome(Machine, data) == one_by_one(data), name


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_a_later_array_recalls_what_an_earlier_one_has_named(protocol: int) -> None:
    data = request(protocol, more=[IMAGE.astype(np.float32), np.float64(2), IMAGE[:, ::-1]])
    assert isinstance(outcome(Machine, data)[1], list)
    assert outcome(Machine, data) == one_by_one(data)


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_the_limits_count_every_step_and_every_byte_of_text(protocol: int) -> None:
    data = request(protocol)
    for count in range(1, sum(1 for _ in pickletools.genops(data)) + 2):
        limits = replace(DEFAULT_LIMITS, operations=count)
        assert outcome(Machine, data, limits) == one_by_one(data, limits), count
    for count in range(1, 120):
        limits = Limits(text_bytes=count)
        assert outcome(Machine, data, limits) == one_by_one(data, limits), count


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_a_pickle_cut_or_changed_anywhere_means_the_same(protocol: int) -> None:
    data = request(protocol)
    for at in range(2, len(data)):
        assert outcome(Machine, data[:at]) == one_by_one(data[:at]), at
        for value in (0, ord('h'), ord('N'), data[at] ^ 1, data[at] + 1 & 255):
            other = data[:at] + bytes([value]) + data[at + 1:]
            assert outcome(Machine, other) == one_by_one(other), (at, value)


def test_numbers_of_the_pickles_own_are_not_run_over() -> None:
    run = max(RUNS, key=len)
    assert RUNS[run].takes == ''
    for head in (b'\x80\x04}\x94', b'\x80\x04}q\x00', b'\x80\x04}q\x05', b'\x80\x04}q\x03\x94'):
        for recalled in range(14):
            data = head + run + b'h' + bytes([recalled]) + b'.'
            assert outcome(Machine, data) == one_by_one(data), (head, recalled)


@pytest.mark.parametrize('below', [b'', b'N', b'\x8c\x05numbe', b'(', b'\x8c\x05numpy(', b'K\x05'])
def test_the_name_of_a_type_must_stand_below_it(below: bytes) -> None:
    run = next(run for run in RUNS if RUNS[run].takes)
    data = b'\x80\x04' + below + run + b'.'
    assert outcome(Machine, data) == one_by_one(data)
    assert outcome(Machine, data)[0].__name__ == 'InvalidRequest'
