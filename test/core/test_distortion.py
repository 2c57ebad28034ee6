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
from depth_anything_ros.core.distortion import check_distortion, rectification
from depth_anything_ros.errors import InvalidImage, InvalidIntrinsics
import numpy as np
import pytest

WIDTH, HEIGHT = 160, 120
K = [110.0, 0.0, 82.5, 0.0, 112.0, 57.5, 0.0, 0.0, 1.0]
P = [100.0, 0.0, 79.0, -8.0, 0.0, 101.0, 61.0, 0.0, 0.0, 0.0, 1.0, 0.0]
NO_ROTATION = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
LENSES = [
    ('plumb_bob', [-0.21, 0.06, 0.004, -0.003]),
    ('plumb_bob', [-0.21, 0.06, 0.004, -0.003, -0.01]),
    ('rational_polynomial', [0.3, -0.05, 0.001, -0.002, 0.01, 0.55, 0.02, 0.005]),
    ('equidistant', [-0.02, 0.006, -0.002, 0.0004]),
    ('fisheye', [-0.02, 0.006, -0.002, 0.0004]),
    ('equidistant', [0.0, 0.0, 0.0, 0.0]),
]


def turn(pitch: float, yaw: float) -> np.ndarray:
    about_x = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)],
                        [0, math.sin(pitch), math.cos(pitch)]])
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0],
                        [-math.sin(yaw), 0, math.cos(yaw)]])
    return about_x @ about_y


def distorted(model: str, d: list[float], x: float, y: float) -> tuple[float, float]:
    """Return the normalised image point of the ray (x, y, 1), written from the formulas."""
    r = math.hypot(x, y)
    if model in ('equidistant', 'fisheye'):
        theta = math.atan(r)
        bent = theta + sum(k * theta ** (2 * i + 3) for i, k in enumerate(d))
        scale = bent / r if r else 1.0
        return x * scale, y * scale
    k1, k2, p1, p2, k3, k4, k5, k6 = (*d, *[0.0] * (8 - len(d)))
    radial = (1 + k1 * r ** 2 + k2 * r ** 4 + k3 * r ** 6) / (
        1 + k4 * r ** 2 + k5 * r ** 4 + k6 * r ** 6)
    return (x * radial + 2 * p1 * x * y + p2 * (r ** 2 + 2 * x ** 2),
            y * radial + p1 * (r ** 2 + 2 * y ** 2) + 2 * p2 * x * y)


def raw_pixel(model: str, d: list[float], ray: np.ndarray) -> tuple[float, float]:
    x, y = distorted(model, d, ray[0] / ray[2], ray[1] / ray[2])
    return K[0] * x + K[2], K[4] * y + K[5]


@pytest.mark.parametrize('model,d', LENSES)
@pytest.mark.parametrize('rotation', [turn(0.0, 0.0), turn(0.02, -0.03)])
def test_a_rectified_pixel_is_where_the_written_formulas_project_its_ray(
    model: str, d: list[float], rotation: np.ndarray,
) -> None:
    maps = rectification(model, d, K, rotation.ravel(), P, WIDTH, HEIGHT)
    random = np.random.default_rng(1)
    for u, v in zip(random.integers(0, WIDTH, 60), random.integers(0, HEIGHT, 60)):
        rectified = np.array([(u - P[2]) / P[0], (v - P[6]) / P[5], 1.0])
        expected = raw_pixel(model, d, rotation.T @ rectified)
        assert (maps.map_x[v, u], maps.map_y[v, u]) == pytest.approx(expected, abs=2e-3)
    assert maps.map_x.dtype == maps.map_y.dtype == np.float32
    assert maps.intrinsics == Intrinsics.from_matrix(P, WIDTH, HEIGHT)


@pytest.mark.parametrize('model,d', LENSES)
def test_straight_lines_of_a_rendered_grid_come_back_straight(model: str, d: list[float]) -> None:
    def pattern(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        value = 127.5 + 60 * np.sin(18 * x) + 60 * np.sin(18 * y)
        return np.repeat(value[..., None], 3, axis=2).astype(np.uint8)

    # Render the distorted picture: each ray's colour is drawn where the lens puts it, by finding
    # the ray of each raw pixel with fixed-point iteration on the written formulas.
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    target_x, target_y = (u - K[2]) / K[0], (v - K[5]) / K[4]
    bend = np.vectorize(lambda x, y: distorted(model, d, x, y))
    x, y = target_x.copy(), target_y.copy()
    for _ in range(40):
        seen_x, seen_y = bend(x, y)
        x, y = x + target_x - seen_x, y + target_y - seen_y
    assert np.allclose(bend(x, y), (target_x, target_y), atol=1e-3)
    maps = rectification(model, d, K, NO_ROTATION, P, WIDTH, HEIGHT)
    rectified = maps.rectify(pattern(x, y))
    straight = pattern((u - P[2]) / P[0], (v - P[6]) / P[5])
    error = np.abs(rectified.astype(int) - straight.astype(int)).max(axis=2)
    assert np.percentile(error[maps.inside], 99) <= 3
    # The test tells rectified from not: the distorted picture itself is far off.
    unrectified = np.abs(pattern(x, y).astype(int) - straight.astype(int)).max(axis=2)
    assert np.percentile(unrectified[maps.inside], 50) > 20


def test_region_of_interest_and_binning_show_the_same_rays() -> None:
    model, d = LENSES[2]
    roi, binning = (20, 10, 120, 90), (2, 3)
    part = rectification(
        model, d, K, turn(0.02, 0.01).ravel(), P, WIDTH, HEIGHT, roi=roi, binning=binning)
    whole = rectification(model, d, K, turn(0.02, 0.01).ravel(), P, WIDTH, HEIGHT)
    assert part.intrinsics.size == (60, 30)
    for u, v in ((0, 0), (59, 29), (30, 7)):
        full_u, full_v = u * 2 + 20, v * 3 + 10
        assert part.map_x[v, u] * 2 + 20 == pytest.approx(whole.map_x[full_v, full_u], abs=2e-3)
        assert part.map_y[v, u] * 3 + 10 == pytest.approx(whole.map_y[full_v, full_u], abs=2e-3)


def test_pixels_that_the_camera_did_not_see_are_marked_and_black() -> None:
    wide = [40.0, 0.0, 80.0, 0.0, 0.0, 40.0, 60.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    maps = rectification('plumb_bob', [0.01, 0, 0, 0, 0], K, NO_ROTATION, wide, WIDTH, HEIGHT)
    assert not maps.inside[0, 0] and maps.inside[60, 80]
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    assert (maps.rectify(white)[0, 0] == 0).all()
    assert (maps.rectify(white)[maps.inside] == 255).all()


@pytest.mark.parametrize('model,d', [('plumb_bob', []), ('', [0.0] * 5), ('plumb_bob', [0.0] * 8)])
def test_a_camera_without_distortion_keeps_its_pixels(model: str, d: list[float]) -> None:
    maps = rectification(model, d, K, [0.0] * 9, [0.0] * 12, WIDTH, HEIGHT)
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    assert np.allclose(maps.map_x, u, atol=1e-4) and np.allclose(maps.map_y, v, atol=1e-4)
    assert maps.intrinsics == Intrinsics.from_matrix(K, WIDTH, HEIGHT)
    assert maps.inside.all()


@pytest.mark.parametrize('model,d,seen', [
    ('kannala_brandt', [0.1] * 4, "'kannala_brandt' is unknown"),
    ('', [0.1] * 4, "'' is unknown"),
    ('plumb_bob', [0.1] * 6, 'plumb_bob with 6'),
    ('rational_polynomial', [0.1] * 5, 'rational_polynomial with 5'),
    ('equidistant', [0.1] * 5, 'equidistant with 5'),
    ('fisheye', [], 'fisheye with 0'),
])
def test_what_is_refused_names_what_is_accepted(model: str, d: list[float], seen: str) -> None:
    with pytest.raises(InvalidIntrinsics, match=seen) as caught:
        check_distortion(model, d)
    for accepted in ('plumb_bob (4 or 5)', 'rational_polynomial (8)', 'equidistant (4)'):
        assert accepted in str(caught.value)


@pytest.mark.parametrize('bad', [
    {'d': [math.nan, 0, 0, 0]}, {'r': [1.0, 0, 0, 0, 1, 0, 0, 0, 2]}, {'r': [math.nan] * 9},
    {'r': [1.0, 0, 0, 0, 1, 0, 0, 0, -1]}, {'r': [1.0] * 4}, {'k': [0.0] * 9},
    {'p': [1.0] * 5},
])
def test_impossible_numbers_are_refused(bad: dict[str, list[float]]) -> None:
    values = {'d': [0.1] * 5, 'k': K, 'r': NO_ROTATION, 'p': P, **bad}
    with pytest.raises(InvalidIntrinsics):
        rectification('plumb_bob', values['d'], values['k'], values['r'], values['p'],
                      WIDTH, HEIGHT)


def test_an_image_of_another_size_is_refused() -> None:
    maps = rectification('plumb_bob', [0.1] * 5, K, NO_ROTATION, P, WIDTH, HEIGHT)
    with pytest.raises(InvalidImage, match='160x121'):
        maps.rectify(np.zeros((121, 160, 3), np.uint8))
