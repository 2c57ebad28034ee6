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

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.filters import dense, surest
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import pytest

CAMERA = Intrinsics(100.0, 100.0, 40.0, 30.0, 81, 61)


def cloud_of(depth: np.ndarray) -> np.ndarray:
    colours = np.arange(depth.size * 3, dtype=np.uint8).reshape(*depth.shape, 3)
    return organised_cloud(depth.astype(np.float32), CAMERA, colours)


def wall(distance: float = 2.0) -> np.ndarray:
    depth = np.full((61, 81), distance)
    depth[10:20, 30:40] = np.nan
    return depth


def test_the_surest_share_is_kept_among_valid_pixels_only() -> None:
    confidence = np.arange(1, 101, dtype=np.float32).reshape(10, 10)
    valid = np.ones((10, 10), bool)
    valid[9] = False  # the ten surest have no depth
    kept = surest(confidence, 20.0, valid)
    assert np.array_equal(confidence[kept], np.arange(73, 91))
    assert (surest(confidence, 100.0, valid) == valid).all()
    equal = np.ones((10, 10), np.float32)
    assert (surest(equal, 1.0, valid) == valid).all()
    confidence[0, 0] = np.nan
    assert not surest(confidence, 100.0, valid)[0, 0]
    assert not surest(confidence, 50.0, np.zeros((10, 10), bool)).any()
    assert surest(confidence, 0.001, valid).sum() == 1


def test_dense_has_every_valid_point_once_in_row_order() -> None:
    depth = wall()
    depth[0, 0] = np.inf
    cloud = cloud_of(depth)
    points = dense(cloud)
    assert points.shape == (81 * 61 - 101, 4) and points.flags.c_contiguous
    assert np.isfinite(points[:, :3]).all()
    assert (points[0].view(np.uint32) == cloud[0, 1].view(np.uint32)).all()
    colours = points.view(np.uint32)[:, 3]
    valid = np.isfinite(depth)
    assert (colours == cloud.view(np.uint32)[..., 3][valid]).all()
    assert len(dense(cloud[::2, ::2])) == np.isfinite(depth[::2, ::2]).sum()


@pytest.mark.parametrize('percent', [0.0, 101.0])
def test_a_share_out_of_range_is_refused(percent: float) -> None:
    with pytest.raises(InvalidRequest, match='seen'):
        surest(np.ones((2, 2), np.float32), percent, np.ones((2, 2), bool))
