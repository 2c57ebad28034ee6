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

"""Upstream's way from a camera's image to the network's, where it shrinks, by a compiled pass."""

from __future__ import annotations

from ctypes import byref
from functools import lru_cache
import math
import sys

from depth_anything_ros.core.processed_size import Plan
from depth_anything_ros.engine.native import AreaAxis, beginning, Kernels, packed_rgb
from depth_anything_ros.engine.preprocess import (
    normalised_on_host,
    normalising_table,
    upstream_resized,
)
import numpy as np
import numpy.typing as npt
import torch

NEGLIGIBLE = 1e-3
"""Part of a source pixel that OpenCV does not count."""


class NativeAreas:
    """
    Resizes and normalises as ``process`` and ``normalised_on_host`` do together.

    What is no shrinking by a broken ratio is left to OpenCV.
    """

    def __init__(self, kernels: Kernels) -> None:
        """
        Begin without tables.

        :param kernels: the compiled passes.
        """
        self._kernels = kernels
        self._make_table = lru_cache(maxsize=16)(AreaTable)
        self._normalising = normalising_table()

    def __call__(
        self, rgb: npt.NDArray[np.uint8], steps: Plan,
    ) -> tuple[npt.NDArray[np.uint8], torch.Tensor]:
        """
        Return the image at the network's size.

        :param rgb: (H, W, 3) uint8.
        :param steps: the plan for this size.
        :returns: (h, w, 3) uint8 pixels, and float32 values of the same shape, normalised.
        """
        if steps.bounded != steps.resized:
            rgb = self._bounded(rgb, steps.bounded)
        source = rgb.shape[1], rgb.shape[0]
        (x, y), (width, height) = steps.offset, steps.size
        if not by_broken_ratio(source, steps.resized):
            pixels = upstream_resized(rgb, steps.resized)[y:y + height, x:x + width]
            return pixels, normalised_on_host(pixels)
        values = np.empty((height, width, 3), np.float32)
        table = self._make_table(source, steps.resized, steps.offset, steps.size)
        return self._shrunk(rgb, table, values), torch.from_numpy(values)

    def _bounded(
        self, rgb: npt.NDArray[np.uint8], size: tuple[int, int],
    ) -> npt.NDArray[np.uint8]:
        source = rgb.shape[1], rgb.shape[0]
        if not by_broken_ratio(source, size):
            return upstream_resized(rgb, size)
        return self._shrunk(rgb, self._make_table(source, size, (0, 0), size), None)

    def _shrunk(
        self, rgb: npt.NDArray[np.uint8], table: AreaTable, values: npt.NDArray[np.float32] | None,
    ) -> npt.NDArray[np.uint8]:
        height, width = rgb.shape[:2]
        # The colours of BGR images are turned last, of fewer pixels.
        turned = rgb.strides[2] == -1
        image = packed_rgb(rgb[..., ::-1] if turned else rgb, (height, width))
        pixels = np.empty((table.y.count, table.x.count, 3), np.uint8)
        self._kernels.prepare_areas(
            beginning(image), width, image.strides[0], byref(table.x), byref(table.y), turned,
            beginning(self._normalising), beginning(pixels),
            None if values is None else beginning(values))
        return pixels


class AreaTable:
    """What one pair of sizes needs."""

    def __init__(
        self, source: tuple[int, int], target: tuple[int, int], offset: tuple[int, int],
        size: tuple[int, int],
    ) -> None:
        """
        Make the tables; every size is a width and a height in pixels.

        :param source: of the image.
        :param target: of the image when it is shrunk.
        :param offset: x and y where the part of it begins that is wanted.
        :param size: of this part.
        """
        self._kept: list[npt.NDArray[np.generic]] = []
        self.x, self.y = (self._axis(*each) for each in zip(
            source, target, offset, size, strict=True))

    def _axis(self, source: int, target: int, offset: int, size: int) -> AreaAxis:
        first, weights = (each[offset:offset + size] for each in area_weights(source, target))
        self._kept += [first, weights]
        return AreaAxis(size, weights.shape[1], beginning(first), beginning(weights))


def by_broken_ratio(source: tuple[int, int], target: tuple[int, int]) -> bool:
    """Return whether an image shrinks on its way, and not by whole numbers on both axes."""
    ratios = [1 / (new / old) for old, new in zip(source, target, strict=True)]
    whole = all(abs(ratio - round(ratio)) < sys.float_info.epsilon for ratio in ratios)
    return min(ratios) >= 1 and not whole


@lru_cache(maxsize=32)
def area_weights(
    source: int, target: int,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """
    Return which source pixels every target pixel covers and how much, as OpenCV has it.

    :param source: number of source pixels on this axis.
    :param target: number of target pixels on this axis, not more.
    :returns: the first of them (target,) int32, and the weights of it and of those after it
        (target, most) float32, 0 for those that are not covered.
    """
    ratio = 1 / (target / source)
    first, covered = [], []
    for pixel in range(target):
        begin, end = pixel * ratio, pixel * ratio + ratio
        cell = min(ratio, source - begin)
        stop = min(math.floor(end), source - 1)
        start = min(math.ceil(begin), stop)
        weights = [1 / cell] * (stop - start)
        if end - stop > NEGLIGIBLE:
            weights.append(min(end - stop, 1.0, cell) / cell)
        if start - begin > NEGLIGIBLE:
            weights.insert(0, (start - begin) / cell)
            start -= 1
        first.append(start)
        covered.append(weights)
    table = np.zeros((target, max(map(len, covered))), np.float32)
    for row, weights in zip(table, covered, strict=True):
        row[:len(weights)] = weights
    return np.array(first, np.int32), table
