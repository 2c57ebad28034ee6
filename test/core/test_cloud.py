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

"""The cloud with options, against what the words of every option say."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud import make_cloud, point_depth, trusted_depth
from depth_anything_ros.core.cloud_options import CloudOptions, ScanOptions
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.placement import Mount, placed, Placement
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import pytest

CAMERA = Intrinsics(40.0, 42.0, 19.0, 16.0, 40, 30)
RGB = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def scene() -> np.ndarray:
    depth = np.random.default_rng(1).uniform(1, 8, (30, 40)).astype(np.float32)
    depth[:5] = np.nan
    return depth


def cloud_of(options: CloudOptions, depth: np.ndarray | None = None, **more: Any) -> np.ndarray:
    of_points = point_depth(scene() if depth is None else depth, CAMERA, options,
                            **{'to_level': Mount().to_level, **more})
    return make_cloud(of_points, CAMERA, RGB, options, more.get('placement'))


def test_without_options_it_is_the_plain_cloud() -> None:
    plain = organised_cloud(scene(), CAMERA, RGB)
    np.testing.assert_array_equal(
        cloud_of(CloudOptions()).view(np.uint32), plain.view(np.uint32))


def test_a_list_has_the_valid_points_in_order_and_no_nan() -> None:
    plain, found = organised_cloud(scene(), CAMERA, RGB), cloud_of(CloudOptions(dense=True))
    np.testing.assert_array_equal(
        found.view(np.uint32), plain[5:].reshape(-1, 4).view(np.uint32))


def test_stride_takes_every_nth_pixel_with_its_own_colour() -> None:
    plain, found = organised_cloud(scene(), CAMERA, RGB), cloud_of(CloudOptions(stride=3))
    np.testing.assert_array_equal(
        found.view(np.uint32), plain[::3, ::3].view(np.uint32))


def test_without_colour_a_point_has_three_values() -> None:
    np.testing.assert_array_equal(
        cloud_of(CloudOptions(color=False)), organised_cloud(scene(), CAMERA, RGB)[..., :3])


def test_voxels_keep_measured_points_one_per_cube() -> None:
    every, found = cloud_of(CloudOptions(dense=True)), cloud_of(CloudOptions(voxel_size=0.5))
    assert 0 < len(found) < len(every)
    cubes = np.floor(found[:, :3] / np.float32(0.5))
    assert len(np.unique(cubes, axis=0)) == len(found)
    assert {bytes(point) for point in found} <= {bytes(point) for point in every}


def test_range_is_a_distance_and_not_a_depth() -> None:
    found = cloud_of(CloudOptions(nearest=2.0, farthest=5.0))
    points = unproject(scene(), CAMERA)
    length = np.linalg.norm(points, axis=-1)
    expected = (length >= 2) & (length <= 5)
    np.testing.assert_array_equal(np.isfinite(found[..., 2]), expected)
    assert (expected != ((points[..., 2] >= 2) & (points[..., 2] <= 5))).any()


def test_height_counts_upwards_from_the_ground_of_the_mount() -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    over_camera = -unproject(depth, CAMERA)[..., 1]
    options = CloudOptions(lowest=0.1, highest=0.4)
    low, high = (np.isfinite(cloud_of(options, depth, to_level=Mount(height).to_level)[..., 2])
                 for height in (0.0, 0.3))
    np.testing.assert_array_equal(low, (over_camera >= 0.1) & (over_camera <= 0.4))
    np.testing.assert_array_equal(high, (over_camera >= -0.2) & (over_camera <= 0.1))


def test_a_pitched_camera_sees_the_floor_at_height_zero() -> None:
    mount = Mount(height=1.2, pitch_deg=30.0)
    up = np.array(mount.to_level)[2]
    rays = unproject(np.ones((30, 40), np.float32), CAMERA)
    depth = (-mount.height / (rays @ up[:3])).astype(np.float32)
    assert (depth > 0).all()
    found = cloud_of(CloudOptions(lowest=-0.01, highest=0.01), depth, to_level=mount.to_level)
    assert np.isfinite(found[..., :3]).all()
    levelled = placed(found[..., :3], mount.to_level)
    assert (levelled[..., 0] > 0).all(), 'the floor lies in front of the camera'
    np.testing.assert_allclose(levelled[..., 2], 0, atol=1e-5)
    assert np.isnan(cloud_of(
        CloudOptions(lowest=-0.01, highest=0.01), depth, to_level=Mount(1.2).to_level)).any()


def test_the_surest_points_stay() -> None:
    confidence = np.random.default_rng(2).uniform(1, 9, (30, 40)).astype(np.float32)
    found = trusted_depth(scene(), confidence, CloudOptions(confidence_percentile=40.0))
    valid = np.isfinite(scene())
    threshold = np.percentile(confidence[valid], 40, method='higher')
    np.testing.assert_array_equal(np.isfinite(found), valid & (confidence >= threshold))
    assert trusted_depth(scene(), None, CloudOptions(confidence_percentile=40.0)).sum() != 0


def test_points_between_two_surfaces_go() -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    depth[:, 21:] = 6.0
    depth[:, 20] = 4.0
    found = trusted_depth(depth, None, CloudOptions(edge_filter=True))
    assert np.isnan(found[:, 20]).all() and np.isfinite(np.delete(found, 20, axis=1)).all()


def test_clearing_points_lie_on_their_rays_and_pass_every_filter() -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    beyond = np.zeros((30, 40), bool)
    depth[:4], beyond[:4] = np.nan, True
    depth[4] = 7.0
    options = CloudOptions(farthest=6.0, lowest=-0.1, highest=0.1)
    found = cloud_of(options, depth, beyond=beyond, far_distance=9.0)[..., :3]
    rays = unproject(np.ones((30, 40), np.float32), CAMERA)
    np.testing.assert_allclose(np.linalg.norm(found[:5], axis=-1), 9.0, rtol=1e-6)
    np.testing.assert_allclose(
        found[:5] / found[:5, :, 2:], rays[:5], rtol=1e-5, atol=1e-6)
    others = np.isfinite(found[5:, :, 2])
    assert others.any() and not others.all(), 'measured points are filtered as always'
    assert np.isnan(cloud_of(options, depth)[:5, :, :3]).all()


def test_points_in_another_frame_keep_range_and_are_banded_there() -> None:
    # Camera 1 m up at x = 3, looking along x: the usual optical rotation.
    placement = Placement.from_pose('base', (3.0, 0.0, 1.0), (-0.5, 0.5, -0.5, 0.5))
    depth = np.full((30, 40), 2.0, np.float32)
    found = cloud_of(CloudOptions(), depth, placement=placement.matrix)[..., :3]
    points = unproject(depth, CAMERA)
    np.testing.assert_allclose(found[..., 0], 5.0, rtol=1e-6)
    np.testing.assert_allclose(found[..., 1], -points[..., 0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[..., 2], 1 - points[..., 1], rtol=1e-5, atol=1e-6)
    band = cloud_of(CloudOptions(lowest=0.9, highest=1.1), depth, placement=placement.matrix)
    np.testing.assert_array_equal(
        np.isfinite(band[..., 2]), np.abs(points[..., 1]) <= np.float32(0.1))
    near = cloud_of(CloudOptions(farthest=2.05), depth, placement=placement.matrix)
    np.testing.assert_array_equal(
        np.isfinite(near[..., 2]), np.linalg.norm(points, axis=-1) <= 2.05)


def test_a_quaternion_of_any_length_is_a_rotation() -> None:
    turn = np.array(Placement.from_pose('a', (0, 0, 0), (0.0, 0.0, 2.0, 2.0)).matrix)
    np.testing.assert_allclose(
        turn, [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]], atol=1e-12)


@pytest.mark.parametrize(('make', 'words'), [
    (lambda: CloudOptions(stride=0), 'stride'),
    (lambda: CloudOptions(voxel_size=-1.0), 'voxel size'),
    (lambda: CloudOptions(nearest=5.0, farthest=2.0), 'nearest < farthest'),
    (lambda: CloudOptions(lowest=1.0, highest=1.0), 'lowest < highest'),
    (lambda: CloudOptions(confidence_percentile=100.0), 'percentile'),
    (lambda: ScanOptions(nearest=3.0, farthest=2.0), 'nearest < farthest'),
    (lambda: ScanOptions(farthest=float('inf')), 'farthest < inf|farthest'),
    (lambda: Mount(pitch_deg=91.0), 'pitch'),
    (lambda: Mount(height=float('nan')), 'height'),
    (lambda: Placement('a', ((1.0, 0.0, 0.0, float('nan')),) * 3), 'finite 3x4'),
    (lambda: Placement.from_pose('a', (0, 0, 0), (0, 0, 0, 0)), 'rotation'),
])
def test_what_cannot_be_meant_is_refused(make: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        make()
