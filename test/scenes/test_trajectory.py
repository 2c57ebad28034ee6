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

from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.scenes import camera_path, demo_rooms, make_room, random_view
from depth_anything_ros.scenes.room import Footprint, Room
from depth_anything_ros.scenes.trajectory import (
    CLEARANCE,
    free_ahead,
    HEIGHT,
    HEIGHT_SPREAD,
    LOOK_AHEAD,
    PERIOD,
    PITCH_SPREAD,
    Pose,
    pose,
)
import numpy as np
import pytest
from scene_parts import bare_room

ROOMS = [*demo_rooms(), make_room(321), make_room(322)]


def check_robot(room: Room, view: Pose, clearance: float) -> None:
    np.testing.assert_allclose(view[:3, :3].T @ view[:3, :3], np.eye(3), atol=1e-12)
    assert np.linalg.det(view[:3, :3]) == pytest.approx(1)
    np.testing.assert_array_equal(view[3], [0, 0, 0, 1])
    x, y, z = view[:3, 3]
    assert room.clearance(x, y) >= clearance
    assert abs(z - HEIGHT) <= HEIGHT_SPREAD
    assert abs(math.asin(view[2, 2])) <= PITCH_SPREAD + 1e-9
    # No roll: the camera's right is level, and its down points down.
    assert abs(view[2, 0]) < 1e-12
    assert view[2, 1] < -0.99


def test_the_optical_frame_of_a_level_camera() -> None:
    view = pose(1.0, 2.0, 0.6, 0.0, 0.0)
    np.testing.assert_allclose(view[:3, :3], [[0, 0, 1], [-1, 0, 0], [0, -1, 0]], atol=1e-12)
    np.testing.assert_array_equal(view[:3, 3], [1.0, 2.0, 0.6])


def test_positive_pitch_looks_down_and_positive_yaw_looks_left() -> None:
    assert pose(0, 0, 1, 0.0, 0.3)[2, 2] == pytest.approx(-math.sin(0.3))
    assert pose(0, 0, 1, 0.3, 0.0)[1, 2] == pytest.approx(math.sin(0.3))


@pytest.mark.parametrize('room', ROOMS, ids=lambda room: str(room.seed))
def test_random_views_are_where_a_robot_can_be(room: Room) -> None:
    for seed in range(20):
        view = random_view(room, np.random.default_rng(seed))
        check_robot(room, view, CLEARANCE)
        x, y = view[:2, 3]
        assert free_ahead(room, x, y, math.atan2(view[1, 2], view[0, 2])) >= LOOK_AHEAD


def test_random_views_depend_on_the_generator_alone() -> None:
    first, again, other = (random_view(ROOMS[0], np.random.default_rng(seed))
                           for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_room_without_free_floor_is_refused() -> None:
    bare = bare_room()
    full = Room(9, bare.size, bare.walls, bare.floor, bare.ceiling, (),
                (Footprint(0.0, 0.0, 4.0, 3.0),), bare.lamp)
    with pytest.raises(InvalidRequest, match='room 9 has no free floor'):
        random_view(full, np.random.default_rng(0))


@pytest.mark.parametrize('room', ROOMS, ids=lambda room: str(room.seed))
def test_the_path_is_a_smooth_round_through_free_space(room: Room) -> None:
    times = np.arange(0, PERIOD, 0.1)
    views = [camera_path(room, t) for t in times]
    for view in views:
        check_robot(room, view, CLEARANCE - 0.02)
    for before, after in zip(views, [*views[1:], views[0]]):
        assert np.linalg.norm(after[:3, 3] - before[:3, 3]) < 0.06
        assert np.arccos(np.clip(before[:3, 2] @ after[:3, 2], -1, 1)) < math.radians(3)
    np.testing.assert_allclose(camera_path(room, 3 + PERIOD), camera_path(room, 3), atol=1e-9)
    places = np.array([view[:2, 3] for view in views])
    assert np.ptp(places, axis=0).min() > 0.5
