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

"""Pictures with exact depth for training da3-tiny, each from its own seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
import os

import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.scenes import demo_rooms, make_room, random_view, render, Room
from depth_anything_ros.scenes.materials import Material
import numpy as np
import numpy.typing as npt

# Disjoint ranges of seeds: rooms for training, viewpoints and rooms for the evaluation.
NEW_ROOMS = 1_000_000
EVALUATION_ROOMS = 10_000_000
EVALUATION_VIEWS = 20_000_000
CANONICAL_FOCAL = 300.0
PROCESS_RES = 168
VIEWS_PER_ROOM = 4


@dataclass(frozen=True)
class Samples:
    """
    A few pictures of one size.

    ``rgb`` is uint8 (N, H, W, 3); ``log_depth`` is float32 (N, H, W), the logarithm of canonical
    depth; ``mirrored`` says which may also be shown mirrored.
    """

    rgb: npt.NDArray[np.uint8]
    log_depth: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.bool_]


def processed_camera(fov_deg: float, wide: bool, side: int) -> Intrinsics:
    """
    Return the intrinsics of a 4:3 or 16:9 camera after DA3's resize to multiples of 14.

    :param fov_deg: horizontal field of view in degrees.
    :param wide: 16:9 instead of 4:3.
    :param side: longest side in pixels, a multiple of 14.
    """
    camera = Intrinsics.from_fov(fov_deg, 1280, 720 if wide else 960)
    height = 14 * int(side * camera.height / camera.width / 14 + 0.5)
    return pixel_centred(camera, side, height)


def pixel_centred(camera: Intrinsics, width: int, height: int) -> Intrinsics:
    """Return the camera of an image that was resized by area, as cv2.resize places pixels."""
    sx, sy = width / camera.width, height / camera.height
    return Intrinsics(camera.fx * sx, camera.fy * sy, (camera.cx + 0.5) * sx - 0.5,
                      (camera.cy + 0.5) * sy - 0.5, width, height)


def make_samples(number: int, count: int, wide: bool, side: int) -> Samples:
    """
    Return ``count`` pictures, half of the demo's rooms and half of rooms never seen before.

    :param number: which batch; decides everything.
    :param count: how many pictures, a multiple of 8.
    :param wide: 16:9 instead of 4:3.
    :param side: longest side in pixels.
    """
    rng = np.random.default_rng((3, number))
    pictures, depths, mirrored = [], [], []
    rooms = [demo_rooms()[rng.integers(8)] for _ in range(count // 2)]
    per_batch = count // 2 // VIEWS_PER_ROOM
    for index in range(per_batch):
        rooms += [make_room(NEW_ROOMS + number * per_batch + index)] * VIEWS_PER_ROOM
    for index, room in enumerate(rooms):
        camera = processed_camera(45 + 45 * rng.beta(2, 2), wide, side)
        if index < count // 2 and rng.random() < 0.15:
            room = recoloured(room, rng)
        rgb, depth = _picture(room, random_view(room, rng), camera, rng)
        pictures.append(rgb)
        # Canonical depth at full size, whatever the size of this training stage.
        focal = camera.focal * PROCESS_RES / side
        depths.append(np.log(depth * np.float32(CANONICAL_FOCAL / focal)))
        mirrored.append(index >= count // 2)
    return Samples(np.stack(pictures), np.stack(depths), np.array(mirrored))


def recoloured(room: Room, rng: np.random.Generator) -> Room:
    """Return the room with other colours on every surface."""
    def change(material: Material) -> Material:
        gain = rng.uniform(0.6, 1.3) * rng.uniform(0.85, 1.15, 3)
        first, second = (tuple(float(value) for value in np.clip(gain * colour, 0.02, 0.95))
                         for colour in (material.colour, material.second))
        return replace(material, colour=(first[0], first[1], first[2]),
                       second=(second[0], second[1], second[2]))

    walls = tuple(change(material) for material in room.walls)
    solids = tuple(replace(solid, material=change(solid.material))  # type: ignore[type-var]
                   for solid in room.solids)
    return replace(room, walls=(walls[0], walls[1], walls[2], walls[3]), solids=solids,
                   floor=change(room.floor), ceiling=change(room.ceiling),
                   brightness=room.brightness * float(rng.uniform(0.7, 1.2)))


def _picture(
    room: Room, pose: npt.NDArray[np.float64], camera: Intrinsics, rng: np.random.Generator,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Return a picture as a camera's larger image looks after the resize, and its depth."""
    factor = float(rng.choice([1.0, 1.5, 2.0], p=[0.35, 0.45, 0.2]))
    width, height = round(camera.width * factor), round(camera.height * factor)
    view = render(room, pose, pixel_centred(camera, width, height))
    rgb, depth = view.rgb, view.depth
    if factor > 1:
        rgb = cv2.resize(rgb, camera.size, interpolation=cv2.INTER_AREA)
        depth = cv2.resize(depth, camera.size, interpolation=cv2.INTER_NEAREST)
    if rng.random() < 0.4:
        rgb = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.2, 0.8)))
    return np.asarray(rgb, np.uint8), np.asarray(depth, np.float32)


def quiet_worker() -> None:
    """Make a rendering process a good neighbour: one thread, low priority."""
    cv2.setNumThreads(1)
    os.nice(2)
