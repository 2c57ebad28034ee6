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

"""A depth map as a colour picture."""

from __future__ import annotations

from depth_anything_ros.core.preview import colourise
import numpy as np
import pytest


def test_near_is_warm_far_is_cold_and_invalid_is_black() -> None:
    depth = np.geomspace(1, 20, 100, dtype=np.float32)[None].repeat(4, 0)
    depth[0] = np.nan
    depth[1] = [-1, 0, np.inf, -np.inf] * 25
    picture = colourise(depth)
    assert picture.dtype == np.uint8 and picture.shape == (4, 100, 3)
    assert not picture[:2].any()
    near, far = picture[3, 3].astype(int), picture[3, -10].astype(int)
    assert near[0] > near[2], 'near is red rather than blue'
    assert far[2] > far[0], 'far is blue rather than red'


@pytest.mark.parametrize('depth', [
    np.full((3, 4), np.nan, np.float32), np.zeros((3, 4), np.float32)])
def test_nothing_valid_is_all_black(depth: np.ndarray) -> None:
    assert not colourise(depth).any()


def test_a_flat_wall_and_a_single_pixel_work() -> None:
    assert colourise(np.full((3, 4), 2.5, np.float32)).any()
    assert colourise(np.full((1, 1), 1e-9, np.float32)).shape == (1, 1, 3)


def test_fixed_limits_give_fixed_colours() -> None:
    first = np.array([[1.0, 2.0, 4.0]], np.float32)
    second = np.array([[1.0, 2.0, 400.0]], np.float32)
    one, two = (colourise(each, nearest=1.0, farthest=10.0) for each in (first, second))
    np.testing.assert_array_equal(one[:, :2], two[:, :2])
    assert not np.array_equal(colourise(first)[:, :2], colourise(second)[:, :2])


@pytest.mark.parametrize('fill', [2.5, np.nan])
def test_the_picture_is_made_in_given_memory(fill: float) -> None:
    depth = np.full((3, 4), fill, np.float32)
    depth[0] = [1.0, 2.0, 3.0, np.nan]
    given = np.full((3, 4, 3), 7, np.uint8)
    assert colourise(depth, out=given) is given
    np.testing.assert_array_equal(given, colourise(depth))
