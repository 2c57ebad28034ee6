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

"""The frame path's steps on a CPU by compiled passes; the same as ``engine.host`` does."""

from __future__ import annotations

from ctypes import byref
from dataclasses import dataclass

from depth_anything_ros.core.depth import SKY_THRESHOLD
from depth_anything_ros.core.resize import EDGE_RATIO, sample_positions
from depth_anything_ros.engine.host import HostSampler, LARGEST, SMALLEST
from depth_anything_ros.engine.native import (
    address,
    beginning,
    DepthAxis,
    Kernels,
    Law,
    packed_rgb,
)
import numpy as np
import numpy.typing as npt
import torch


class NativeWriter:
    """Writes organised clouds of one camera, as :class:`engine.host.CloudWriter` does."""

    def __init__(
        self, x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], *, kernels: Kernels,
    ) -> None:
        """
        Keep the ray tables.

        :param x: (W,) float32 ray table of the columns, see ``Intrinsics.rays``.
        :param y: (H,) float32 ray table of the rows.
        :param kernels: the compiled passes.
        """
        self._kernels, self._tables = kernels, (x, y)
        self.shape = len(y), len(x)
        self.rays = address(x, np.float32, x.shape), address(y, np.float32, y.shape)

    def fill(
        self, cloud: npt.NDArray[np.float32], depth: npt.NDArray[np.float32],
        rgb: npt.NDArray[np.uint8],
    ) -> None:
        """
        Write an organised XYZRGB cloud; see ``core.pointcloud.organised_cloud``.

        :param cloud: (H, W, 4) float32 to fill.
        :param depth: (H, W) float32 metres, NaN where invalid.
        :param rgb: (H, W, 3) uint8.
        :raises ValueError: when one has another size or type, or no place for every value.
        """
        rgb, height, width = packed_rgb(rgb, self.shape), *self.shape
        depth = np.ascontiguousarray(depth)
        self._kernels.cloud(
            address(depth, np.float32, self.shape), beginning(rgb), rgb.strides[0], *self.rays,
            width, height, address(cloud, np.float32, (*self.shape, 4)))


@dataclass(frozen=True)
class Colouring:
    """A cloud (H, W, 4) float32 to fill, its camera, and its colours (H, W, 3) uint8."""

    cloud: npt.NDArray[np.float32]
    writer: NativeWriter
    rgb: npt.NDArray[np.uint8]


class NativeSampler(HostSampler):
    """The resize of maps from one size to another, and with it all that makes depth and cloud."""

    def __init__(
        self, source: tuple[int, int], target: tuple[int, int], *, kernels: Kernels,
        edge_ratio: float = EDGE_RATIO,
    ) -> None:
        """
        Make the tables.

        :param source: (width, height) in pixels.
        :param target: (width, height) in pixels.
        :param kernels: the compiled passes.
        :param edge_ratio: largest far/near ratio of one surface inside four neighbours.
        """
        super().__init__(source, target, edge_ratio)
        self._kernels, self._source_shape = kernels, source[::-1]
        self._axes = [DepthTable(*lengths) for lengths in zip(source, target, strict=True)]

    def depth(self, depth: torch.Tensor, out: torch.Tensor) -> None:
        """Write valid depth at the target size, see :meth:`HostSampler.depth`."""
        self.finish(depth, None, (1.0, SMALLEST, LARGEST), out.numpy())

    def finish(
        self, depth: torch.Tensor, sky: torch.Tensor | None,
        law: tuple[float, float, float], out: npt.NDArray[np.float32],
        colouring: Colouring | None = None,
    ) -> None:
        """
        Write a network's depth in metres at the target size and, in the same pass, its cloud.

        :param depth: (h, w) float32, as the network has it.
        :param sky: (h, w) float32, None without.
        :param law: factor to metres, smallest and largest valid depth.
        :param out: (H, W) float32 to fill, NaN where invalid.
        :param colouring: what is to be filled with the cloud, None for none.
        :raises ValueError: when one has another size or type, or no place for every value.
        """
        x, y = self._axes
        shape = y.struct.count, x.struct.count
        colours: tuple[int | None, int, int | None, int | None] = None, 0, None, None
        points = None
        if colouring is not None:
            writer = colouring.writer
            if writer.shape != shape:
                raise ValueError(f'the camera is of {writer.shape}; needed: {shape}')
            rgb = packed_rgb(colouring.rgb, shape)
            colours = beginning(rgb), rgb.strides[0], *writer.rays
            points = address(colouring.cloud, np.float32, (*shape, 4))
        # PyTorch is called as little as can be: its code is not in the cache when a frame comes.
        values, clouds = np.ascontiguousarray(depth.numpy()), None
        if sky is not None:
            sky_values = np.ascontiguousarray(sky.numpy())
            clouds = address(sky_values, np.float32, self._source_shape)
        self._kernels.finish(
            address(values, np.float32, self._source_shape), clouds, self._source_shape[1],
            byref(Law(*law, SKY_THRESHOLD, self._ratio)), byref(x.struct), byref(y.struct),
            *colours, address(out, np.float32, shape), points)


class DepthTable:
    """How depth is sampled on one axis, for the kernels."""

    def __init__(self, source: int, target: int) -> None:
        """Make the table from ``source`` to ``target`` pixels."""
        low, high, weight = sample_positions(source, target)
        self._low, self._high = low.astype(np.int32), high.astype(np.int32)
        self._weight = np.ascontiguousarray(weight)
        self.struct = DepthAxis(
            target, self._low.ctypes.data, self._high.ctypes.data, self._weight.ctypes.data)
