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

"""Pinhole intrinsics and how they follow an image through crops, binning and resizes."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Sequence

from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Intrinsics:
    """
    A pinhole camera in pixels, for an image of ``width`` x ``height``.

    Sizes scale by the plain ratio, without a half-pixel term, as image_proc's resize and Depth
    Anything 3's own preprocessing do.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def __post_init__(self) -> None:
        """Refuse what cannot be a camera."""
        values = (self.fx, self.fy, self.cx, self.cy)
        if not all(math.isfinite(value) for value in values):
            raise InvalidIntrinsics(f'intrinsics are not finite: fx fy cx cy = {values}')
        if self.fx <= 0 or self.fy <= 0:
            raise InvalidIntrinsics(
                f'focal lengths must be positive, seen fx={self.fx:g} fy={self.fy:g}; '
                'K[0] == 0 means an uncalibrated camera')
        if self.width < 1 or self.height < 1:
            raise InvalidIntrinsics(
                f'image size must be at least 1x1, seen {self.width}x{self.height}')

    @classmethod
    def from_matrix(cls, matrix: npt.ArrayLike, width: int, height: int) -> Intrinsics:
        """
        Return the intrinsics of a 3x3 ``K`` or a 3x4 ``P``.

        :param matrix: K (9 numbers) or P (12 numbers), row by row or as a matrix, in pixels.
        :param width: width in pixels of the image that the matrix belongs to.
        :param height: height in pixels of that image.
        :raises InvalidIntrinsics: when it has another number of values or no focal length.
        """
        values = np.asarray(matrix, dtype=np.float64)
        if values.size not in (9, 12):
            raise InvalidIntrinsics(
                f'a camera matrix has 9 (K) or 12 (P) values, seen {values.size}')
        rows = values.reshape(3, -1)
        return cls(float(rows[0, 0]), float(rows[1, 1]), float(rows[0, 2]), float(rows[1, 2]),
                   width, height)

    @classmethod
    def from_fov(cls, horizontal_deg: float, width: int, height: int) -> Intrinsics:
        """
        Return a camera with square pixels and a central principal point.

        :param horizontal_deg: horizontal field of view in degrees, between 0 and 180.
        :param width: image width in pixels.
        :param height: image height in pixels.
        :raises InvalidIntrinsics: when the angle is out of range.
        """
        if not 0 < horizontal_deg < 180:
            raise InvalidIntrinsics(
                f'field of view must be between 0 and 180 degrees, seen {horizontal_deg:g}')
        focal = width / (2 * math.tan(math.radians(horizontal_deg) / 2))
        return cls.from_focal(focal, width, height)

    @classmethod
    def from_focal(cls, focal: float, width: int, height: int) -> Intrinsics:
        """Return a camera with ``focal`` pixels on both axes and a central principal point."""
        return cls(focal, focal, width / 2, height / 2, width, height)

    @property
    def focal(self) -> float:
        """Return mean(fx, fy) in pixels, the focal length of the canonical depth law."""
        return (self.fx + self.fy) / 2

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        return self.width, self.height

    def matrix(self) -> npt.NDArray[np.float64]:
        """Return K as a 3x3 float64 matrix in pixels."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], np.float64)

    def resized(self, width: int, height: int) -> Intrinsics:
        """Return the intrinsics after resizing the image to ``width`` x ``height``."""
        sx, sy = width / self.width, height / self.height
        return Intrinsics(self.fx * sx, self.fy * sy, self.cx * sx, self.cy * sy, width, height)

    def cropped(self, x: int, y: int, width: int, height: int) -> Intrinsics:
        """
        Return the intrinsics of a window of the image.

        :param x: first column kept, in pixels.
        :param y: first row kept, in pixels.
        :param width: columns kept.
        :param height: rows kept.
        :raises InvalidIntrinsics: when the window leaves the image.
        """
        inside = 0 <= x and 0 <= y and x + width <= self.width and y + height <= self.height
        if not inside:
            raise InvalidIntrinsics(
                f'window x={x} y={y} {width}x{height} leaves the image of '
                f'{self.width}x{self.height}')
        return Intrinsics(self.fx, self.fy, self.cx - x, self.cy - y, width, height)

    def rays(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """
        Return the row and column ray tables: x = table_x[u] * depth, y = table_y[v] * depth.

        :returns: ((width,), (height,)) float32, unitless, optical frame.
        """
        x = (np.arange(self.width, dtype=np.float64) - self.cx) / self.fx
        y = (np.arange(self.height, dtype=np.float64) - self.cy) / self.fy
        return x.astype(np.float32), y.astype(np.float32)


def from_camera_info(
    matrix: Sequence[float], width: int, height: int, *,
    binning: tuple[int, int] = (0, 0), roi: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Intrinsics:
    """
    Return the intrinsics of the image that a CameraInfo describes.

    K and P of a CameraInfo belong to the full sensor resolution; the image is the region of
    interest of it (an all-zero region means the full image), then binned (0 means 1).

    :param matrix: K or P of the message.
    :param width: full width in pixels.
    :param height: full height in pixels.
    :param binning: (binning_x, binning_y).
    :param roi: (x_offset, y_offset, width, height) at full resolution.
    :raises InvalidIntrinsics: when a value is impossible.
    """
    camera = Intrinsics.from_matrix(matrix, width, height)
    x, y, roi_width, roi_height = roi
    if roi_width and roi_height:
        camera = camera.cropped(x, y, roi_width, roi_height)
    bin_x, bin_y = (max(1, value) for value in binning)
    if (bin_x, bin_y) != (1, 1):
        camera = camera.resized(camera.width // bin_x, camera.height // bin_y)
    return camera
