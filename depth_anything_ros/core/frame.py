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

"""One colour image with what is known about when and by which camera it was taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.placement import Placement
from depth_anything_ros.errors import InvalidImage, InvalidIntrinsics
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # it imports OpenCV, which a frame does not need
    from depth_anything_ros.core.distortion import Rectification


@dataclass(frozen=True)
class Frame:
    """
    An RGB image, uint8 (H, W, 3), possibly a view of memory that somebody else owns.

    ``stamp_ns`` is the time of exposure in nanoseconds, ``frame_id`` the name of the optical
    frame, ``intrinsics`` those of exactly these pixels, or None for an uncalibrated camera.
    ``placement`` is the pose of the optical frame where points are wanted in another one.
    ``seen`` (H, W) bool is False where the image shows nothing, as at the borders of a rectified
    one, so that no depth can be believed there; None: it shows something everywhere.
    ``lens`` is how distortion is still to be taken out of ``rgb``, None where nothing is to be;
    ``intrinsics`` and ``seen`` are then those of the rectified image.
    ``handed_in_ns`` is when it was handed in, by the clock of the stamp; 0 where nobody says.
    """

    rgb: npt.NDArray[np.uint8]
    stamp_ns: int = 0
    frame_id: str = ''
    intrinsics: Intrinsics | None = None
    placement: Placement | None = None
    seen: npt.NDArray[np.bool_] | None = None
    handed_in_ns: int = 0
    lens: Rectification | None = None

    def __post_init__(self) -> None:
        """Refuse what is not an RGB image, or intrinsics of another size."""
        rgb = self.rgb
        if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.ndim != 3 \
                or rgb.shape[2] != 3:
            seen = f'{rgb.dtype} {rgb.shape}' if isinstance(rgb, np.ndarray) else type(rgb)
            raise InvalidImage(f'image is {seen}; accepted: uint8 (H, W, 3) in RGB order')
        if rgb.size == 0:
            raise InvalidImage(f'image is empty: {rgb.shape}')
        if self.intrinsics is not None and self.intrinsics.size != self.size:
            raise InvalidIntrinsics(
                f'intrinsics are for {self.intrinsics.width}x{self.intrinsics.height}, '
                f'the image is {self.size[0]}x{self.size[1]}')
        if self.seen is not None and self.seen.shape != rgb.shape[:2]:
            raise InvalidImage(
                f'the mask of what is seen is {self.seen.shape}, the image {rgb.shape[:2]}')

        if self.lens is not None:
            self.lens.check(*rgb.shape[:2])

    def rectified(self) -> Frame:
        """Return this frame without its lens's distortion, itself where there is none."""
        if self.lens is None:
            return self
        return replace(self, rgb=self.lens.rectify(self.rgb), lens=None)

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        height, width = self.rgb.shape[:2]
        return width, height
