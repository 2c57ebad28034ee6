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

"""What is asked of a point cloud and of a scan; the defaults ask for nothing extra."""

from __future__ import annotations

from dataclasses import dataclass
import math

from depth_anything_ros.errors import InvalidRequest


@dataclass(frozen=True)
class CloudOptions:
    """
    Which points are in the cloud, and in which form.

    ``dense``: a list without NaN in place of an organised cloud. ``color``: x, y, z and packed
    colour, or x, y, z alone. ``stride``: every n-th row and column. ``voxel_size``: one point per
    cube of so many metres, which makes a list; 0 for all. ``nearest`` and ``farthest``: distance
    from the camera in metres. ``lowest`` and ``highest``: height in metres, in the target frame's
    z where there is one, else as the mount has it. ``confidence_percentile``: points below it are
    left out. ``edge_filter``: leave out points between two surfaces. ``target_frame``: frame of
    the points, empty for the optical frame; the frame must then bring its placement there.
    """

    dense: bool = False
    color: bool = True
    stride: int = 1
    voxel_size: float = 0.0
    nearest: float = 0.0
    farthest: float = math.inf
    lowest: float = -math.inf
    highest: float = math.inf
    confidence_percentile: float = 0.0
    edge_filter: bool = False
    target_frame: str = ''

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        if self.stride < 1:
            raise InvalidRequest(f'stride must be 1 or more, seen {self.stride}')
        if not 0 <= self.voxel_size < math.inf:
            raise InvalidRequest(f'voxel size must be 0 or more, seen {self.voxel_size:g}')
        if not 0 <= self.nearest < self.farthest:
            raise InvalidRequest(
                'range limits must satisfy 0 <= nearest < farthest, seen '
                f'{self.nearest:g} and {self.farthest:g}')
        if not self.lowest < self.highest:
            raise InvalidRequest(
                'height limits must satisfy lowest < highest, seen '
                f'{self.lowest:g} and {self.highest:g}')
        if not 0 <= self.confidence_percentile < 100:
            raise InvalidRequest(
                'confidence percentile must be in [0, 100), seen '
                f'{self.confidence_percentile:g}')

    @property
    def channels(self) -> int:
        """Return the float32 values of one point."""
        return 4 if self.color else 3

    @property
    def listed(self) -> bool:
        """Return whether the cloud is a list of points and not organised."""
        return self.dense or self.voxel_size > 0

    @property
    def whole(self) -> bool:
        """Return whether it is organised, of every pixel, coloured, in the optical frame."""
        return not (self.listed or self.stride > 1 or self.target_frame) and self.color

    @property
    def limited(self) -> bool:
        """Return whether range or height leave points out."""
        return (self.nearest, self.farthest, self.lowest, self.highest) != (
            0.0, math.inf, -math.inf, math.inf)


@dataclass(frozen=True)
class ScanOptions:
    """
    The band and the limits of a planar scan, in metres.

    ``lowest`` and ``highest`` are heights as the mount has them, ``nearest`` and ``farthest``
    horizontal distances from the camera. ``frame_id`` is a level frame at the camera, x forward
    and z up; empty: see ``scan.level_frame``.
    """

    lowest: float = -0.2
    highest: float = 0.2
    nearest: float = 0.1
    farthest: float = 10.0
    frame_id: str = ''

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        if not (self.lowest < self.highest and 0 <= self.nearest < self.farthest < math.inf):
            raise InvalidRequest(
                'a scan needs lowest < highest and 0 <= nearest < farthest, seen heights '
                f'{self.lowest:g} and {self.highest:g}, ranges {self.nearest:g} and '
                f'{self.farthest:g}')
