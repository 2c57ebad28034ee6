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

"""The result of a reconstruction: points, and the cameras that saw them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.multi_view import inverted
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class DepthStatistics:
    """Depth over the valid pixels of one image, in the unit of the scene; NaN without any."""

    minimum: float
    median: float
    maximum: float
    valid: int


@dataclass(frozen=True)
class Scene:
    """
    A coloured cloud and its cameras, in the optical frame of the first image's camera.

    ``points`` (P, 3) float32 (x right, y down, z forward) and ``colours`` (P, 3) uint8;
    ``confidence`` (P,) float32 where the model has one. ``extrinsics`` (N, 3, 4) float64
    world-to-camera (OpenCV), ``intrinsics`` (N, 3, 3) float64 in pixels of the processed images,
    whose ``size`` is (width, height). In metres when ``kind`` is METRIC, in an unknown unit when
    it is RELATIVE; ``scale_law`` says how in words. ``total_points`` counts what was seen before
    thinning. ``timings`` are seconds by stage, ``notes`` what a reader must know.
    """

    points: npt.NDArray[np.float32]
    colours: npt.NDArray[np.uint8]
    confidence: npt.NDArray[np.float32] | None
    extrinsics: npt.NDArray[np.float64]
    intrinsics: npt.NDArray[np.float64]
    size: tuple[int, int]
    depths: tuple[DepthStatistics, ...]
    total_points: int
    kind: DepthKind
    scale_law: str
    model: str
    notes: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def camera_to_world(self) -> npt.NDArray[np.float64]:
        """Return the (N, 4, 4) float64 poses of the cameras, the inverses of ``extrinsics``."""
        poses = np.tile(np.eye(4), (len(self.extrinsics), 1, 1))
        poses[:, :3] = inverted(self.extrinsics)
        return poses

    def metadata(self) -> dict[str, Any]:
        """
        Return what describes the scene beside its points, ready for JSON.

        Counts, ``extrinsics`` N x 3x4, ``camera_to_world`` N x 4x4, ``intrinsics`` N x 3x3,
        depth statistics by image and over all (null without a valid pixel), and what the numbers
        mean.
        """
        known = [each for each in self.depths if each.valid]
        return {
            'num_frames': len(self.extrinsics),
            'num_points': len(self.points),
            'total_points': self.total_points,
            'width': self.size[0],
            'height': self.size[1],
            'intrinsics': self.intrinsics.tolist(),
            'extrinsics': self.extrinsics.tolist(),
            'camera_to_world': self.camera_to_world.tolist(),
            'depth_min': min((each.minimum for each in known), default=None),
            'depth_max': max((each.maximum for each in known), default=None),
            'depths': [
                {'min': each.minimum, 'median': each.median, 'max': each.maximum}
                if each.valid else {'min': None, 'median': None, 'max': None}
                for each in self.depths],
            'model': self.model,
            'kind': self.kind.value,
            'unit': 'm' if self.kind is DepthKind.METRIC else None,
            'scale_law': self.scale_law,
            'notes': list(self.notes),
        }
