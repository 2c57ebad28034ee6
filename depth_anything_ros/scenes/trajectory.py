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

"""Where a robot's camera can be in a room: random viewpoints and a smooth round trip."""

from __future__ import annotations

from functools import lru_cache
import math

from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.scenes.room import Room
import numpy as np
import numpy.typing as npt

Pose = npt.NDArray[np.float64]

# The robot: its camera is fixed at this height and nearly level, so the scale can be seen.
HEIGHT, HEIGHT_SPREAD = 0.6, 0.01
PITCH_SPREAD = math.radians(1.0)
CLEARANCE = 0.4
# A robot looks where it can go: at least this much free floor ahead.
LOOK_AHEAD = 1.5
PERIOD = 40.0
_ANGLES = 180


def pose(x: float, y: float, z: float, yaw: float, pitch: float) -> Pose:
    """
    Return the optical frame of a camera as camera_to_world.

    :param x: position in the world, metres; ``y`` and ``z`` likewise.
    :param y: position, metres.
    :param z: height above the floor, metres.
    :param yaw: direction of view, radians to the left of the world's x axis.
    :param pitch: radians downwards (REP 103: about the y axis, which points left).
    :returns: (4, 4) float64, optical frame (x right, y down, z forward).
    """
    forward = (math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch), -math.sin(pitch))
    right = (math.sin(yaw), -math.cos(yaw), 0.0)
    down = np.cross(forward, right)
    result = np.eye(4)
    result[:3, 0], result[:3, 1], result[:3, 2] = right, down, forward
    result[:3, 3] = (x, y, z)
    return result


def free_ahead(room: Room, x: float, y: float, yaw: float) -> float:
    """Return the metres of free floor from (x, y) in the direction ``yaw``, at most 20."""
    gone = 0.0
    while gone < 20.0:
        step = room.clearance(x + gone * math.cos(yaw), y + gone * math.sin(yaw))
        if step < 0.01:
            break
        gone += step
    return gone


def random_view(room: Room, rng: np.random.Generator) -> Pose:
    """
    Return a viewpoint of a robot somewhere on the free floor.

    :param room: the room.
    :param rng: the source of chance; equal generators give equal views.
    :returns: (4, 4) camera_to_world, with CLEARANCE metres to everything and LOOK_AHEAD metres
        of free floor in front.
    :raises InvalidRequest: when the room has no free floor.
    """
    for _ in range(1000):
        x, y = rng.uniform(-0.5, 0.5, 2) * room.size[:2]
        if room.clearance(x, y) < CLEARANCE:
            continue
        for _ in range(8):
            yaw = float(rng.uniform(-math.pi, math.pi))
            if free_ahead(room, x, y, yaw) >= LOOK_AHEAD:
                height = HEIGHT + float(rng.uniform(-HEIGHT_SPREAD, HEIGHT_SPREAD))
                return pose(x, y, height, yaw, float(rng.uniform(-PITCH_SPREAD, PITCH_SPREAD)))
    raise InvalidRequest(f'room {room.seed} has no free floor for a camera')


@lru_cache(maxsize=64)
def _loop(room: Room) -> tuple[float, float, npt.NDArray[np.float64]]:
    """Return the freest point of a room and how far one can go from it, for every angle."""
    free = [(room.clearance(x, y), x, y)
            for x in np.arange(-room.size[0] / 2, room.size[0] / 2, 0.1)
            for y in np.arange(-room.size[1] / 2, room.size[1] / 2, 0.1)]
    _, x, y = max(free)
    angles = np.arange(_ANGLES) * 2 * math.pi / _ANGLES
    reach = np.array([_reach(room, x, y, angle) for angle in angles])
    # The mean of minima over the same window never exceeds the reach: the way stays free.
    window = _ANGLES // 12
    around = np.arange(_ANGLES)[:, None] + np.arange(-window, window + 1)[None]
    lowest = reach[around % _ANGLES].min(axis=1)
    return float(x), float(y), lowest[around % _ANGLES].mean(axis=1)


def _reach(room: Room, x: float, y: float, angle: float) -> float:
    """Return how far from (x, y) a robot keeps its clearance, at most 1.5 m."""
    gone = 0.0
    while gone < 1.5:
        room_left = room.clearance(x + gone * math.cos(angle), y + gone * math.sin(angle))
        if room_left < CLEARANCE + 0.02:
            break
        gone += max(0.5 * (room_left - CLEARANCE), 0.01)
    return max(gone - 0.02, 0.0)


def camera_path(room: Room, t: float) -> Pose:
    """
    Return the pose of a robot's camera that drives a round through the room.

    :param room: the room.
    :param t: seconds; the round repeats every PERIOD seconds.
    :returns: (4, 4) camera_to_world of the optical frame.
    """
    x, y, reach = _loop(room)
    phase = (t / PERIOD) % 1.0
    place = phase * _ANGLES
    low = int(place) % _ANGLES
    part = place - int(place)
    distance = reach[low] * (1 - part) + reach[(low + 1) % _ANGLES] * part
    angle = 2 * math.pi * phase
    # It looks across the room, over the middle of its round, and sways a little.
    yaw = angle + math.pi + 0.25 * math.sin(3 * angle)
    height = HEIGHT + 0.5 * HEIGHT_SPREAD * math.sin(8 * angle)
    pitch = 0.5 * PITCH_SPREAD * math.sin(5 * angle)
    return pose(x + distance * math.cos(angle), y + distance * math.sin(angle), height, yaw, pitch)
