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

"""What a camera sees in a room: the picture and its exact depth."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.scenes.cast import cast
from depth_anything_ros.scenes.room import Room
from depth_anything_ros.scenes.shading import shaded
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class View:
    """What a camera sees: ``rgb`` (H, W, 3) uint8 and ``depth`` (H, W) float32 metres."""

    rgb: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]


def render(
    room: Room, camera_to_world: npt.NDArray[np.float64], intrinsics: Intrinsics, *,
    supersample: int = 1,
) -> View:
    """
    Return the picture and the exact depth that a camera sees.

    Pixel (u, v) looks along ((u - cx) / fx, (v - cy) / fy, 1) in the optical frame. The depth is
    that of the pixel's own ray, whatever ``supersample``.

    :param room: the room; the camera must be inside it.
    :param camera_to_world: (4, 4) pose of the optical frame (x right, y down, z forward), metres.
    :param intrinsics: any pinhole camera.
    :param supersample: rays per pixel along each side for the picture, against jagged edges.
    :returns: the view at the camera's size.
    :raises InvalidRequest: when the camera is outside the room or ``supersample`` is below 1.
    """
    if supersample < 1:
        raise InvalidRequest(f'supersample must be at least 1, seen {supersample}')
    hits = cast(room, camera_to_world, intrinsics)
    if supersample == 1:
        colours = shaded(room, hits, intrinsics.focal)
    else:
        fine = _finer(intrinsics, supersample)
        colours = shaded(room, cast(room, camera_to_world, fine), fine.focal)
        height, width = hits.depth.shape
        colours = colours.reshape(height, supersample, width, supersample, 3).mean((1, 3))
    rgb = (np.sqrt(colours) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return View(rgb, hits.depth)


def _finer(camera: Intrinsics, factor: int) -> Intrinsics:
    """Return the camera with ``factor`` samples across each pixel, centred on the pixel."""
    return Intrinsics(
        camera.fx * factor, camera.fy * factor, (camera.cx + 0.5) * factor - 0.5,
        (camera.cy + 0.5) * factor - 0.5, camera.width * factor, camera.height * factor)
