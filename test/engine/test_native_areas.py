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

"""Shrinking by areas in a compiled pass is OpenCV's, bit for bit, and upstream's as a whole."""

import platform

import cv2
from depth_anything_ros.core.processed_size import Plan, plan
from depth_anything_ros.engine import native, native_areas
from depth_anything_ros.engine.native_areas import by_broken_ratio, NativeAreas
from depth_anything_ros.engine.preprocess import normalised_on_host, process
import numpy as np
import pytest
import torch

APART = 0 if platform.machine() == 'x86_64' else 1
"""Grey levels: OpenCV for other processors may add and multiply in one rounding."""

LAYOUTS = ['whole', 'padded', 'end', 'bgr', 'upside down', 'every other']
CAMERAS = [
    ((640, 480), 504), ((1920, 1080), 504), ((1280, 720), 504), ((848, 480), 504),
    ((641, 479), 504), ((3840, 2160), 504), ((640, 480), 252), ((1001, 137), 504),
    ((640, 480), 700), ((504, 378), 504), ((1008, 756), 504), ((510, 500), 504)]


@pytest.fixture(scope='module')
def prepare():
    kernels, problem = native.load()
    assert kernels is not None, problem
    return NativeAreas(kernels)


def picture(random, width, height, layout):
    """Return an image as cameras hand it over: whole, with padded rows, a part, or turned."""
    wide = random.integers(0, 256, (height + 3, 2 * width + 5, 3), np.uint8)
    if random.random() < 0.3:
        wide[wide < 128], wide[wide >= 128] = 0, 255
    return {
        'whole': wide[:height, :width].copy(), 'padded': wide[:height, :width],
        'end': wide[3:, -width:], 'bgr': wide[:height, :width, ::-1],
        'upside down': wide[:height, :width][::-1],
        'every other': wide[:height, :2 * width:2]}[layout]


def assert_same(found, expected):
    pixels, values = found
    assert pixels.dtype == np.uint8 and pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).max() <= APART
    assert torch.equal(values, normalised_on_host(pixels))


@pytest.mark.parametrize('seed', range(80))
def test_shrinking_is_that_of_opencv(prepare, seed):
    random = np.random.default_rng(seed)
    source = tuple(int(side) for side in random.integers(2, 500, 2))
    target = tuple(int(random.integers(max(1, side // 7), side + 1)) for side in source)
    rgb = picture(random, *source, LAYOUTS[seed % len(LAYOUTS)])
    expected = cv2.resize(np.ascontiguousarray(rgb), target, interpolation=cv2.INTER_AREA)
    assert_same(prepare(rgb, Plan(target, target, target, (0, 0))), expected)


@pytest.mark.parametrize('size, longest', CAMERAS)
@pytest.mark.parametrize('method', [
    'upper_bound_resize', 'upper_bound_crop', 'lower_bound_crop'])
def test_an_image_is_that_of_upstream(prepare, size, longest, method):
    random = np.random.default_rng(longest)
    steps = plan(*size, longest if method.startswith('upper') else 252, method)
    for layout in ('padded', 'bgr'):
        rgb = picture(random, *size, layout)
        assert_same(prepare(rgb, steps), process(np.ascontiguousarray(rgb), steps))


def test_other_resizes_are_left_to_opencv(prepare, monkeypatch):
    ratios = {((640, 480), (504, 378)): True, ((504, 284), (504, 280)): True,
              ((640, 480), (640, 480)): False, ((640, 480), (320, 160)): False,
              ((640, 480), (504, 490)): False}
    assert {each: by_broken_ratio(*each) for each in ratios} == ratios
    left, opencv = [], native_areas.upstream_resized

    def noted(image, size):
        left.append(size)
        return opencv(image, size)

    monkeypatch.setattr(native_areas, 'upstream_resized', noted)
    prepare(np.zeros((1080, 1920, 3), np.uint8), plan(1920, 1080, 504, 'upper_bound_resize'))
    assert left == []
    prepare(np.zeros((480, 640, 3), np.uint8), plan(640, 480, 700, 'upper_bound_resize'))
    assert len(left) >= 1
