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

"""Pickles that differ in the pixels alone: quick, and never another answer than the machine's."""

from __future__ import annotations

import os
import pickle
from typing import Any

from depth_anything_ros.errors import DepthAnythingError
from depth_anything_ros.wire import pickled
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.pickle_again import KEPT, LONG, LONGEST_REST, Templates
from depth_anything_ros.wire.pickle_machine import Machine
from depth_anything_ros.wire.pickled import read
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest

# As in test_pickled_fuzz.py: the long run is in docs/wire-format.md.
EXAMPLES = int(os.environ.get('WIRE_FUZZ_EXAMPLES', '300'))

FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES == 300,
    suppress_health_check=list(HealthCheck))

K = np.array([[500.0, 0, 24], [0, 500, 20], [0, 0, 1]])


def request(seed: int = 0, **more: Any) -> dict[str, Any]:
    image = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), np.uint8)
    return {'command': 'inference', 'image': image, 'process_res': 504, 'metric': True,
            'intrinsics': K, 'scale': 0.5, 'none': None, **more}


def outcome(function: Any) -> Any:
    """Return what came of it in a form that can be compared."""
    try:
        value = function()
    except DepthAnythingError as error:
        return type(error), str(error)
    return [(key, item.dtype, item.shape, item.tobytes()) if isinstance(item, np.ndarray)
            else (key, type(item), item) for key, item in value.items()]


def by_machine(data: bytes) -> Any:
    return outcome(Machine(memoryview(data), DEFAULT_LIMITS).run)


def primed(value: Any, protocol: int) -> tuple[Templates, bytes]:
    data = pickle.dumps(value, protocol)
    templates = Templates()
    templates.remember(
        memoryview(data), DEFAULT_LIMITS, Machine(memoryview(data), DEFAULT_LIMITS).run())
    return templates, data


def again(templates: Templates, data: bytes) -> Any:
    """Return what a remembering reader says: what it remembers, else what the machine says."""
    found = templates.find(memoryview(data), DEFAULT_LIMITS)
    return by_machine(data) if found is None else outcome(lambda: found)


@pytest.mark.parametrize('protocol', [3, 4, 5])
@pytest.mark.parametrize('form', [
    lambda image: image, np.asfortranarray, lambda image: image.transpose(1, 0, 2),
    lambda image: image.astype('>u2'), lambda image: image.astype(np.float32)])
def test_other_pixels_are_read_as_the_machine_reads_them(protocol: int, form: Any) -> None:
    templates, _ = primed(request(image=form(request(0)['image'])), protocol)
    data = pickle.dumps(request(image=form(request(1)['image'])), protocol)
    found = templates.find(memoryview(data), DEFAULT_LIMITS)
    assert found is not None
    assert outcome(lambda: found) == by_machine(data)
    np.testing.assert_equal(found, pickle.loads(data))
    image, camera = found['image'], found['intrinsics']
    assert isinstance(image, np.ndarray) and isinstance(camera, np.ndarray)
    assert np.shares_memory(image, np.frombuffer(data, np.uint8))
    assert not image.flags.writeable and not camera.flags.writeable
    found.clear()
    assert templates.find(memoryview(data), DEFAULT_LIMITS)


@pytest.mark.parametrize('protocol', [3, 4, 5])
def test_a_change_of_any_other_byte_changes_the_answer_as_it_does_for_the_machine(
    protocol: int,
) -> None:
    templates, data = primed(request(), protocol)
    start = data.index(request()['image'].tobytes())
    end = start + request()['image'].nbytes
    for position in (*range(start), *range(end, len(data))):
        for flip in (0x01, 0x80):
            changed = bytearray(data)
            changed[position] ^= flip
            assert templates.find(memoryview(changed), DEFAULT_LIMITS) is None
        assert again(templates, data[:position]) == by_machine(data[:position])
    for more in (b'', b'.', b'\0'):
        assert again(templates, data + more) == by_machine(data + more)


@FUZZ
@given(st.data())
def test_random_damage_has_the_same_outcome_whether_remembered_or_not(draw: Any) -> None:
    templates, data = primed(request(), draw.draw(st.sampled_from([2, 3, 4, 5])))
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        position = draw.draw(st.integers(0, len(changed) - 1))
        size = draw.draw(st.sampled_from([0, 1, 1, 1, 2]))
        changed[position:position + 1] = draw.draw(st.binary(min_size=size, max_size=size))
    assert again(templates, bytes(changed)) == by_machine(bytes(changed))


def test_what_is_not_a_dict_of_plain_values_and_one_image_is_not_remembered() -> None:
    image = request()['image']
    for value in (
            [image], request(other=image + 1), request(images=[image]), request(data=b'x' * 9),
            request(nested={'a': 1}), request(text='x' * (LONGEST_REST + 1)),
            {'image': image[:2, :2]}, request(same=image)):
        templates, data = primed(value, 4)
        assert templates.find(memoryview(data), DEFAULT_LIMITS) is None


def test_other_limits_are_asked_again() -> None:
    templates, data = primed(request(), 4)
    assert templates.find(memoryview(data), Limits(operations=10)) is None
    read(data)
    with pytest.raises(DepthAnythingError, match='10 operations'):
        read(data, Limits(operations=10))


def test_few_messages_are_remembered_and_none_is_kept_in_memory() -> None:
    templates = Templates()
    for width in range(40, 40 + 3 * KEPT):
        data = bytearray(pickle.dumps({'image': np.zeros((40, width, 3), np.uint8), 'K': K}))
        view = memoryview(data).toreadonly()
        templates.remember(view, DEFAULT_LIMITS, Machine(view, DEFAULT_LIMITS).run())
        del view
        data.clear()  # refused while anybody holds a view of it
    assert len(templates._kept) == KEPT
    for template in templates._kept:
        assert len(template.head) + len(template.tail) < LONG


def test_a_video_is_not_walked_through_image_by_image(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []

    class Counted(Machine):

        def run(self) -> object:
            walked.append(1)
            return super().run()

    monkeypatch.setattr(pickled, 'Machine', Counted)
    monkeypatch.setattr(pickled, '_templates', Templates())
    for seed in range(20):
        value = read(pickle.dumps(request(seed), 4))
        assert isinstance(value, dict)
        np.testing.assert_array_equal(value['image'], request(seed)['image'])
    assert walked == [1]
