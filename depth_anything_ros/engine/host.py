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

"""
The frame path's steps on a CPU, in few passes over memory.

The torch forms beside these serve any device; here numpy and OpenCV work on the same memory. A
second thread gains nothing: one uses up the memory's speed.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

COLOUR_BITS = np.uint32(0x00FFFFFF)

BLOCK = 60_000
"""Pixels that are worked on at a time: what lies between two steps stays in the cache."""


class CloudWriter:
    """Writes organised clouds of one camera; what lies between two steps is made once."""

    def __init__(self, x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]) -> None:
        """
        Make the planes.

        :param x: (W,) float32 ray table of the columns, see ``Intrinsics.rays``.
        :param y: (H,) float32 ray table of the rows.
        """
        self._x, self._y = x, np.ascontiguousarray(y[:, None])
        self._rows = min(len(y), max(1, BLOCK // len(x)))
        self._planes = np.empty((2, self._rows, len(x)), np.float32)
        self._colours = np.empty((self._rows, len(x), 4), np.uint8)

    def fill(
        self, cloud: npt.NDArray[np.float32], depth: npt.NDArray[np.float32],
        rgb: npt.NDArray[np.uint8],
    ) -> None:
        """
        Write an organised XYZRGB cloud; see ``core.pointcloud.organised_cloud``.

        Not for two threads at once.

        :param cloud: (H, W, 4) float32 to fill, rows without gaps.
        :param depth: (H, W) float32 metres, NaN where invalid.
        :param rgb: (H, W, 3) uint8.
        """
        for first in range(0, len(depth), self._rows):
            part = slice(first, first + self._rows)
            self._fill(cloud[part], depth[part], self._y[part], rgb[part])

    def _fill(
        self, cloud: npt.NDArray[np.float32], depth: npt.NDArray[np.float32],
        y: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8],
    ) -> None:
        (across, down), colours = self._planes[:, :len(depth)], self._colours[:len(depth)]
        np.multiply(depth, self._x, out=across)
        np.multiply(depth, y, out=down)
        cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA, dst=colours)
        packed = colours.view(np.uint32)
        # OpenCV makes the fourth byte 255.
        np.bitwise_and(packed, COLOUR_BITS, out=packed)
        cv2.merge([across, down, depth, packed.view(np.float32)[..., 0]], dst=cloud)
