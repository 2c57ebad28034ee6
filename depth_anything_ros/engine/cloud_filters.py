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

"""Which pixels and points a cloud keeps: the torch forms of the filters in ``core``."""

from __future__ import annotations

from functools import reduce
import math

from depth_anything_ros.core.flying_pixels import FLYING_RADIUS, FLYING_RATIO
from depth_anything_ros.core.voxels import AXIS_BITS, AXIS_LIMIT, check_extent
import torch
from torch.nn.functional import pad

NAN = float('nan')


def flying_pixels(
    depth: torch.Tensor, ratio: float = FLYING_RATIO, radius: int = FLYING_RADIUS,
) -> torch.Tensor:
    """
    Return where a depth lies on no surface but between two.

    See ``core.flying_pixels.flying_pixels``, step by step the same arithmetic.

    :param depth: (H, W) float32, NaN where invalid.
    :param ratio: depth ratio between different surfaces.
    :param radius: how far to look, in pixels.
    :returns: (H, W) bool.
    """
    inverse = torch.where(depth.isfinite() & (depth > 0), 1 / depth, NAN)
    along_columns = _flying_along_rows(inverse.T.contiguous(), ratio, radius).T
    return _flying_along_rows(inverse, ratio, radius) | along_columns


def _flying_along_rows(inverse: torch.Tensor, ratio: float, radius: int) -> torch.Tensor:
    largest = _neighbours(inverse.nan_to_num(-math.inf), radius, -math.inf)
    smallest = _neighbours(inverse.nan_to_num(math.inf), radius, math.inf)
    limit = inverse * ((ratio - 1) / 2)
    nearer, farther, bent = [], [], []
    for side, high, low in zip(
            _neighbours(inverse, radius, NAN), largest, smallest, strict=True):
        # Plain maxima of what stands in for NaN: ten times as fast as maxima that skip it.
        nearer.append(reduce(torch.maximum, high[1:]) > inverse * ratio)
        farther.append(reduce(torch.minimum, low[1:]) * ratio < inverse)
        # A comparison with NaN is False: where nothing is valid nothing bends.
        bends = [(before - 2 * here + after).abs_() > limit
                 for before, here, after in zip(side, side[1:], side[2:])]
        bent.append(reduce(torch.logical_or, bends))
    between = (nearer[0] & farther[1]) | (farther[0] & nearer[1])
    return between & bent[0] & bent[1]


def _neighbours(
    values: torch.Tensor, radius: int, fill: float,
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return every pixel and its neighbours to the left, and the same to the right."""
    columns = values.shape[1]
    padded = pad(values, (radius, radius), value=fill)
    steps = [padded[:, offset:offset + columns] for offset in range(2 * radius + 1)]
    return steps[radius::-1], steps[radius:]


def surest(confidence: torch.Tensor, percent: float, valid: torch.Tensor) -> torch.Tensor:
    """
    Return the surest ``percent`` of the valid pixels; see ``core.filters.surest``.

    :param confidence: (...) float32.
    :param percent: share to keep, more than 0 and up to 100.
    :param valid: (...) bool.
    :returns: (...) bool.
    """
    known = valid & ~confidence.isnan()
    values = confidence[known]
    count = values.numel()
    kept = math.ceil(count * percent / 100)
    if kept == count:
        return known
    threshold = values.kthvalue(count - kept + 1).values
    return known & (confidence >= threshold)


def first_of_voxels(points: torch.Tensor, size: float) -> torch.Tensor:
    """
    Return the indices of one point per voxel, ascending: the one nearest to its centre.

    See ``core.voxels.thinned``.

    :param points: (N, 3) float32 metres, finite.
    :param size: side of a voxel, metres.
    :returns: (M,) int64.
    :raises InvalidRequest: when the size is too small for points so far away.
    """
    if not points.numel():
        return torch.empty(0, dtype=torch.int64, device=points.device)
    check_extent(float(points.abs().max()), size)
    # Divided by a tensor: by a number, CUDA multiplies with its rounded inverse.
    scaled = points / torch.tensor(size, dtype=torch.float32, device=points.device)
    index = scaled.floor()
    x, y, z = (scaled - index - 0.5).unbind(1)
    distance = x * x + y * y + z * z
    shifted = index.long() + AXIS_LIMIT
    keys = (shifted[:, 0] << 2 * AXIS_BITS) | (shifted[:, 1] << AXIS_BITS) | shifted[:, 2]
    order = keys.argsort(stable=True)
    ordered, distance = keys[order], distance[order]
    begins = torch.ones_like(ordered, dtype=torch.bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    voxel = begins.cumsum(0) - 1
    least = distance.new_full((int(voxel[-1]) + 1,), math.inf).scatter_reduce_(
        0, voxel, distance, 'amin')
    nearest = (distance == least[voxel]).nonzero().squeeze(1)
    # Of equally near ones the first in the list: the sort was stable.
    voxel = voxel[nearest]
    first = torch.ones_like(voxel, dtype=torch.bool)
    first[1:] = voxel[1:] != voxel[:-1]
    chosen: torch.Tensor = order[nearest[first]].sort().values
    return chosen
