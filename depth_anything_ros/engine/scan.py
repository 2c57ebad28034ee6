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

"""A depth map as a planar scan on the device: the torch form of ``core.scan``."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud_options import ScanOptions
from depth_anything_ros.core.placement import Mount
from depth_anything_ros.core.scan import scan_grid, ScanGrid
import torch

NOTHING, BEYOND, CLOSE = 0, 1, 2
"""What is known about a beam without a hit; the larger one counts."""


@dataclass(frozen=True)
class DeviceGrid:
    """
    A :class:`core.scan.ScanGrid` on the device.

    ``beam`` (H * W,) int64 has the number of beams, one too many, for pixels outside of all.
    """

    grid: ScanGrid
    beam: torch.Tensor
    reach: torch.Tensor
    rise: torch.Tensor


def device_grid(camera: Intrinsics, mount: Mount, *, device: torch.device) -> DeviceGrid:
    """Return the grid of a camera on a device."""
    grid = scan_grid(camera, mount.to_level)
    beam = torch.from_numpy(grid.beam).to(device).long().flatten()
    return DeviceGrid(
        grid, torch.where(beam < 0, grid.beams, beam), torch.from_numpy(grid.reach).to(device),
        torch.from_numpy(grid.rise).to(device))


def scan_ranges(depth: torch.Tensor, table: DeviceGrid, options: ScanOptions) -> torch.Tensor:
    """
    Return the ranges of all beams; see ``core.scan.scan_ranges``.

    :param depth: (H, W) float32 metres, NaN where invalid, +Inf where the view is free.
    :param table: the grid of this depth map's camera.
    :param options: band and limits.
    :returns: (beams,) float32 metres.
    """
    grid, beams = table.grid, table.grid.beams
    distance = depth * table.reach
    # A tensor by a tensor: a number by one is multiplied with its rounded inverse.
    limit = torch.full_like(table.reach, options.farthest) / table.reach
    height = grid.camera_height + table.rise * torch.minimum(depth, limit)
    in_band = (depth > 0) & (height >= options.lowest) & (height <= options.highest)
    close = in_band & (distance < options.nearest)
    beyond = in_band & (distance > options.farthest)
    hit = in_band & ~close & ~beyond
    found = distance.new_full((beams + 1,), float('inf')).scatter_reduce_(
        0, table.beam, torch.where(hit, distance, float('inf')).flatten(), 'amin')[:beams]
    known = torch.where(close, CLOSE, torch.where(beyond, BEYOND, NOTHING)).to(torch.int32)
    best = known.new_zeros(beams + 1).scatter_reduce_(
        0, table.beam, known.flatten(), 'amax')[:beams]
    empty = torch.where(
        best == CLOSE, float('-inf'), torch.where(best == BEYOND, float('inf'), float('nan')))
    return torch.where(found.isfinite(), found, empty.to(found.dtype))
