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

"""Intrinsics through crops, binning and resizes."""

from __future__ import annotations

import math

from depth_anything_ros.core.camera import from_camera_info, Intrinsics
from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import pytest

K = (500.0, 0.0, 310.0, 0.0, 510.0, 250.0, 0.0, 0.0, 1.0)
CAMERA = Intrinsics(500.0, 510.0, 310.0, 250.0, 640, 480)


def project(camera: Intrinsics, point: tuple[float, float, float]) -> tuple[float, float]:
    x, y, z = point
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy


def test_k_and_p_give_the_same_camera() -> None:
    p = (*K[:3], -35.0, *K[3:6], 0.0, *K[6:], 0.0)
    assert Intrinsics.from_matrix(K, 640, 480) == CAMERA
    assert Intrinsics.from_matrix(p, 640, 480) == CAMERA
    assert Intrinsics.from_matrix(np.array(p).reshape(3, 4), 640, 480) == CAMERA
    assert np.array_equal(CAMERA.matrix().ravel(), K)


@pytest.mark.parametrize('count', [0, 8, 10, 16])
def test_a_matrix_has_9_or_12_values(count: int) -> None:
    with pytest.raises(InvalidIntrinsics, match=f'seen {count}'):
        Intrinsics.from_matrix([1.0] * count, 640, 480)


@pytest.mark.parametrize(('values', 'words'), [
    ((0.0, 500.0, 1.0, 1.0, 640, 480), 'uncalibrated'),
    ((500.0, -1.0, 1.0, 1.0, 640, 480), 'must be positive'),
    ((math.nan, 500.0, 1.0, 1.0, 640, 480), 'not finite'),
    ((500.0, 500.0, math.inf, 1.0, 640, 480), 'not finite'),
    ((500.0, 500.0, 1.0, 1.0, 0, 480), 'at least 1x1'),
])
def test_what_cannot_be_a_camera_is_refused(
    values: tuple[float, float, float, float, int, int], words: str,
) -> None:
    with pytest.raises(InvalidIntrinsics, match=words):
        Intrinsics(*values)


def test_a_field_of_view_spans_the_image() -> None:
    camera = Intrinsics.from_fov(90.0, 640, 480)
    assert camera.focal == pytest.approx(320)
    assert project(camera, (1, 0, 1))[0] == pytest.approx(640)
    assert (camera.cx, camera.cy) == (320, 240)
    for wrong in (0.0, 180.0, -5.0, math.nan):
        with pytest.raises(InvalidIntrinsics, match='between 0 and 180'):
            Intrinsics.from_fov(wrong, 640, 480)


def test_a_resize_scales_pixels_by_the_plain_ratio() -> None:
    small = CAMERA.resized(320, 120)
    u, v = project(CAMERA, (0.3, -0.2, 2.0))
    assert project(small, (0.3, -0.2, 2.0)) == pytest.approx((u / 2, v / 4))
    assert small.size == (320, 120)
    assert small.focal == pytest.approx((250 + 127.5) / 2)
    back = small.resized(640, 480)
    assert back.matrix() == pytest.approx(CAMERA.matrix())


def test_a_crop_moves_the_principal_point() -> None:
    window = CAMERA.cropped(100, 50, 200, 300)
    u, v = project(CAMERA, (0.1, 0.1, 1.0))
    assert project(window, (0.1, 0.1, 1.0)) == pytest.approx((u - 100, v - 50))
    assert window.size == (200, 300)


@pytest.mark.parametrize('window', [(-1, 0, 10, 10), (0, -1, 10, 10), (631, 0, 10, 10),
                                    (0, 471, 10, 10), (0, 0, 641, 480)])
def test_a_crop_stays_inside(window: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidIntrinsics, match='leaves the image of 640x480'):
        CAMERA.cropped(*window)


def test_rays_undo_the_projection() -> None:
    x, y = CAMERA.rays()
    assert x.dtype == y.dtype == np.float32
    assert (x.shape, y.shape) == ((640,), (480,))
    for u, v in ((0, 0), (310, 250), (639, 479)):
        assert project(CAMERA, (x[u] * 3, y[v] * 3, 3)) == pytest.approx((u, v), abs=1e-3)


def test_camera_info_is_cropped_then_binned() -> None:
    assert from_camera_info(K, 640, 480) == CAMERA
    assert from_camera_info(K, 640, 480, binning=(1, 1), roi=(7, 7, 0, 0)) == CAMERA
    camera = from_camera_info(K, 640, 480, binning=(2, 4), roi=(100, 50, 320, 240))
    assert camera.size == (160, 60)
    assert camera.fx == 250 and camera.fy == 127.5
    assert camera.cx == (310 - 100) / 2 and camera.cy == (250 - 50) / 4
