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

from typing import Any

import cv2
from depth_anything_ros.core.resize import EDGE_RATIO, sample_positions
import numpy as np
import numpy.typing as npt
import torch

SMALLEST, LARGEST = (float(each) for each in (
    np.finfo(np.float32).tiny, np.finfo(np.float32).max))
"""The positive numbers that float32 has in full precision."""

COLOUR_BITS = np.uint32(0x00FFFFFF)

FOUR = np.ones((2, 2), np.uint8)
"""A pixel with its right, lower and lower right neighbours."""

SPARSE = 0.03
"""Up to this part of the pixels it is faster to look the nearest ones up one by one."""

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


def within(
    depth: torch.Tensor, low: float, high: float, sky: torch.Tensor | None, threshold: float,
) -> torch.Tensor:
    """
    Return depth with NaN where it is not from ``low`` to ``high``, or sky.

    :param depth: (h, w) float32.
    :param low: smallest valid depth.
    :param high: largest valid depth.
    :param sky: (h, w) float32, None without.
    :param threshold: sky from here on.
    """
    values = depth.contiguous().numpy()
    keep = cv2.inRange(values, low, high)
    if sky is not None:
        clouds = cv2.compare(sky.contiguous().numpy(), threshold, cv2.CMP_GE)
        keep = cv2.bitwise_and(keep, cv2.bitwise_not(clouds))
    valid = np.full(values.shape, np.nan, np.float32)
    cv2.copyTo(values, keep, valid)
    return torch.from_numpy(valid)


class HostSampler:
    """The resize of maps from one size to another, as :class:`engine.grids.Sampler` does it."""

    def __init__(
        self, source: tuple[int, int], target: tuple[int, int], edge_ratio: float = EDGE_RATIO,
    ) -> None:
        """
        Make the tables and what lies between two steps.

        :param source: (width, height) in pixels.
        :param target: (width, height) in pixels.
        :param edge_ratio: largest far/near ratio of one surface inside four neighbours.
        """
        self._target, self._same = target, source == target
        self._ratio = np.float32(edge_ratio)
        self._x, self._y = (
            _HostAxis(old, new) for old, new in zip(source, target, strict=True))
        # OpenCV decides ties its own way; where there are none it is faster.
        self._opencv = all(
            np.array_equal(axis.nearest, cv2.resize(
                np.arange(old, dtype=np.float32)[None], (new, 1),
                interpolation=cv2.INTER_NEAREST_EXACT)[0])
            for axis, old, new in zip((self._x, self._y), source, target, strict=True))
        self._known, self._near, self._far = np.empty((3, source[1], source[0]), np.float32)

    def depth(self, depth: torch.Tensor, out: torch.Tensor) -> None:
        """
        Write depth at the target size, linear on surfaces, nearest at edges and invalid pixels.

        See ``core.resize.resize_depth``.

        :param depth: (h, w) float32, NaN where invalid, else positive and finite.
        :param out: (H, W) float32 to fill.
        """
        source, target = depth.numpy(), out.numpy()
        if self._same:
            np.copyto(target, source)
            return
        edges = self._edges(source).take(self._x.low, 1).take(self._y.low, 0)
        # Not from the source: where a centre falls on a pixel, OpenCV may weigh another by nearly
        # 0, and a NaN would not vanish.
        cv2.resize(self._known, self._target, dst=target, interpolation=cv2.INTER_LINEAR)
        count = cv2.countNonZero(edges)
        if count > edges.size * SPARSE:
            near = self._nearest(source)
            cv2.copyTo(near, edges, target)
        elif count:
            # OpenCV 4 has one dimension more.
            columns, rows = np.asarray(cv2.findNonZero(edges)).reshape(-1, 2).T
            target[rows, columns] = source[self._y.nearest[rows], self._x.nearest[columns]]

    def nearest(self, values: torch.Tensor, out: torch.Tensor) -> None:
        """
        Write values at the target size by the nearest pixel centre.

        :param values: (h, w), any type.
        :param out: (H, W) of the same type, to fill.
        """
        if self._same:
            out.copy_(values)
            return
        np.copyto(out.numpy(), self._nearest(values.numpy()))

    def _nearest(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self._opencv and values.dtype == np.float32:
            return np.asarray(cv2.resize(
                values, self._target, interpolation=cv2.INTER_NEAREST_EXACT), np.float32)
        return values.take(self._y.nearest, 0).take(self._x.nearest, 1)

    def _edges(self, depth: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Return where a pixel, its right, lower and lower right neighbour are not one surface."""
        # Instead of NaN, which minimum and maximum may lose, something that no ratio fits to,
        # not even its own.
        np.copyto(self._known, depth)
        cv2.patchNaNs(self._known, -1.0)
        corner: Any = {'anchor': (0, 0), 'borderType': cv2.BORDER_REPLICATE}
        near = cv2.erode(self._known, FOUR, dst=self._near, **corner)
        far = cv2.dilate(self._known, FOUR, dst=self._far, **corner)
        np.multiply(near, self._ratio, out=near)
        return np.asarray(cv2.compare(far, near, cv2.CMP_GT), np.uint8)


class _HostAxis:
    """Neighbours of every target pixel: ``low`` and the one after it, and the ``nearest``."""

    def __init__(self, source: int, target: int) -> None:
        low, high, weight = sample_positions(source, target)
        self.low = low.astype(np.int32)
        self.nearest = np.where(weight < 0.5, low, high).astype(np.int32)
