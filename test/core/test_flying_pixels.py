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

import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.flying_pixels import flying_pixels
from depth_anything_ros.core.resize import resize_depth
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.scenes.builder import demo_rooms
from depth_anything_ros.scenes.render import render
from depth_anything_ros.scenes.trajectory import camera_path
import numpy as np
import pytest

CAMERA = Intrinsics(150.0, 150.0, 80.0, 60.0, 160, 120)
WALL, BOX = 4.0, 1.5


def plane(normal: tuple[float, float, float], distance: float) -> np.ndarray:
    """Return the depth of the plane normal . p = distance, inf where no ray meets it."""
    ray_x, ray_y = CAMERA.rays()
    along = normal[0] * ray_x[None, :] + normal[1] * ray_y[:, None] + normal[2]
    with np.errstate(divide='ignore', invalid='ignore'):
        depth = distance / along
    return np.where(depth > 0, depth, np.inf).astype(np.float32)


def box_before_wall() -> np.ndarray:
    """Return a wall with a floor one metre under the camera and the front of a box."""
    depth = np.minimum(plane((0, 0, 1), WALL), plane((0, 1, 0), 1.0))
    box = plane((0, 0, 1), BOX)
    depth[40:90, 50:110] = box[40:90, 50:110]
    return depth


def blurred(depth: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return depth as a network smears it over the box's outline, and where it did."""
    kernel = np.ones(width + 1) / (width + 1)
    smear = cv2.sepFilter2D(depth, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    silhouette = np.zeros(depth.shape, np.uint8)
    silhouette[40:90, 50:110] = 1
    mixed = cv2.blur(silhouette.astype(np.float32), (width + 1, width + 1))
    mixed = (mixed > 1e-6) & (mixed < 1 - 1e-6)
    result = np.where(mixed, smear, depth)
    near_any = np.minimum(np.abs(result / depth - 1), np.abs(result / BOX - 1))
    return result, mixed & (near_any > 0.05)


@pytest.mark.parametrize('width', [1, 2])
def test_interpolated_points_go_and_true_points_stay(width: int) -> None:
    truth = box_before_wall()
    depth, invented = blurred(truth, width)
    assert invented.sum() > 100
    flying = flying_pixels(depth)
    assert flying[invented].mean() >= 0.95
    assert flying[~invented].mean() <= 0.01
    true_points = np.abs(depth / truth - 1) < 1e-6
    assert flying[true_points].mean() <= 0.001


@pytest.mark.parametrize('normal,distance', [
    ((0, 1, 0), 0.3),      # floor up to the horizon, depth doubling from row to row
    ((1, 0, 0), 0.5),      # wall along the line of sight
    ((0.7, 0.7, 0.05), 0.4),
    ((0, 0, 1), 2.0),
])
def test_no_plane_is_touched_however_slanted(
    normal: tuple[float, float, float], distance: float,
) -> None:
    depth = plane(normal, distance)
    depth[~np.isfinite(depth)] = np.nan
    assert np.isfinite(depth).sum() > 4000
    assert not flying_pixels(depth).any()


def test_a_clean_step_a_pole_and_the_rim_of_a_ball_stay() -> None:
    assert not flying_pixels(box_before_wall()).any()
    pole = np.full((30, 40), WALL, np.float32)
    pole[:, 20] = BOX
    assert not flying_pixels(pole).any()
    ray_x, ray_y = CAMERA.rays()
    ray = np.stack(np.broadcast_arrays(ray_x[None], ray_y[:, None], np.float32(1)), axis=-1)
    # |t ray - centre| = radius for a ball of 0.5 m at 2 m.
    squared, along = (ray ** 2).sum(-1), 2.0 * ray[..., 2]
    root = along ** 2 - squared * (2.0 ** 2 - 0.5 ** 2)
    ball = np.where(root > 0, (along - np.sqrt(np.maximum(root, 0))) / squared, WALL)
    assert (ball < WALL).sum() > 1000
    assert flying_pixels(ball.astype(np.float32)).mean() < 0.001


def test_the_edge_of_a_pole_is_flying_but_the_pole_is_not() -> None:
    depth = np.full((9, 30), WALL, np.float32)
    depth[:, 14:17] = BOX
    depth[:, 13] = depth[:, 17] = 2.5
    flying = flying_pixels(depth)
    assert flying[:, [13, 17]].all() and flying.sum() == 2 * 9


def test_invalid_pixels_are_not_flying_and_nothing_is_concluded_from_them() -> None:
    depth = np.array([[4, 4, 4, 4, 2.5, 1.5, 1.5, 1.5, 1.5]], np.float32)
    assert flying_pixels(depth).tolist() == [[False] * 4 + [True] + [False] * 4]
    for invalid in (np.nan, np.inf, 0.0, -1.0):
        holes = depth.copy()
        holes[0, :4] = invalid
        assert not flying_pixels(holes).any()


def test_a_wide_transition_needs_a_wide_radius() -> None:
    row = np.concatenate([np.full(10, 4.0), np.linspace(4.0, 1.5, 7)[1:-1], np.full(10, 1.5)])
    depth = np.tile(row.astype(np.float32), (5, 1))
    found = [int(flying_pixels(depth, radius=radius)[0].sum()) for radius in (2, 3, 6)]
    assert found[0] < found[2] == 5
    assert flying_pixels(depth, radius=6, ratio=3.0).sum() == 0


def test_rooms_keep_their_points_and_lose_those_that_a_careless_resize_invents() -> None:
    camera = Intrinsics(150.0, 150.0, 95.5, 71.5, 192, 144)
    for room in demo_rooms()[:2]:
        depth = render(room, camera_path(room, 0.3), camera).depth
        assert flying_pixels(depth).mean() < 0.01
        careless = np.asarray(cv2.resize(depth, (384, 288), interpolation=cv2.INTER_LINEAR))
        invented = np.abs(careless / resize_depth(depth, 384, 288) - 1) > 0.05
        assert invented.sum() > 300
        flying = flying_pixels(careless, radius=4)
        assert flying[invented].mean() > 0.85
        assert flying[~invented].mean() < 0.01


@pytest.mark.parametrize('bad', [{'ratio': 1.0}, {'ratio': float('nan')}, {'radius': 1}])
def test_parameters_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(bad))):
        flying_pixels(np.ones((4, 4), np.float32), **bad)  # type: ignore[arg-type]
