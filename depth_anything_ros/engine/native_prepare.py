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

"""The fast way from a camera's image to the network's by one compiled pass."""

from __future__ import annotations

from ctypes import byref
from functools import lru_cache

from depth_anything_ros.core.processed_size import Plan
from depth_anything_ros.engine.native import beginning, BytesAxis, Kernels, packed_rgb
from depth_anything_ros.engine.preprocess import DEVIATION, halved, MEAN
import numpy as np
import numpy.typing as npt
import torch

ONE = 2048
"""Both weights of a pixel together, as OpenCV has them for bytes: 11 bits."""


class NativePreparer:
    """Resizes and normalises as ``process(fast=True)`` and ``normalised_on_host`` do together."""

    def __init__(self, kernels: Kernels) -> None:
        """
        Begin without tables.

        :param kernels: the compiled passes.
        """
        self._kernels = kernels
        self._make_table = lru_cache(maxsize=16)(PrepareTable)
        self._last: tuple[tuple[int, int], Plan, PrepareTable] | None = None

    def __call__(
        self, rgb: npt.NDArray[np.uint8], steps: Plan,
    ) -> tuple[npt.NDArray[np.uint8], torch.Tensor]:
        """
        Return the image at the network's size.

        :param rgb: (H, W, 3) uint8.
        :param steps: the plan for this size.
        :returns: (h, w, 3) uint8 pixels, and float32 values of the same shape, normalised.
        """
        rgb = halved(rgb, steps.resized)
        height, width = rgb.shape[:2]
        rgb = packed_rgb(rgb, (height, width))
        table = self._table((width, height), steps)
        shape = (*steps.size[::-1], 3)
        pixels, values = np.empty(shape, np.uint8), np.empty(shape, np.float32)
        self._kernels.prepare(
            beginning(rgb), width, height, rgb.strides[0], byref(table.x), byref(table.y),
            *table.normalising, beginning(pixels), beginning(values))
        return pixels, torch.from_numpy(values)

    def _table(self, size: tuple[int, int], steps: Plan) -> PrepareTable:
        last = self._last
        if last is not None and last[1] is steps and last[0] == size:
            return last[2]
        table = self._make_table(size, steps)
        self._last = size, steps, table
        return table


class PrepareTable:
    """What one pair of sizes needs."""

    def __init__(self, source: tuple[int, int], steps: Plan) -> None:
        """Make the tables of an image of ``source`` (width, height) pixels."""
        (x, y), (width, height) = steps.offset, steps.size
        columns = bytes_weights(source[0], steps.resized[0], clamped=True)
        rows = bytes_weights(source[1], steps.resized[1], clamped=False)
        low, high, *weights = (each[x:x + width] for each in columns)
        # The weights of columns are those of all three colours.
        across = [low, high, *(np.repeat(each, 3) for each in weights)]
        down = [each[y:y + height] for each in rows]
        mean, deviation = np.asarray(MEAN), np.asarray(DEVIATION)
        normalising = [np.tile(each, width).astype(np.float32)
                       for each in (1 / (255 * deviation), -mean / deviation)]
        self._kept = [np.ascontiguousarray(each) for each in (*across, *down, *normalising)]
        addresses = [int(each.ctypes.data) for each in self._kept]
        self.x = BytesAxis(width, *addresses[:4])
        self.y = BytesAxis(height, *addresses[4:8])
        self.normalising = addresses[8:]


def bytes_weights(
    source: int, target: int, *, clamped: bool,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32],
           npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """
    Return both neighbours of every target pixel and their weights, as OpenCV has them for bytes.

    :param source: number of source pixels on this axis.
    :param target: number of target pixels on this axis.
    :param clamped: whether a pixel at the border counts fully, as in columns; in rows it is
        mixed with itself.
    """
    scale = 1 / (target / source)
    centre = ((np.arange(target) + 0.5) * scale - 0.5).astype(np.float32)
    low = np.floor(centre).astype(np.int32)
    weight = centre - low.astype(np.float32)
    if clamped:
        weight[(low < 0) | (low >= source - 1)] = 0
    low, high = (np.clip(each, 0, source - 1) for each in (low, low + 1))
    near, far = (np.rint(each * np.float32(ONE)).astype(np.int16)
                 for each in (np.float32(1) - weight, weight))
    return low, high, near, far
