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

"""A known room seen by exact cameras: the world of the reconstruction tests."""

from __future__ import annotations

from functools import lru_cache
import math
from typing import Any, Callable, Sequence

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import inverted, Views
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.engine.given_views import GivenViewsEngine
from depth_anything_ros.scenes import demo_rooms, render
from depth_anything_ros.scenes.solids import Box, Cylinder, Sphere
from depth_anything_ros.scenes.trajectory import camera_path
import numpy as np
import numpy.typing as npt

CAMERA = Intrinsics.from_fov(75.0, 112, 84)
COUNT = 8


@lru_cache(maxsize=1)
def seen(count: int = COUNT) -> tuple[Any, ...]:
    """Return (frames, depth, camera_to_world) of views all around the first demo room."""
    room = demo_rooms()[0]
    poses = np.stack([camera_path(room, 40.0 * index / count) for index in range(count)])
    views = [render(room, pose, CAMERA) for pose in poses]
    frames = tuple(
        Frame(view.rgb, stamp_ns=index, frame_id='camera') for index, view in enumerate(views))
    return frames, np.stack([view.depth for view in views]), poses


def exact_views(frames: Sequence[Frame]) -> Views:
    """Return the exact views of some of the frames of :func:`seen`, in the room's own frame."""
    _, depth, poses = seen()
    chosen = [frame.stamp_ns for frame in frames]
    return Views(
        rgb=np.stack([frame.rgb for frame in frames]), depth=depth[chosen],
        intrinsics=np.tile(CAMERA.matrix(), (len(chosen), 1, 1)),
        extrinsics=inverted(poses[chosen, :3]), scale_law=ScaleLaw(DepthKind.METRIC),
        model='exact')


def exact_engine(
    views_of: Callable[[Sequence[Frame]], Views] = exact_views, **arguments: Any,
) -> GivenViewsEngine:
    """Return an engine that knows the room."""
    return GivenViewsEngine(views_of, **arguments)


def distance_to_room(points: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """
    Return the metres from points to the nearest surface of the room, by geometry alone.

    :param points: (P, 3) in the frame of the room.
    """
    room = demo_rooms()[0]
    half = np.array(room.size) / 2
    nearest = np.abs(half - np.abs(points - (0, 0, half[2]))).min(axis=1)
    for solid in room.solids:
        local = points - solid.centre
        cos, sin = math.cos(solid.yaw), math.sin(solid.yaw)
        x, y = cos * local[:, 0] + sin * local[:, 1], cos * local[:, 1] - sin * local[:, 0]
        z = local[:, 2]
        if isinstance(solid, Box):
            outside = np.abs(np.stack([x, y, z], axis=1)) - solid.half
        elif isinstance(solid, Cylinder):
            outside = np.stack([np.hypot(x, y) - solid.radius, np.abs(z) - solid.height / 2], 1)
        else:
            assert isinstance(solid, Sphere)
            outside = (np.linalg.norm(local, axis=1) - solid.radius)[:, None]
        inside = np.minimum(outside.max(axis=1), 0)
        signed = np.linalg.norm(np.maximum(outside, 0), axis=1) + inside
        nearest = np.minimum(nearest, np.abs(signed))
    return nearest
