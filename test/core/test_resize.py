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

"""Resizing depth: linear on surfaces, never a surface where there is none."""

from __future__ import annotations

import cv2
from depth_anything_ros.core.resize import resize_depth, resize_nearest, sample_positions
import numpy as np
import pytest

SIZES = [(64, 48), (37, 29), (13, 7), (200, 31), (1, 1)]


def surface(width: int = 40, height: int = 30) -> np.ndarray:
    v, u = np.mgrid[:height, :width].astype(np.float32)
    return 5 + 0.02 * u + 0.03 * v


@pytest.mark.parametrize('size', SIZES)
def test_a_smooth_surface_is_resized_as_opencv_does(size: tuple[int, int]) -> None:
    depth = surface()
    expected = cv2.resize(depth, size, interpolation=cv2.INTER_LINEAR)
    found = resize_depth(depth, *size)
    assert found.dtype == np.float32 and found.shape == size[::-1]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_same_size_changes_nothing() -> None:
    depth = surface()
    depth[0, 0] = np.nan
    np.testing.assert_array_equal(resize_depth(depth, 40, 30), depth)
    np.testing.assert_array_equal(resize_nearest(depth, 40, 30), depth)


@pytest.mark.parametrize('size', SIZES)
def test_no_value_lies_between_an_object_and_what_is_behind_it(size: tuple[int, int]) -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    depth[:, 17:] = 8.0
    depth[10:, :5] = np.nan
    found = resize_depth(depth, *size)
    assert np.isin(found[np.isfinite(found)], (2.0, 8.0)).all()


def test_holes_neither_grow_nor_shrink_by_more_than_half_a_pixel() -> None:
    depth = surface()
    depth[10:20, 10:20] = np.nan
    found = resize_depth(depth, 160, 120)
    assert np.array_equal(np.isnan(found), np.isnan(resize_nearest(depth, 160, 120)))
    assert np.isnan(found).sum() == 16 * 100
    assert np.isfinite(found[:40]).all()


def test_the_edge_ratio_decides_what_is_one_surface() -> None:
    depth = np.array([[1.0, 1.09]], np.float32)
    assert np.unique(resize_depth(depth, 8, 1)).size > 2
    assert np.unique(resize_depth(depth, 8, 1, edge_ratio=1.05)).size == 2


def test_nearest_takes_the_pixel_below() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(
        resize_nearest(values, 6, 4), np.repeat(np.repeat(values, 2, 0), 2, 1))


def test_positions_stay_inside() -> None:
    for source in (1, 2, 5, 100):
        for target in (1, 2, 7, 333):
            low, high, weight = sample_positions(source, target)
            assert low.shape == high.shape == weight.shape == (target,)
            assert low.min() >= 0 and high.max() < source
            assert ((weight >= 0) & (weight <= 1)).all()
