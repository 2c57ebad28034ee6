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

"""Thin a cloud to one point per cube of space."""

from __future__ import annotations

from depth_anything_ros.errors import InvalidRequest
import numpy as np
import numpy.typing as npt

AXIS_BITS = 21
"""Bits of a voxel's index on each axis; three of them share one int64."""

AXIS_LIMIT = 2 ** (AXIS_BITS - 1)
"""Voxels on each side of the camera, on each axis: a million."""


def voxel_keys(
    points: npt.NDArray[np.float32], size: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """
    Return the voxel of every point and the squared distance from that voxel's centre.

    Voxel i covers [i, i + 1) * size on an axis.

    :param points: (N, 3) float32 metres, finite.
    :param size: side of a voxel, metres.
    :returns: (N,) int64 keys, equal for points of one voxel, and (N,) float32 in voxel sides
        squared.
    :raises InvalidRequest: when the size is not positive or too small for points so far away, or
        a point is not finite.
    """
    check_extent(float(np.abs(points).max(initial=0)), size)
    scaled = points / np.float32(size)
    index = np.floor(scaled)
    offset = scaled - index - np.float32(0.5)
    x, y, z = offset.T
    distance = x * x + y * y + z * z  # term by term, as the device adds them up
    shifted = index.astype(np.int64) + AXIS_LIMIT
    keys = (shifted[:, 0] << 2 * AXIS_BITS) | (shifted[:, 1] << AXIS_BITS) | shifted[:, 2]
    return keys, distance


def check_extent(farthest: float, size: float) -> None:
    """
    Refuse a voxel size whose index does not fit.

    :param farthest: largest coordinate of all points, metres.
    :param size: side of a voxel, metres.
    :raises InvalidRequest: saying what would fit.
    """
    if not 0 < size < np.inf:
        raise InvalidRequest(f'voxel size must be positive, seen {size:g} m')
    if not np.isfinite(farthest):
        raise InvalidRequest('points must be finite to be thinned, seen NaN or infinity')
    if farthest >= size * (AXIS_LIMIT - 1):
        raise InvalidRequest(
            f'voxel size {size:g} m is too small for a point at {farthest:g} m; at least '
            f'{farthest / (AXIS_LIMIT - 2):g} m')


def one_per_voxel(points: npt.NDArray[np.float32], size: float) -> npt.NDArray[np.int64]:
    """
    Return the ascending indices of one point per voxel: the one nearest to its centre.

    Of equally near points the first one stays. Time is O(N log N) and memory O(N), whatever the
    extent of the cloud.

    :param points: (N, 3) float32 metres, finite.
    :param size: side of a voxel, metres.
    :returns: (M,) int64, M <= N.
    :raises InvalidRequest: when the size is not positive or too small for points so far away.
    """
    keys, distance = voxel_keys(points, size)
    order = np.lexsort((distance, keys))  # stable: equals stay in the order of the list
    ordered = keys[order]
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return np.sort(order[first])


def thinned(cloud: npt.NDArray[np.float32], size: float) -> npt.NDArray[np.float32]:
    """
    Return one measured point per voxel, see :func:`one_per_voxel`.

    No point is invented and the colour is the point's own. The order of the list is kept, so that
    the same cloud gives the same bytes.

    :param cloud: (N, C) float32, x, y, z first in metres, finite (see ``filters.dense``).
    :param size: side of a voxel, metres.
    :returns: (M, C) float32, M <= N.
    :raises InvalidRequest: when the size is not positive or too small for points so far away.
    """
    return cloud[one_per_voxel(cloud[:, :3], size)]
