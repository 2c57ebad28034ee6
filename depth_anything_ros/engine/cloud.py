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

"""A cloud with options on the device: the torch form of ``core.cloud``."""

from __future__ import annotations

import math

from depth_anything_ros.core.cloud_options import CloudOptions
from depth_anything_ros.core.placement import Matrix
from depth_anything_ros.engine.cloud_filters import (
    first_of_voxels,
    flying_pixels,
    lengths,
    NAN,
    surest,
)
from depth_anything_ros.engine.grids import Rays
import numpy as np
import torch


def trusted_depth(
    depth: torch.Tensor, confidence: torch.Tensor | None, options: CloudOptions,
) -> torch.Tensor:
    """Return the depth from which points are made; see ``core.cloud.trusted_depth``."""
    keep = valid = depth.isfinite()
    if options.edge_filter:
        keep = keep & ~flying_pixels(depth)
    if options.confidence_percentile and confidence is not None:
        keep = keep & surest(confidence, 100 - options.confidence_percentile, valid)
    return depth if keep is valid else torch.where(keep, depth, NAN)


def make_cloud(
    depth: torch.Tensor, table: Rays, rgb: torch.Tensor | None, options: CloudOptions, *,
    to_level: Matrix, placement: Matrix | None, beyond: torch.Tensor | None,
    far_distance: float,
) -> torch.Tensor:
    """
    Return the points that the options leave; see ``core.cloud.make_cloud``.

    :param depth: (H, W) float32 metres, NaN where there is to be no point.
    :param table: the camera's ray table.
    :param rgb: (H', W', 3) uint8, the colours *after* the stride; None without colour.
    :param options: which points, in which form.
    :param to_level: 3x4 transform from the optical frame to a level one.
    :param placement: 3x4 transform to the frame of the points.
    :param beyond: (H, W) bool where clearing points are wanted, None without them.
    :param far_distance: distance of clearing points from the camera, metres.
    :returns: (H', W', C) or (N, C) float32.
    """
    step = slice(None, None, options.stride)
    depth = depth[step, step]
    x, y = table.x[step], table.y[step]
    points = torch.stack((depth * x, depth * y[:, None], depth), -1)
    keep = depth.isfinite()
    if options.nearest > 0 or options.farthest < math.inf:
        distance = lengths(points)
        keep &= (distance >= options.nearest) & (distance <= options.farthest)
    if options.lowest > -math.inf or options.highest < math.inf:
        height = _along(points, (placement or to_level)[2])
        keep &= (height >= options.lowest) & (height <= options.highest)
    if beyond is not None:
        free = beyond[step, step]
        if options.farthest < math.inf:
            free = free | (distance > options.farthest)
        far = far_distance / (x * x + (y * y)[:, None] + 1).sqrt()
        clearing = torch.stack((far * x, far * y[:, None], far), -1)
        points = torch.where(free[..., None], clearing, points)
        keep |= free
    if placement is not None:
        points = torch.stack([_along(points, row) for row in placement], -1)
    if not options.listed:
        points = points.masked_fill_(~keep[..., None], NAN)
        return points if rgb is None else _coloured(points, rgb)
    chosen = keep.flatten().nonzero().squeeze(1)
    points = points.view(-1, 3).index_select(0, chosen)
    if options.voxel_size:
        first = first_of_voxels(points, options.voxel_size)
        points, chosen = points.index_select(0, first), chosen.index_select(0, first)
    if rgb is None:
        return points
    return _coloured(points, rgb.reshape(-1, 3).index_select(0, chosen))


def _along(points: torch.Tensor, row: tuple[float, float, float, float]) -> torch.Tensor:
    """Return one coordinate of transformed points."""
    x, y, z = points.unbind(-1)
    # Rounded as the reference rounds its matrix.
    a, b, c, offset = (float(np.float32(value)) for value in row)
    return x * a + y * b + z * c + offset


def _coloured(points: torch.Tensor, rgb: torch.Tensor) -> torch.Tensor:
    """Return points with their packed colour as a fourth value."""
    cloud = torch.empty((*points.shape[:-1], 4), dtype=torch.float32, device=points.device)
    cloud[..., :3] = points
    red, green, blue = rgb.to(torch.int32).unbind(-1)
    # As integers: the bits of a colour are a denormal float, which arithmetic may flush to 0.
    cloud.view(torch.int32)[..., 3] = (red << 16) | (green << 8) | blue
    return cloud
