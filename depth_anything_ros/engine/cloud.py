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

from depth_anything_ros.core.cloud_options import CloudOptions
from depth_anything_ros.core.placement import Matrix, Row
from depth_anything_ros.engine.cloud_filters import (
    first_of_voxels,
    flying_pixels,
    NAN,
    surest,
)
from depth_anything_ros.engine.grids import Rays
import numpy as np
import torch


def filtered(confidence: torch.Tensor | None, options: CloudOptions) -> bool:
    """Return whether points may be fewer than valid pixels; see :func:`trusted_depth`."""
    by_confidence = options.confidence_percentile > 0 and confidence is not None
    return options.edge_filter or by_confidence


def trusted_depth(
    depth: torch.Tensor, confidence: torch.Tensor | None, options: CloudOptions,
) -> torch.Tensor:
    """Return the depth from which points are made; see ``core.cloud.trusted_depth``."""
    if not filtered(confidence, options):
        return depth
    keep = depth.isfinite()
    if confidence is not None and options.confidence_percentile > 0:
        keep = surest(confidence, 100 - options.confidence_percentile, keep)
    if options.edge_filter:
        keep &= ~flying_pixels(depth)
    return torch.where(keep, depth, NAN)


def point_depth(
    depth: torch.Tensor, table: Rays, options: CloudOptions, *, to_level: Matrix,
    placement: Matrix | None, beyond: torch.Tensor | None, far_distance: float,
) -> torch.Tensor:
    """Return the depth of every point, ``depth`` itself where all are; see ``core.cloud``."""
    if not options.limited and beyond is None:
        return depth
    x, y = table.x, table.y[:, None]
    length = (x * x + (y * y + 1)).sqrt()
    kept, free = depth, beyond
    if options.limited:
        distance = depth * length
        keep = (distance >= options.nearest) & (distance <= options.farthest)
        a, b, c, offset = rounded((placement or to_level)[2])
        height = depth * (x * a + (y * b + c)) + offset
        keep &= (height >= options.lowest) & (height <= options.highest)
        kept = torch.where(keep, depth, NAN)
        free = None if beyond is None else beyond | (distance > options.farthest)
    return kept if free is None else torch.where(free, far_distance / length, kept)


def make_cloud(
    depth: torch.Tensor, table: Rays, rgb: torch.Tensor | None, options: CloudOptions,
    placement: Matrix | None,
) -> torch.Tensor:
    """
    Return the cloud in the form that the options ask for; see ``core.cloud.make_cloud``.

    :param depth: (H', W') float32 metres, see :func:`point_depth`, after the stride.
    :param table: the rays of these pixels.
    :param rgb: (H', W', 3) uint8, their colours; None without colour.
    :param options: the form.
    :param placement: 3x4 transform to the frame of the points.
    :returns: (H', W', C) or (N, C) float32.
    """
    points = torch.stack((depth * table.x, depth * table.y[:, None], depth), -1)
    chosen = None
    if options.listed:
        chosen = depth.isfinite().flatten().nonzero().squeeze(1)
        points = points.view(-1, 3).index_select(0, chosen)
    if placement is not None:
        x, y, z = points.unbind(-1)
        points = torch.stack([
            x * a + y * b + z * c + offset for a, b, c, offset in map(rounded, placement)], -1)
    if chosen is not None and options.voxel_size:
        first = first_of_voxels(points, options.voxel_size)
        points, chosen = points.index_select(0, first), chosen.index_select(0, first)
    if rgb is None:
        return points
    return _coloured(
        points, rgb if chosen is None else rgb.reshape(-1, 3).index_select(0, chosen))


def strided(table: Rays, step: int) -> Rays:
    """Return the rays of every n-th column and row."""
    return Rays(table.x[::step], table.y[::step])


def rounded(row: Row) -> Row:
    """Return a row of a transform in float32, as the reference takes it."""
    a, b, c, offset = (float(np.float32(value)) for value in row)
    return a, b, c, offset


def _coloured(points: torch.Tensor, rgb: torch.Tensor) -> torch.Tensor:
    """Return points with their packed colour as a fourth value."""
    cloud = torch.empty((*points.shape[:-1], 4), dtype=torch.float32, device=points.device)
    cloud[..., :3] = points
    red, green, blue = rgb.to(torch.int32).unbind(-1)
    # As integers: the bits of a colour are a denormal float, which arithmetic may flush to 0.
    cloud.view(torch.int32)[..., 3] = (red << 16) | (green << 8) | blue
    return cloud
