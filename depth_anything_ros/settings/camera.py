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

"""Settings of what comes in and of its depth."""

from __future__ import annotations

from dataclasses import dataclass
import re
from typing import Sequence

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.settings.schema import setting

CAMERA_NAME = re.compile('[A-Za-z_][A-Za-z0-9_]*')


def check_cameras(names: Sequence[str]) -> None:
    """
    Refuse names that cannot be the namespaces of different cameras.

    :raises ConfigError: saying which name, and what is accepted.
    """
    for name in names:
        if not CAMERA_NAME.fullmatch(name):
            raise ConfigError(
                f'cameras has {name!r}; accepted: letters, digits and _, not beginning with a '
                'digit, or no name at all ([]) for one camera')
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f'cameras has {", ".join(twice)} more than once; accepted: each once')


@dataclass(frozen=True)
class DepthSettings:
    """How a frame is processed and what counts as a valid depth."""

    process_res: int = setting(
        0, "Side of the processed image that process_res_method names; 0: the model's own.",
        unit='px', low=0, high=4096)
    process_res_method: str = setting(
        'upper_bound_resize', 'Side that gets process_res, and how the other is made to fit.',
        choices=('upper_bound_resize', 'upper_bound_crop', 'lower_bound_resize',
                 'lower_bound_crop'))
    preprocess: str = setting(
        'exact', 'How the image is made smaller for the network. exact: as upstream; fast: by '
        'halves, then linear, several times faster from full HD (docs/performance.md).',
        choices=('exact', 'fast'))
    output_size: str = setting(
        'input', "Size of all that is published: the image's, or that of the processed image.",
        choices=('input', 'model'))
    minimum: float = setting(
        0.0, 'Nearer depths are invalid.', unit='m', low=0.0, high=1000.0)
    maximum: float = setting(
        200.0, 'Farther depths are invalid.', unit='m', low=0.01, high=100000.0)

    def check(self) -> None:
        """
        Refuse values that do not fit together.

        :raises ConfigError: naming both.
        """
        if not self.minimum < self.maximum:
            raise ConfigError(f'depth.minimum ({self.minimum:g} m) must be smaller than '
                              f'depth.maximum ({self.maximum:g} m)')


@dataclass(frozen=True)
class CameraSettings:
    """How images come, and where their focal length comes from."""

    image_transport: str = setting(
        'raw', 'raw: sensor_msgs/Image; compressed: CompressedImage (JPEG, PNG) on the topic '
        '.../compressed beside it.', choices=('raw', 'compressed'), read_only=True)
    image_geometry: str = setting(
        'auto', "Whether the image is the lens's own (raw: K describes it) or rectified (P does, "
        'and D is ignored). auto: rectified when its topic is called image_rect... or D is zero.',
        choices=('auto', 'raw', 'rectified'), per_camera=True)
    rectify: bool = setting(
        False, 'Take the lens distortion out of raw images first; everything published then '
        'belongs to the rectified camera.', per_camera=True)
    pairing: str = setting(
        'exact', "exact: the CameraInfo with the image's stamp; latest: the newest one.",
        choices=('exact', 'latest'))
    focal_length: float = setting(
        0.0, "Focal length of an uncalibrated camera's image; 0: not given.",
        unit='px', low=0.0, high=1e6, per_camera=True)
    fov_deg: float = setting(
        0.0, 'Horizontal field of view of an uncalibrated camera; 0: not given.',
        unit='deg', low=0.0, high=179.0, per_camera=True)

    def check(self) -> None:
        """
        Refuse values that do not fit together.

        :raises ConfigError: naming both.
        """
        if self.rectify and self.image_geometry == 'rectified':
            raise ConfigError(
                'camera.rectify has nothing to do when camera.image_geometry says that the image '
                'is rectified already: set one of them')
