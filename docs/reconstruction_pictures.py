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

"""
The pictures of docs/reconstruction.md: ``python docs/reconstruction_pictures.py``.

A known room is reconstructed from its views, all at once and growing, and drawn from above without
its ceiling.
"""

from __future__ import annotations

from pathlib import Path

from bench.noisy_room import EXACT, Noise, NoisyRoom
import cv2
from depth_anything_ros.cli.demo_cloud import draw_camera, FOV_DEG, project, splat, SUPERSAMPLE
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.reconstruction.fusion import fuse
from depth_anything_ros.reconstruction.incremental import IncrementalScene
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.reconstruction.scene import Scene
import numpy as np
import numpy.typing as npt

IMAGES = Path(__file__).resolve().parent / 'images'
SIZE = (760, 560)
OPTIONS = SceneOptions(voxel_size=0.015)
HEIGHT, CUT = 0.6, 1.9
"""Metres above the floor: of the first camera, and from where on nothing is drawn."""


def seen_from_above(scene: Scene, unit: float = 1.0) -> npt.NDArray[np.uint8]:
    """
    Return the scene and its cameras from above.

    :param scene: in the first camera's frame, which is level.
    :param unit: metres of one unit of the scene.
    """
    points = scene.points * np.float32(unit)
    low = points[:, 1] > HEIGHT - CUT
    points, colours = points[low], scene.colours[low]
    middle = np.median(points, axis=0)
    pitch = np.radians(58.0)
    forward = np.array([0.0, np.sin(pitch), np.cos(pitch)])
    rotation = np.stack([[1.0, 0.0, 0.0], np.cross(forward, [1.0, 0.0, 0.0]), forward])
    viewpoint = np.eye(4)
    viewpoint[:3, :3] = rotation
    viewpoint[:3, 3] = -rotation @ (middle - 8.6 * forward)
    width, height = SIZE[0] * SUPERSAMPLE, SIZE[1] * SUPERSAMPLE
    view = Intrinsics.from_fov(FOV_DEG, width, height)
    local = (points @ viewpoint[:3, :3].T + viewpoint[:3, 3]).astype(np.float32)
    u, v = project(local, view)
    radius = np.clip(0.013 * view.focal / local[:, 2], 1.0, 4.0)
    picture = splat(u, v, local[:, 2], radius, colours, (width, height))
    for matrix, pose in zip(scene.intrinsics, scene.camera_to_world):
        placed = pose.copy()
        placed[:3, 3] *= unit
        draw_camera(picture, Intrinsics.from_matrix(matrix, *scene.size), viewpoint @ placed, view)
    return np.asarray(cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def unit_of(scene: Scene, room: NoisyRoom) -> float:
    """Return the metres of one unit of a scene, which a relative model does not know."""
    found, true = (np.linalg.norm(np.diff(each, axis=0), axis=1).sum() for each in (
        scene.camera_to_world[:, :3, 3], room.poses[:, :3, 3]))
    return float(true / found)


def main() -> None:
    """Write the pictures."""
    exact = NoisyRoom(8, EXACT, 336, 252)
    scene = fuse(exact.views(exact.frames), OPTIONS)
    write('reconstruction_room.jpg', [seen_from_above(scene, unit_of(scene, exact))])
    noisy = NoisyRoom(24, Noise(), 168, 126)
    whole = fuse(noisy.views(noisy.frames), OPTIONS)
    growing = IncrementalScene(noisy.views, OPTIONS)
    growing.add(noisy.frames)
    write('reconstruction_growing.jpg', [
        seen_from_above(each, unit_of(each, noisy)) for each in (whole, growing.scene())])


def write(name: str, pictures: list[npt.NDArray[np.uint8]]) -> None:
    """Write RGB pictures side by side."""
    joined = np.concatenate(pictures, axis=1)[..., ::-1]
    cv2.imwrite(str(IMAGES / name), joined, [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == '__main__':
    main()
