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

from depth_anything_ros.scenes import demo_rooms, make_room
from depth_anything_ros.scenes.room import Footprint
import numpy as np
import pytest


def test_the_demo_has_the_eight_rooms_that_da3_tiny_was_trained_on() -> None:
    seen = [(room.seed, round(room.size[0], 2), round(room.size[1], 2), len(room.solids))
            for room in demo_rooms()]
    assert seen == [
        (1, 5.74, 5.89, 40), (3, 4.46, 4.32, 46), (5, 6.62, 5.58, 85),
        (7, 6.08, 5.77, 84), (9, 6.81, 4.43, 72), (10, 7.07, 4.26, 53),
        (12, 4.95, 5.88, 44), (14, 6.69, 4.59, 96)]


def test_rooms_of_other_seeds_differ() -> None:
    assert make_room(100) == make_room(100)
    assert len({make_room(seed).size for seed in range(100, 110)}) == 10


@pytest.mark.parametrize('seed', range(8))
def test_everything_stands_inside_the_room(seed: int) -> None:
    room = make_room(500 + seed)
    half = np.array([room.size[0] / 2, room.size[1] / 2])
    corners = room.corners.reshape(-1, 3)
    assert np.all(np.abs(corners[:, :2]) <= half + 0.15)
    assert np.all((corners[:, 2] > -1e-9) & (corners[:, 2] < room.size[2] + 1e-9))
    assert np.all(np.abs(np.array(room.lamp)) < [*half, room.size[2]])


@pytest.mark.parametrize('seed', range(8))
def test_furniture_does_not_overlap(seed: int) -> None:
    room = make_room(600 + seed)
    assert len(room.footprints) >= 2
    for index, place in enumerate(room.footprints):
        for other in room.footprints[:index]:
            assert other.distance(place.x, place.y) > 0


def test_the_distance_to_a_turned_footprint() -> None:
    place = Footprint(1.0, 2.0, 0.5, 0.25, math.pi / 2)
    assert place.distance(1.0, 2.0) == 0
    assert place.distance(1.0, 3.0) == pytest.approx(0.5)
    assert place.distance(2.0, 2.0) == pytest.approx(0.75)
    assert place.distance(2.25, 3.5) == pytest.approx(math.hypot(1.0, 1.0))


def test_clearance_is_the_nearest_of_walls_and_furniture() -> None:
    room = make_room(1)
    place = room.footprints[0]
    assert room.clearance(place.x, place.y) == 0
    assert room.clearance(room.size[0] / 2 - 0.1, 0.0) <= 0.1 + 1e-9
