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

"""Lists and other forms of a cloud, and scans, by compiled passes on a CPU."""

from __future__ import annotations

from ctypes import byref
from typing import Callable

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud_options import ScanOptions
from depth_anything_ros.core.placement import Matrix, Mount
from depth_anything_ros.core.scan import scan_grid
from depth_anything_ros.engine.native import (
    address,
    beginning,
    CloudSource,
    GridOfScan,
    Kernels,
    ScanLimits,
)
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Place = Callable[[tuple[int, ...], type], 'Floats | None']


def native_cloud(
    kernels: Kernels, depth: Floats, rays: tuple[Floats, Floats], rgb: Bytes | None, *,
    listed: bool, placement: Matrix | None, place: Place,
) -> Floats:
    """
    Return a cloud in the form that is asked for, but for voxels; see ``core.cloud.make_cloud``.

    :param kernels: the compiled passes.
    :param depth: (H, W) float32 metres, NaN where there is to be no point.
    :param rays: the ray tables of these columns and rows, (W,) and (H,) float32.
    :param rgb: (H, W, 3) uint8, the colours of these pixels; None without colour.
    :param listed: a list of the points that there are in place of an organised cloud.
    :param placement: 3x4 transform to the frame of the points, None: they stay optical.
    :param place: returns where to write an array of a shape and type, None: in a new one.
    :returns: (H, W, C) or (N, C) float32; C is 4 with colour, else 3.
    :raises ValueError: when sizes or types do not fit together.
    """
    shape, channels = depth.shape, 3 if rgb is None else 4
    depth = np.ascontiguousarray(depth)
    x, y = (np.ascontiguousarray(table) for table in rays)
    colours: tuple[int | None, int, int] = None, 0, 0
    if rgb is not None:
        if rgb.dtype != np.uint8 or rgb.shape != (*shape, 3):
            raise ValueError(f'{rgb.dtype} {rgb.shape}; needed: uint8 {(*shape, 3)}')
        if rgb.strides[2] != 1 or rgb.strides[1] < 3:
            rgb = np.ascontiguousarray(rgb)
        colours = beginning(rgb), rgb.strides[1], rgb.strides[0]
    matrix = None if placement is None else np.asarray(placement, np.float32)
    source = CloudSource(
        address(depth, np.float32, shape), shape[1], shape[0], *colours,
        address(x, np.float32, shape[1:]), address(y, np.float32, shape[:1]),
        None if matrix is None else address(matrix, np.float32, (3, 4)))
    size: tuple[int, ...] = (*shape, channels)
    if listed:
        size = kernels.count_points(source.depth, depth.size), channels
    cloud = place(size, np.float32)
    if cloud is None:
        cloud = np.empty(size, np.float32)
    if cloud.size:
        kernels.write_points(byref(source), listed, address(cloud, np.float32, size))
    return cloud


class NativeGrid:
    """Where the pixels of a camera fall in a scan; see ``core.scan.ScanGrid``."""

    def __init__(self, camera: Intrinsics, mount: Mount, *, kernels: Kernels) -> None:
        """
        Make the tables.

        :param camera: of the depth maps.
        :param mount: what is level.
        :param kernels: the compiled passes.
        :raises InvalidIntrinsics: when the view has no width.
        """
        self.grid = grid = scan_grid(camera, mount.to_level)
        self._shape, self._kernels = grid.beam.shape, kernels
        self._struct = GridOfScan(
            grid.beam.size, grid.beams, address(grid.beam, np.int32, self._shape),
            address(grid.reach, np.float32, self._shape),
            address(grid.rise, np.float32, self._shape))

    def ranges(
        self, depth: Floats, beyond: npt.NDArray[np.bool_] | None, options: ScanOptions,
    ) -> Floats:
        """
        Return the ranges of all beams; see ``core.scan.scan_ranges``.

        :param depth: (H, W) float32 metres, NaN where invalid.
        :param beyond: (H, W) bool, where the view is free whatever the depth is; None: nowhere.
        :param options: band and limits.
        :returns: (beams,) float32 metres.
        :raises ValueError: when sizes or types do not fit together.
        """
        ranges = np.empty(self.grid.beams, np.float32)
        limits = ScanLimits(self.grid.camera_height, options.lowest, options.highest,
                            options.nearest, options.farthest)
        self._kernels.scan(
            address(depth, np.float32, self._shape),
            None if beyond is None else address(beyond, np.bool_, self._shape),
            byref(self._struct), byref(limits), beginning(ranges))
        return ranges
