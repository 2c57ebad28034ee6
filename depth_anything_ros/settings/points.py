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

"""Settings of the point cloud, of the sky in it, and of where the camera sits."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.settings.schema import setting

NO_LIMIT = 1000.0
"""A height in metres that limits nothing."""


@dataclass(frozen=True)
class PointsSettings:
    """Which points are in the cloud, in which form, how often, in which frame."""

    dense: bool = setting(
        False, 'A list of valid points (height 1, is_dense) in place of an organised cloud with '
        'NaN.')
    color: bool = setting(
        True, 'Points with colour, 16 bytes each; off: x, y, z alone, 12 bytes.')
    stride: int = setting(
        1, 'Every n-th row and column of the depth becomes a point.', low=1, high=64)
    voxel_size: float = setting(
        0.0, 'One point per cube of this size, which makes the cloud a list; 0: all points.',
        unit='m', low=0.0, high=10.0)
    range_min: float = setting(
        0.0, 'Nearest point kept, distance from the camera.', unit='m', low=0.0, high=1000.0)
    range_max: float = setting(
        0.0, 'Farthest point kept, distance from the camera; 0: no limit.', unit='m', low=0.0,
        high=100000.0)
    height_min: float = setting(
        -NO_LIMIT, 'Lowest point kept: z in target_frame, else as mount has it; '
        f'{-NO_LIMIT:g}: no limit.', unit='m', low=-NO_LIMIT, high=NO_LIMIT)
    height_max: float = setting(
        NO_LIMIT, 'Highest point kept: z in target_frame, else as mount has it; '
        f'{NO_LIMIT:g}: no limit.', unit='m', low=-NO_LIMIT, high=NO_LIMIT)
    confidence_percentile: float = setting(
        0.0, 'Points whose confidence is below this percentile of the image are left out.',
        unit='%', low=0.0, high=99.0)
    edge_filter: bool = setting(
        False, 'Leave out flying pixels: points that hang between two surfaces.')
    max_rate: float = setting(
        0.0, 'Most clouds per second, by the stamps of the images; 0: one for every image.',
        unit='Hz', low=0.0, high=1000.0)
    target_frame: str = setting(
        '', 'Frame of the points, through TF; empty: the optical frame of the image.',
        per_camera=True)
    tf_timeout: float = setting(
        0.1, 'Longest wait for the transform to target_frame at the stamp of an image.',
        unit='s', low=0.0, high=1.0)

    def check(self) -> None:
        """
        Refuse values that do not fit together.

        :raises ConfigError: naming both.
        """
        if self.range_max and not self.range_min < self.range_max:
            raise ConfigError(f'points.range_min ({self.range_min:g} m) must be smaller than '
                              f'points.range_max ({self.range_max:g} m)')
        if not self.height_min < self.height_max:
            raise ConfigError(f'points.height_min ({self.height_min:g} m) must be smaller than '
                              f'points.height_max ({self.height_max:g} m)')


@dataclass(frozen=True)
class SkySettings:
    """What becomes of the sky, and of what is beyond the largest depth."""

    mode: str = setting(
        'nan', 'Sky and depths beyond depth.maximum. nan: invalid; inf: +Inf in the depth image, '
        'no point; far: invalid, and points at far_distance that clear a costmap.',
        choices=('nan', 'inf', 'far'))
    far_distance: float = setting(
        10.0, 'Distance of the clearing points of mode far from the camera.', unit='m', low=0.1,
        high=1000.0)


@dataclass(frozen=True)
class MountSettings:
    """How the camera sits on the robot; heights of points and of the scan count from there."""

    height: float = setting(
        0.0, 'Height of the camera over the ground; 0: heights count from the camera.',
        unit='m', low=-100.0, high=100.0, per_camera=True)
    pitch_deg: float = setting(
        0.0, 'How far the camera looks down.', unit='deg', low=-90.0, high=90.0, per_camera=True)
