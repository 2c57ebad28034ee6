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

import math

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.filters import (
    dense,
    heights,
    invalidated,
    strided,
    surest,
    within_height,
    within_range,
)
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


def test_range_is_the_length_of_the_ray_not_depth() -> None:
    cloud = cloud_of(wall())
    limit = 2.0 * math.sqrt(1 + 0.3 ** 2)  # a circle of 30 pixels around the optical axis
    inside = within_range(cloud, 0.0, limit + 1e-5)
    u, v = np.meshgrid(np.arange(81) - 40, np.arange(61) - 30)
    assert (inside == ((u ** 2 + v ** 2 <= 30 ** 2) & np.isfinite(wall()))).all()
    assert not (within_range(cloud, limit - 1e-5, 10.0) & (u ** 2 + v ** 2 < 30 ** 2)).any()


def test_height_of_a_level_camera_is_up_from_its_optical_axis() -> None:
    cloud = cloud_of(wall())
    height = heights(cloud)
    assert height[30, 40] == 0 and height[0, 40] == pytest.approx(0.6)
    kept = within_height(cloud, -0.2, 0.3)
    rows = np.flatnonzero(kept[:, 5])
    assert (rows[0], rows[-1]) == (15, 40)
    assert not kept[15:20, 30:40].any()


def test_height_follows_the_transform_of_a_tilted_camera() -> None:
    # A camera 1.2 m above the floor, looking 20 degrees down: every floor point has height 0.
    pitch = math.radians(20)
    up = np.array([0, -math.cos(pitch), -math.sin(pitch), 1.2])
    to_level = np.vstack([[0, 0, 1, 0], [-1, 0, 0, 0], up])
    ray_x, ray_y = CAMERA.rays()
    steepness = -(up[1] * ray_y[:, None] + up[2] + 0 * ray_x[None, :])
    floor = cloud_of(1.2 / steepness)
    assert np.allclose(heights(floor, to_level), 0, atol=1e-5)
    raised = cloud_of((1.2 - 0.3) / steepness)  # the plane 0.3 m over it
    assert within_height(floor, 0.1, 2.0, to_level).sum() == 0
    assert within_height(raised, 0.1, 2.0, to_level).all()
    assert np.ptp(heights(floor)) > 0.3, 'without the transform the floor is a slope'


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


def test_stride_takes_the_same_points_without_a_copy() -> None:
    cloud = cloud_of(wall())
    every = strided(cloud, 3)
    assert every.shape == (21, 27, 4) and np.shares_memory(every, cloud)
    assert (every[2, 5].view(np.uint32) == cloud[6, 15].view(np.uint32)).all()
    assert strided(cloud, 1).shape == cloud.shape


def test_invalidated_keeps_the_form_and_the_colour() -> None:
    cloud = cloud_of(wall())
    keep = np.zeros((61, 81), bool)
    keep[30:, :] = True
    result = invalidated(cloud, keep)
    assert np.isnan(result[:30, :, :3]).all() and np.isfinite(result[30:, :, :3]).all()
    assert (result.view(np.uint32)[..., 3] == cloud.view(np.uint32)[..., 3]).all()
    assert np.isfinite(cloud[0, 0, :3]).all(), 'the input is left alone'


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
    keep = np.zeros(depth.shape, bool)
    keep[0:2] = True
    assert len(dense(cloud, keep)) == 2 * 81 - 1
    assert len(dense(strided(cloud, 2), strided(keep, 2))) == 40


@pytest.mark.parametrize('call', [
    lambda: within_range(cloud_of(wall()), 2.0, 2.0),
    lambda: within_range(cloud_of(wall()), -1.0, 2.0),
    lambda: within_height(cloud_of(wall()), 1.0, math.nan),
    lambda: heights(cloud_of(wall()), np.eye(4)),
    lambda: heights(cloud_of(wall()), np.full((3, 4), np.nan)),
    lambda: surest(np.ones((2, 2), np.float32), 0.0, np.ones((2, 2), bool)),
    lambda: surest(np.ones((2, 2), np.float32), 101.0, np.ones((2, 2), bool)),
    lambda: strided(cloud_of(wall()), 0),
])
def test_parameters_out_of_range_are_refused(call: object) -> None:
    with pytest.raises(InvalidRequest, match='seen'):
        call()  # type: ignore[operator]
