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

from __future__ import annotations

from depth_anything_ros.core.voxels import thinned, voxel_keys
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import pytest


def some_cloud(count: int = 5000) -> np.ndarray:
    random = np.random.default_rng(3)
    cloud = np.empty((count, 4), np.float32)
    cloud[:, :3] = random.uniform(-2, 2, (count, 3))
    cloud.view(np.uint32)[:, 3] = np.arange(count)  # a colour that tells the points apart
    return cloud


def test_one_point_per_voxel_and_it_is_the_one_nearest_to_the_centre() -> None:
    cloud, size = some_cloud(), np.float32(0.5)
    best: dict[tuple[int, ...], tuple[float, int]] = {}
    for i, point in enumerate(cloud[:, :3]):
        voxel = np.floor(point / size)
        distance = float((((point / size) - voxel - np.float32(0.5)) ** 2).sum())
        key = tuple(voxel.astype(int))
        if key not in best or distance < best[key][0] - 1e-7:
            best[key] = distance, i
    expected = sorted(index for _, index in best.values())
    assert thinned(cloud, 0.5).view(np.uint32)[:, 3].tolist() == expected
    assert len(expected) == 8 ** 3


def test_the_same_cloud_gives_the_same_points_in_any_order() -> None:
    cloud = some_cloud()
    shuffled = cloud[np.random.default_rng(4).permutation(len(cloud))]
    first = thinned(cloud, 0.3).view(np.uint32)[:, 3]
    assert sorted(first) == sorted(thinned(shuffled, 0.3).view(np.uint32)[:, 3])
    assert (np.diff(first.astype(int)) > 0).all(), 'the order of the list is kept'


def test_of_equally_near_points_the_first_stays() -> None:
    cloud = np.array([[0.2, 0.5, 0.5, 1], [0.8, 0.5, 0.5, 2], [0.2, 0.5, 0.5, 3]], np.float32)
    assert thinned(cloud, 1.0)[:, 3].tolist() == [1]
    assert thinned(cloud[::-1].copy(), 1.0)[:, 3].tolist() == [3]


def test_zero_is_a_border_and_not_the_middle_of_a_voxel_of_double_size() -> None:
    cloud = np.array([[-0.1, 0.1, 0.1, 1], [0.1, 0.1, 0.1, 2]], np.float32)
    assert len(thinned(cloud, 1.0)) == 2


def test_far_apart_voxels_do_not_share_a_key() -> None:
    corners = np.array([[x, y, z] for x in (-900, 900) for y in (-900, 900)
                        for z in (-900, 0, 900)], np.float32)
    keys, _ = voxel_keys(corners, 0.001)
    assert len(set(keys.tolist())) == 12


def test_a_small_voxel_keeps_everything_and_an_empty_cloud_stays_empty() -> None:
    cloud = some_cloud(200)
    assert (thinned(cloud, 1e-4).view(np.uint32) == cloud.view(np.uint32)).all()
    assert thinned(cloud[:0], 0.1).shape == (0, 4)
    assert len(thinned(cloud, 10.0)) == 8


@pytest.mark.parametrize('size', [0.0, -1.0, float('nan'), float('inf'), 1e-7])
def test_sizes_that_cannot_be_are_refused(size: float) -> None:
    with pytest.raises(InvalidRequest, match='voxel size'):
        thinned(some_cloud(10), size)


def test_a_point_that_is_not_finite_is_refused() -> None:
    cloud = some_cloud(10)
    cloud[3, 1] = np.nan
    with pytest.raises(InvalidRequest, match='finite'):
        thinned(cloud, 0.1)
