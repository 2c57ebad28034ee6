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

"""Settings of the planar scan."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.settings.schema import setting


@dataclass(frozen=True)
class ScanSettings:
    """The band of heights that becomes a scan, and its limits."""

    frame_id: str = setting(
        '', "Level frame at the camera (x forward, z up); empty: the image's frame without "
        '"_optical".', per_camera=True)
    height_min: float = setting(
        -0.2, 'Lower edge of the band, as mount has heights.', unit='m', low=-100.0, high=100.0)
    height_max: float = setting(
        0.2, 'Upper edge of the band, as mount has heights.', unit='m', low=-100.0, high=100.0)
    range_min: float = setting(
        0.1, 'Smallest horizontal distance.', unit='m', low=0.0, high=100.0)
    range_max: float = setting(
        10.0, 'Largest horizontal distance; farther is +Inf.', unit='m', low=0.01, high=1000.0)

    def check(self) -> None:
        """
        Refuse values that do not fit together.

        :raises ConfigError: naming both.
        """
        if not self.height_min < self.height_max:
            raise ConfigError(f'scan.height_min ({self.height_min:g} m) must be smaller than '
                              f'scan.height_max ({self.height_max:g} m)')
        if not self.range_min < self.range_max:
            raise ConfigError(f'scan.range_min ({self.range_min:g} m) must be smaller than '
                              f'scan.range_max ({self.range_max:g} m)')
