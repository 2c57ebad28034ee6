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

"""A known room seen by a model that errs: exact views with a frame, a scale and noise per call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
import math
from typing import Any, Sequence

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import inverted, Views
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.reconstruction.alignment import Similarity, umeyama
from depth_anything_ros.scenes import demo_rooms, render
from depth_anything_ros.scenes.trajectory import camera_path, PERIOD
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """
    How a model errs.

    ``pixel`` is the relative error of every depth, ``view`` that of an image's depth as a whole,
    ``outliers`` the share of pixels whose depth means nothing, ``turn_deg`` and ``shift`` (metres)
    the error of each pose. ``gauge``: every call has a frame and a scale of its own.
    """

    pixel: float = 0.01
    view: float = 0.005
    outliers: float = 0.05
    turn_deg: float = 0.2
    shift: float = 0.005
    gauge: bool = True


EXACT = Noise(0.0, 0.0, 0.0, 0.0, 0.0)


class NoisyRoom:
    """The views of a round through the first demo room, with a given noise."""

    def __init__(self, count: int, noise: Noise, width: int = 84, height: int = 70) -> None:
        """
        Render the room.

        :param count: images, evenly spaced in time over one round.
        :param noise: how the model errs.
        :param width: image width in pixels.
        :param height: image height in pixels.
        """
        self.noise, self.calls, self.seen = noise, 0, 0
        self.camera = Intrinsics.from_fov(80.0, width, height)
        self.frames, self.depth, self.poses = _rendered(count, self.camera)

    def views(self, frames: Sequence[Frame], *_: Any) -> Views:
        """Return what the model says about some of ``frames``; the same each time."""
        self.calls, self.seen = self.calls + 1, self.seen + len(frames)
        chosen = [frame.stamp_ns for frame in frames]
        rng = np.random.default_rng([len(chosen), *chosen])
        noise, depth = self.noise, self.depth[chosen].astype(np.float64)
        depth *= 1 + noise.pixel * rng.standard_normal(depth.shape)
        depth *= 1 + noise.view * rng.standard_normal((len(chosen), 1, 1))
        wrong = rng.random(depth.shape) < noise.outliers
        depth[wrong] *= rng.uniform(0.3, 3.0, int(wrong.sum()))
        poses = self.poses[chosen, :3].copy()
        for pose in poses:
            pose[:, :3] = pose[:, :3] @ turned(rng.standard_normal(3) * noise.turn_deg)
            pose[:, 3] += noise.shift * rng.standard_normal(3)
        views = Views(
            rgb=np.stack([frame.rgb for frame in frames]), depth=depth.astype(np.float32),
            intrinsics=np.tile(self.camera.matrix(), (len(chosen), 1, 1)),
            extrinsics=inverted(poses), scale_law=ScaleLaw(DepthKind.RELATIVE), model='noisy room')
        if not noise.gauge:
            return views
        return Similarity(
            float(rng.uniform(0.5, 2.0)), turned(rng.uniform(-180, 180, 3)),
            rng.uniform(-5, 5, 3)).views(views)

    def camera_errors(self, camera_to_world: Matrix) -> npt.NDArray[np.float64]:
        """
        Return how far every camera is from where it was, in metres, after the best similarity.

        :param camera_to_world: (N, 4, 4) of the first N frames, in any frame and scale.
        """
        truth = self.poses[:len(camera_to_world), :3, 3]
        found = camera_to_world[:, :3, 3]
        scale, rotation, translation = umeyama(found, truth, np.ones(len(found)))
        moved = Similarity(float(scale), rotation, translation).points(found)
        errors: npt.NDArray[np.float64] = np.linalg.norm(moved - truth, axis=1)
        return errors


@lru_cache(maxsize=4)
def _rendered(count: int, camera: Intrinsics) -> tuple[tuple[Frame, ...], Any, Matrix]:
    room = demo_rooms()[0]
    poses = np.stack([camera_path(room, PERIOD * index / count) for index in range(count)])
    seen = [render(room, pose, camera) for pose in poses]
    frames = tuple(
        Frame(view.rgb, stamp_ns=index, frame_id='camera') for index, view in enumerate(seen))
    return frames, np.stack([view.depth for view in seen]), poses


def turned(degrees: Matrix) -> Matrix:
    """Return the rotation by a vector of degrees (Rodrigues' formula)."""
    angle = math.radians(float(np.linalg.norm(degrees)))
    if not angle:
        return np.eye(3)
    x, y, z = np.radians(degrees) / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation: Matrix = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
    return rotation
