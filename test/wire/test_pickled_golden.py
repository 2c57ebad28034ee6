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

"""Pickles written by real numpy and Pillow of four generations come back equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depth_anything_ros.wire.pickled import read
from depth_anything_ros.wire.pillow import PillowImage
from golden_values import plain_values
import numpy as np
import pytest
from wire_parts import GOLDEN, PICKLES


def assert_same(seen: Any, expected: Any) -> None:
    if isinstance(expected, np.ndarray):
        assert isinstance(seen, np.ndarray)
        assert seen.dtype == expected.dtype and seen.shape == expected.shape
        np.testing.assert_array_equal(seen, expected)
    elif isinstance(expected, dict):
        assert list(seen) == list(expected)
        for key in expected:
            assert_same(seen[key], expected[key])
    elif isinstance(expected, (bytes, bytearray)):
        assert isinstance(seen, memoryview) and seen.readonly and seen == expected
    else:
        assert type(seen) is type(expected) and seen == expected


def test_there_are_files_of_every_generation() -> None:
    names = {path.name for path in PICKLES}
    for version in ('numpy-1.24', 'numpy-1.26', 'numpy-2.0', 'numpy-2.4',
                    'pillow-9', 'pillow-10', 'pillow-11', 'pillow-13'):
        for protocol in range(2, 6):
            assert any(name.startswith(version) and name.endswith(f'-p{protocol}.pkl')
                       for name in names), (version, protocol)


@pytest.mark.parametrize('path', sorted(GOLDEN.glob('numpy-*.pkl')), ids=lambda path: path.stem)
def test_a_request_of_real_numpy_comes_back_equal(path: Path) -> None:
    assert_same(read(path.read_bytes()), plain_values())


@pytest.mark.parametrize('path', sorted(GOLDEN.glob('pillow-*.pkl')), ids=lambda path: path.stem)
def test_images_of_real_pillow_become_what_pillow_makes_of_them(path: Path) -> None:
    value = read(path.read_bytes())
    assert isinstance(value, dict)
    images = {name: image for name, image in value.items() if not name.endswith(':rgb')}
    assert len(images) == 16
    for name, image in images.items():
        assert isinstance(image, PillowImage), name
        rgb = image.rgb()
        assert rgb.dtype == np.uint8 and rgb.shape == (5, 9, 3), name
        np.testing.assert_array_equal(rgb, value[f'{name}:rgb'], err_msg=name)


def test_arrays_share_the_memory_of_the_message() -> None:
    data = (GOLDEN / 'numpy-2.4.6-p4.pkl').read_bytes()
    whole = np.frombuffer(data, np.uint8)
    value = read(data)
    assert isinstance(value, dict)
    for name in ('image', 'same_image', 'rgba', 'fortran', 'batch'):
        assert np.shares_memory(value[name], whole), name
        assert not value[name].flags.writeable, name
    assert value['same_image'] is value['image']


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview])
def test_any_kind_of_buffer_is_read(kind: Any) -> None:
    data = (GOLDEN / 'numpy-2.4.6-p5.pkl').read_bytes()
    value = read(kind(data))
    assert isinstance(value, dict)
    assert_same(value['image'], plain_values()['image'])
    assert not value['image'].flags.writeable
