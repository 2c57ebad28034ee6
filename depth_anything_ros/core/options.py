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

"""What is asked of one frame: size, limits, a focal length to fall back on, and the outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
import math
from typing import Any, Callable

from depth_anything_ros.core.cloud_options import CloudOptions, ScanOptions
from depth_anything_ros.core.placement import Mount
from depth_anything_ros.errors import InvalidRequest
import numpy.typing as npt

PROCESS_RES_METHODS = (
    'upper_bound_resize', 'upper_bound_crop', 'lower_bound_resize', 'lower_bound_crop')
"""Upstream's names: which side gets ``process_res``, and how both become multiples of 14."""


SMALLEST_FOV = 0.01
"""Degrees; a telescope's."""


class Choice(str, Enum):
    """One of a few words; any other is refused with those that are accepted."""

    # That of Enum is a function in Python; equal to what it is equal to, its word.
    __hash__ = str.__hash__

    @classmethod
    def _missing_(cls, value: object) -> Choice:
        raise InvalidRequest(
            f'{value!r} is unknown; accepted: {", ".join(item.value for item in cls)}')


class Output(Choice):
    """One thing that can be computed for a frame; what nobody asks for is not computed."""

    DEPTH = 'depth'
    POINTS = 'points'
    CONFIDENCE = 'confidence'
    SKY = 'sky'
    PREVIEW = 'preview'
    SCAN = 'scan'
    INTRINSICS = 'intrinsics'
    """What the model itself takes the camera for, also where the camera is known."""


Memory = Callable[[Output, 'tuple[int, ...]', type], 'npt.NDArray[Any] | None']
"""
Returns an array of that shape and type in which an output is to be written, None for any other.

Whoever hands it out must not write to the array again before its last view is gone.
"""

PER_PIXEL = (Output.DEPTH, Output.POINTS, Output.CONFIDENCE, Output.SKY, Output.PREVIEW)
"""Outputs that are maps of an image: what the APIs hand out."""


class SkyMode(Choice):
    """
    What the sky, and what is beyond the largest depth, becomes.

    NAN: no depth and no point. INF: +Inf in the depth map (REP 117), no point. FAR: no depth, and
    a point on the pixel's ray at ``far_distance``, which clears a costmap up to there.
    """

    NAN = 'nan'
    INF = 'inf'
    FAR = 'far'


class Preprocess(str, Enum):
    """
    How a larger image is made smaller for the network.

    EXACT: as upstream, by exact areas. FAST: halved while it is twice too large, then linear:
    several times faster from full HD, another filter.
    """

    EXACT = 'exact'
    FAST = 'fast'


class OutputSize(Choice):
    """The size of all that comes back: the input image's, or that at which the network saw it."""

    INPUT = 'input'
    MODEL = 'model'


@dataclass(frozen=True)
class FrameOptions:
    """
    How one frame is processed.

    ``process_res`` is the longest (or, for lower_bound methods, shortest) side in pixels, 0 for
    the model's own; ``minimum`` and ``maximum`` bound valid depth in metres; ``focal_length``
    (pixels of the camera's image) and ``fov_deg`` (horizontal, degrees) are used when the frame
    brings no intrinsics, 0 for not given. ``points`` and ``scan`` say what is in the cloud and in
    the scan, ``mount`` what is level and where the ground is, for both. ``raw`` asks for the
    network's own numbers at the processed size: no scale, no validity, no resize, so no focal
    length is needed. ``memory`` says where results are to be written; the array that comes back
    in a result is then that one.
    """

    process_res: int = 0
    process_res_method: str = 'upper_bound_resize'
    minimum: float = 0.0
    maximum: float = math.inf
    focal_length: float = 0.0
    fov_deg: float = 0.0
    outputs: frozenset[Output] = frozenset({Output.DEPTH})
    raw: bool = False
    output_size: OutputSize = OutputSize.INPUT
    sky_mode: SkyMode = SkyMode.NAN
    far_distance: float = 10.0
    points: CloudOptions = CloudOptions()
    scan: ScanOptions = ScanOptions()
    mount: Mount = Mount()
    preprocess: Preprocess = Preprocess.EXACT
    memory: Memory | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        if self.process_res < 0:
            raise InvalidRequest(f'process_res must be 0 or more, seen {self.process_res}')
        if self.process_res_method not in PROCESS_RES_METHODS:
            raise InvalidRequest(
                f'process_res_method {self.process_res_method!r} is unknown; accepted: '
                + ', '.join(PROCESS_RES_METHODS))
        if not 0 <= self.minimum < self.maximum:
            raise InvalidRequest(
                'depth limits must satisfy 0 <= minimum < maximum, seen '
                f'{self.minimum:g} and {self.maximum:g}')
        if not (self.focal_length >= 0 and math.isfinite(self.focal_length)):
            raise InvalidRequest(f'focal_length must be 0 or more, seen {self.focal_length:g}')
        # Of a narrower one the focal length is no number any more.
        if self.fov_deg and not SMALLEST_FOV <= self.fov_deg < 180:
            raise InvalidRequest(
                f'fov_deg must be 0 or in [{SMALLEST_FOV:g}, 180), seen {self.fov_deg:g}')
        if not 0 < self.far_distance < math.inf:
            raise InvalidRequest(f'far_distance must be positive, seen {self.far_distance:g}')
        if self.raw and self.outputs & {Output.POINTS, Output.PREVIEW, Output.SCAN}:
            raise InvalidRequest('raw depth comes without points, preview and scan')

    def place(self, output: Output, shape: tuple[int, ...], kind: type) -> Any:
        """Return the memory that an output is to be written into, None where there is none."""
        return None if self.memory is None else self.memory(output, shape, kind)
