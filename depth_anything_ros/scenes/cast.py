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

"""Cast one ray per pixel into a room and find where it ends."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.scenes.room import Room
from depth_anything_ros.scenes.solids import Floats, nonzero, Rays
import numpy as np
import numpy.typing as npt

# Corners nearer than this, in metres along the optical axis, have no useful projection.
NEAR = 0.02


@dataclass(frozen=True)
class Hits:
    """Where the rays end: z-depth in metres and the index of the solid (-1: the shell)."""

    origin: npt.NDArray[np.float64]
    directions: Floats
    depth: Floats
    solid: npt.NDArray[np.int16]


def cast(
    room: Room, camera_to_world: npt.NDArray[np.float64], intrinsics: Intrinsics,
) -> Hits:
    """
    Return where the ray of every pixel ends, without colours.

    :param room: the room; the camera must be inside it.
    :param camera_to_world: (4, 4) pose of the optical frame, metres.
    :param intrinsics: any pinhole camera.
    :returns: depth and solid of every pixel.
    :raises InvalidRequest: when the camera is outside the room.
    """
    pose = np.asarray(camera_to_world, np.float64)
    origin, rotation = pose[:3, 3], pose[:3, :3]
    half = np.array([room.size[0] / 2, room.size[1] / 2, room.size[2] / 2])
    middle = np.array([0, 0, half[2]])
    if np.any(np.abs(origin - middle) >= half):
        raise InvalidRequest(
            f'the camera at {origin.round(3).tolist()} is outside the room of {room.size} metres')
    ray_x, ray_y = intrinsics.rays()
    turn = rotation.astype(np.float32)
    directions = (turn[:, 0, None, None] * ray_x[None, None, :]
                  + turn[:, 1, None, None] * ray_y[None, :, None] + turn[:, 2, None, None])
    directions = nonzero(directions)
    depth = _shell_depth(origin - middle, half, directions)
    solid = np.full(depth.shape, -1, np.int16)
    rays = Rays(directions)
    for index, rows, columns in _windows(room, origin, rotation, intrinsics):
        target = room.solids[index]
        offset = origin - target.centre
        found = target.hit((offset[0], offset[1], offset[2]),
                           rays.window(rows, columns, target.yaw))
        nearest = depth[rows, columns]
        closer = found < nearest
        np.copyto(nearest, found, where=closer)
        np.copyto(solid[rows, columns], np.int16(index), where=closer)
    return Hits(origin, directions, depth, solid)


def _shell_depth(
    offset: npt.NDArray[np.float64], half: npt.NDArray[np.float64], directions: Floats,
) -> Floats:
    """Return where rays from inside a box leave it."""
    depth: Floats | None = None
    for axis in range(3):
        ahead = np.where(directions[axis] > 0, np.float32(half[axis] - offset[axis]),
                         np.float32(-half[axis] - offset[axis]))
        leave = ahead / directions[axis]
        depth = leave if depth is None else np.minimum(depth, leave)
    assert depth is not None
    return depth


def _windows(
    room: Room, origin: npt.NDArray[np.float64], rotation: npt.NDArray[np.float64],
    camera: Intrinsics,
) -> list[tuple[int, slice, slice]]:
    """Return, nearest first, the solids in view with the rows and columns they can cover."""
    if not room.solids:
        return []
    seen = (room.corners - origin) @ rotation
    ahead = seen[..., 2]
    safe = np.maximum(ahead, NEAR)
    u = camera.fx * seen[..., 0] / safe + camera.cx
    v = camera.fy * seen[..., 1] / safe + camera.cy
    low_u, high_u = np.floor(u.min(1)).astype(int), np.ceil(u.max(1)).astype(int) + 1
    low_v, high_v = np.floor(v.min(1)).astype(int), np.ceil(v.max(1)).astype(int) + 1
    nearest, farthest = ahead.min(1), ahead.max(1)
    windows = []
    for index in np.argsort(nearest, kind='stable'):
        if farthest[index] <= NEAR:
            continue
        left, right = max(low_u[index], 0), min(high_u[index], camera.width)
        top, bottom = max(low_v[index], 0), min(high_v[index], camera.height)
        if nearest[index] <= NEAR:
            # Corners behind the camera: the projection says nothing, look everywhere.
            left, right, top, bottom = 0, camera.width, 0, camera.height
        if left < right and top < bottom:
            windows.append((int(index), slice(top, bottom), slice(left, right)))
    return windows
