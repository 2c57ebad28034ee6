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

"""Points: the formula of depth_image_proc, the packed cloud, and PLY files."""

from __future__ import annotations

from pathlib import Path

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.pointcloud import organised_cloud, pack_rgb, POINT_STEP, write_ply
from depth_anything_ros.errors import InvalidImage, InvalidIntrinsics
import numpy as np
import pytest

CAMERA = Intrinsics(70.0, 75.0, 30.5, 22.25, 64, 48)


def some_depth() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.3, 20, (48, 64)).astype(np.float32)


def test_points_follow_the_formula_of_depth_image_proc() -> None:
    depth = some_depth()
    points = unproject(depth, CAMERA)
    v, u = np.mgrid[:48, :64].astype(np.float64)
    expected = np.stack(
        [(u - 30.5) * depth / 70.0, (v - 22.25) * depth / 75.0, depth], axis=-1)
    np.testing.assert_allclose(points, expected, rtol=1e-5, atol=1e-6)
    assert points.dtype == np.float32
    assert points[0, 63, 0] > 0 and points[47, 0, 1] > 0, 'x right, y down'


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_no_depth_no_point(value: float) -> None:
    depth = some_depth()
    depth[3, 4] = value
    points = unproject(depth, CAMERA)
    assert np.isnan(points[3, 4]).all()
    assert np.isfinite(points).sum() == 3 * (48 * 64 - 1)


def test_the_camera_must_be_of_this_depth_map() -> None:
    with pytest.raises(InvalidIntrinsics, match='64x48.*48x64'):
        unproject(some_depth().T, CAMERA)


def test_colours_are_packed_as_pcl_reads_them() -> None:
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [1, 2, 3]]], np.uint8)
    assert pack_rgb(rgb).tolist() == [[0xFF0000, 0x00FF00, 0x0000FF, 0x010203]]


def test_a_cloud_is_16_bytes_a_point_of_x_y_z_and_bgr0() -> None:
    depth = some_depth()
    rgb = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    cloud = organised_cloud(depth, CAMERA, rgb)
    data = cloud.tobytes()
    assert len(data) == 48 * 64 * POINT_STEP
    at = (5 * 64 + 7) * POINT_STEP
    np.testing.assert_array_equal(
        np.frombuffer(data, '<f4', 3, at), unproject(depth, CAMERA)[5, 7])
    assert tuple(data[at + 12:at + 16]) == (*rgb[5, 7][::-1], 0)
    with pytest.raises(InvalidImage, match='colour is'):
        organised_cloud(depth, CAMERA, rgb[:-1])


def test_a_ply_file_holds_the_finite_points(tmp_path: Path) -> None:
    depth = some_depth()
    depth[:10] = np.nan
    points = unproject(depth, CAMERA)
    rgb = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    count = write_ply(tmp_path / 'cloud.ply', points, rgb)
    assert count == 38 * 64
    header, _, body = (tmp_path / 'cloud.ply').read_bytes().partition(b'end_header\n')
    assert header.startswith(b'ply\nformat binary_little_endian 1.0\n')
    assert f'element vertex {count}\n'.encode() in header
    read = np.frombuffer(body, [('xyz', '<f4', 3), ('rgb', 'u1', 3)])
    np.testing.assert_array_equal(read['xyz'], points[10:].reshape(-1, 3))
    np.testing.assert_array_equal(read['rgb'], rgb[10:].reshape(-1, 3))


def test_an_empty_cloud_is_a_valid_ply_file(tmp_path: Path) -> None:
    empty = np.full((2, 2, 3), np.nan, np.float32)
    assert write_ply(tmp_path / 'e.ply', empty, np.zeros((2, 2, 3), np.uint8)) == 0
    assert b'element vertex 0\n' in (tmp_path / 'e.ply').read_bytes()
