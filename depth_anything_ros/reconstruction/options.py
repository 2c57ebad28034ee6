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

"""What is asked of a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
import math

from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.settings import Settings

ASSUMED_FOV_DEG = 60.0
"""Horizontal field of view taken for a single image when nobody, not even the model, knows it."""

MOST_POINTS = 50_000_000
"""Upper limit of ``num_max_points``: 0.8 GB of GLB."""


@dataclass(frozen=True)
class SceneOptions:
    """
    How images become a scene.

    ``process_res`` and ``process_res_method`` as in :class:`FrameOptions`; ``focal_length``
    (pixels of the image) and ``fov_deg`` (horizontal, degrees) serve a single image whose
    intrinsics nobody gave; ``maximum`` bounds depth, in metres (no effect on relative models).

    Of all valid pixels the least sure ``conf_thresh_percentile`` percent are left out, the sky
    with ``remove_sky`` and pixels between two surfaces with ``remove_edges``; then one point per
    cube of ``voxel_size`` stays (in the unit of the scene, 0: all), then a seeded random subset
    of ``num_max_points``. ``show_cameras`` draws a frustum per camera into the GLB.
    """

    process_res: int = 0
    process_res_method: str = 'upper_bound_resize'
    conf_thresh_percentile: float = 10.0
    num_max_points: int = 10_000_000
    show_cameras: bool = True
    remove_sky: bool = True
    remove_edges: bool = True
    voxel_size: float = 0.0
    maximum: float = math.inf
    focal_length: float = 0.0
    fov_deg: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        self.frame_options()
        if not 0 <= self.conf_thresh_percentile < 100:
            raise InvalidRequest(
                'conf_thresh_percentile must be in [0, 100), seen '
                f'{self.conf_thresh_percentile:g}')
        if not 1 <= self.num_max_points <= MOST_POINTS:
            raise InvalidRequest(
                f'num_max_points must be from 1 to {MOST_POINTS}, seen {self.num_max_points}')
        if not (self.voxel_size >= 0 and math.isfinite(self.voxel_size)):
            raise InvalidRequest(f'voxel_size must be 0 or more, seen {self.voxel_size:g}')

    def frame_options(self, fov_deg: float | None = None) -> FrameOptions:
        """
        Return what the engine needs to know of this.

        :param fov_deg: a field of view to use in place of the own one.
        :raises InvalidRequest: when a value is out of range.
        """
        return FrameOptions(
            process_res=self.process_res, process_res_method=self.process_res_method,
            maximum=self.maximum, focal_length=self.focal_length,
            fov_deg=self.fov_deg if fov_deg is None else fov_deg)


def scene_options(settings: Settings) -> SceneOptions:
    """Return the options that the settings name."""
    depth, camera, scene = settings.depth, settings.camera, settings.reconstruction
    return SceneOptions(
        process_res=depth.process_res, process_res_method=depth.process_res_method,
        conf_thresh_percentile=scene.conf_thresh_percentile,
        num_max_points=scene.num_max_points, show_cameras=scene.show_cameras,
        remove_sky=scene.remove_sky, remove_edges=scene.remove_edges,
        voxel_size=scene.voxel_size, maximum=depth.maximum, focal_length=camera.focal_length,
        fov_deg=camera.fov_deg)
