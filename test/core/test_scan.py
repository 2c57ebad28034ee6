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
from depth_anything_ros.core.scan import scan_grid, scan_ranges
from depth_anything_ros.errors import InvalidIntrinsics, InvalidRequest
import numpy as np
import pytest

CAMERA = Intrinsics(100.0, 110.0, 75.0, 50.0, 161, 101)
GRID = scan_grid(CAMERA)
LIMITS = {'lowest': -0.3, 'highest': 0.2, 'nearest': 0.2, 'farthest': 8.0}


def angles() -> np.ndarray:
    return GRID.angle_min + GRID.angle_increment * np.arange(GRID.beams)


def flat(distance: float) -> np.ndarray:
    return np.full((101, 161), distance, np.float32)


def tilted(pitch_deg: float, height: float) -> np.ndarray:
    """Return the transform of a camera that looks down by an angle, from a height."""
    sine, cosine = math.sin(math.radians(pitch_deg)), math.cos(math.radians(pitch_deg))
    return np.array([[0, -sine, cosine, 0], [-1, 0, 0, 0], [0, -cosine, -sine, height]])


def test_angles_are_those_of_the_outer_columns_with_a_constant_increment() -> None:
    assert GRID.angle_max == pytest.approx(math.atan2(75, 100))
    assert GRID.angle_min == pytest.approx(-math.atan2(85, 100))
    assert angles()[-1] == pytest.approx(GRID.angle_max)
    assert set(GRID.beam.ravel()) == set(range(GRID.beams)), 'every beam has a column'
    assert (GRID.beam[:, 0] == GRID.beams - 1).all(), 'the left column is the last beam'
    assert 0.6 * 161 < GRID.beams <= 161


def test_a_wall_ahead_is_as_far_as_the_secant_of_the_angle() -> None:
    ranges = scan_ranges(flat(3.0), GRID, **LIMITS)
    expected = 3.0 / np.cos(angles())
    assert ranges.dtype == np.float32 and ranges.shape == (GRID.beams,)
    # A beam takes the nearest of the columns within half an increment of it.
    slack = 3.0 * np.tan(np.abs(angles())) / np.cos(angles()) * GRID.angle_increment + 1e-5
    assert (np.abs(ranges - expected) <= slack).all()


def test_a_wall_at_the_left_is_in_the_beams_of_positive_angle() -> None:
    ray_x, _ = CAMERA.rays()
    with np.errstate(divide='ignore'):
        depth = np.where(ray_x < 0, -1.0 / ray_x, np.nan)  # the plane one metre to the left
    ranges = scan_ranges(np.tile(depth.astype(np.float32), (101, 1)), GRID, **LIMITS)
    left = angles() > math.radians(10)
    expected = 1.0 / np.sin(angles()[left])
    assert np.abs(ranges[left] / expected - 1).max() < 0.06
    assert np.isnan(ranges[angles() < -0.01]).all()


def test_points_lie_where_their_beam_says() -> None:
    depth = flat(5.0)
    depth[:, 20] = 2.0  # a pole
    ranges = scan_ranges(depth, GRID, **LIMITS)
    beam = int(np.argmin(ranges))
    x, y = ranges[beam] * math.cos(angles()[beam]), ranges[beam] * math.sin(angles()[beam])
    assert x == pytest.approx(2.0, abs=0.02)
    assert y == pytest.approx((75 - 20) / 100 * 2.0, abs=0.02)


@pytest.mark.parametrize('row,seen', [(50, True), (60, True), (61, True), (75, False),
                                      (35, False), (42, True)])
def test_only_the_height_band_counts(row: int, seen: bool) -> None:
    # At 2 m a row of 1/110 is 18 mm high: the band of -0.3..0.2 m is rows 39 to 66.
    depth = flat(6.0)
    depth[row] = 2.0
    nearest = float(scan_ranges(depth, GRID, **LIMITS).min())
    assert (nearest < 3.0) == seen


def test_the_nearest_point_of_a_beam_wins() -> None:
    depth = flat(5.0)
    depth[48] = 3.0
    depth[52] = 4.0
    assert scan_ranges(depth, GRID, **LIMITS).min() == pytest.approx(3.0, abs=1e-3)


def test_beyond_too_close_and_unknown_are_told_apart() -> None:
    assert np.isposinf(scan_ranges(flat(20.0), GRID, **LIMITS)).all()
    assert np.isposinf(scan_ranges(flat(np.inf), GRID, **LIMITS)).all()
    assert np.isneginf(scan_ranges(flat(0.1), GRID, **LIMITS)).all()
    assert np.isnan(scan_ranges(flat(np.nan), GRID, **LIMITS)).all()
    assert np.isnan(scan_ranges(flat(0.0), GRID, **LIMITS)).all()
    mixed = flat(20.0)
    mixed[50] = 0.1  # the robot's own antenna hides nothing
    mixed[51] = 4.0
    assert scan_ranges(mixed, GRID, **LIMITS).min() == pytest.approx(4.0, abs=1e-3)
    mixed[51] = np.nan
    assert np.isneginf(scan_ranges(mixed, GRID, **LIMITS)).all(), 'never free when something is'


def test_a_far_wall_seen_only_above_the_band_says_nothing() -> None:
    depth = flat(np.nan)
    depth[:30] = 20.0  # rows that cross 8 m at more than 1.4 m over the camera
    assert np.isnan(scan_ranges(depth, GRID, **LIMITS)).all()


def test_a_tilted_camera_sees_the_wall_and_not_the_floor() -> None:
    to_level = tilted(25.0, 1.1)
    ray_x, ray_y = CAMERA.rays()
    forward = to_level[0, 1] * ray_y + to_level[0, 2]
    up = to_level[2, 1] * ray_y + to_level[2, 2]
    with np.errstate(divide='ignore'):
        floor = np.where(up < 0, -1.1 / up, np.inf)
    depth = np.repeat(np.minimum(floor, 3.0 / forward)[:, None], 161, axis=1).astype(np.float32)
    grid = scan_grid(CAMERA, to_level)
    limits = {'lowest': 0.05, 'highest': 1.0, 'nearest': 0.2, 'farthest': 8.0}
    ranges = scan_ranges(depth, grid, **limits)
    ahead = np.abs(angles()) < 0.5
    assert np.abs(ranges[ahead] * np.cos(angles()[ahead]) - 3.0).max() < 0.03
    only_floor = np.repeat(floor[:, None], 161, axis=1).astype(np.float32)
    seen = scan_ranges(only_floor, grid, **limits)
    assert not np.isfinite(seen).any()
    # Taken as level, the same camera would report the floor as an obstacle.
    level = scan_ranges(only_floor, GRID, lowest=-1.05, highest=0.0, nearest=0.2, farthest=8.0)
    assert np.isfinite(level).any()


def test_random_points_in_a_level_frame_come_back_in_their_beam() -> None:
    random = np.random.default_rng(5)
    to_level = tilted(10.0, 0.5)
    grid = scan_grid(CAMERA, to_level)
    depth = random.uniform(1, 6, (101, 161)).astype(np.float32)
    ray_x, ray_y = CAMERA.rays()
    optical = np.stack(np.broadcast_arrays(ray_x[None], ray_y[:, None], np.float32(1)), -1)
    points = (optical * depth[..., None]) @ to_level[:, :3].T + to_level[:, 3]
    expected = np.full(grid.beams, np.inf)
    for x, y, z in points.reshape(-1, 3):
        beam = round((math.atan2(y, x) - grid.angle_min) / grid.angle_increment)
        if 0.1 <= z <= 0.6 and 0 <= beam < grid.beams and math.hypot(x, y) <= 5.0:
            expected[beam] = min(expected[beam], math.hypot(x, y))
    ranges = scan_ranges(depth, grid, lowest=0.1, highest=0.6, nearest=0.0, farthest=5.0)
    finite = np.isfinite(expected)
    assert finite.sum() > 0.9 * grid.beams
    assert np.abs(ranges[finite] - expected[finite]).max() < 1e-4
    assert not np.isfinite(ranges[~finite]).any()


@pytest.mark.parametrize('bad', [
    {'lowest': 0.3}, {'nearest': 9.0}, {'nearest': -1.0}, {'farthest': math.inf},
    {'highest': math.nan},
])
def test_limits_out_of_order_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest, match='seen'):
        scan_ranges(flat(1.0), GRID, **{**LIMITS, **bad})


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidIntrinsics, match='161'):
        scan_ranges(flat(1.0)[:50], GRID, **LIMITS)
    with pytest.raises(InvalidRequest, match='3x4'):
        scan_grid(CAMERA, np.eye(4))
    with pytest.raises(InvalidIntrinsics, match='2 columns'):
        scan_grid(Intrinsics(100.0, 100.0, 0.0, 0.0, 1, 1))
