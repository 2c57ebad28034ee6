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

"""Which points of a cloud are worth keeping: small masks, and the list without holes."""

from __future__ import annotations

from depth_anything_ros.errors import InvalidRequest
import numpy as np
import numpy.typing as npt


def within_range(
    points: npt.NDArray[np.float32], nearest: float, farthest: float,
) -> npt.NDArray[np.bool_]:
    """
    Return True for points whose distance from the camera is within limits.

    Distance is the length of the ray, not depth: the band is a shell, as with a range sensor.

    :param points: (..., 3 or more) float32, x, y, z first, in metres.
    :param nearest: smallest distance kept, metres.
    :param farthest: largest distance kept, metres.
    :returns: (...) bool, False where a point is invalid.
    :raises InvalidRequest: when the limits are not 0 <= nearest < farthest.
    """
    if not 0 <= nearest < farthest:
        raise InvalidRequest(
            f'range limits must satisfy 0 <= nearest < farthest, seen {nearest:g} and '
            f'{farthest:g}')
    distance = lengths(points)
    with np.errstate(invalid='ignore'):
        inside = (distance >= nearest) & (distance <= farthest)
    return np.asarray(inside)


def lengths(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the distance of (..., 3 or more) float32 points from the camera, NaN of invalid."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    distance: npt.NDArray[np.float32] = np.sqrt(x * x + y * y + z * z)
    return distance


def heights(
    points: npt.NDArray[np.float32], to_level: npt.ArrayLike | None = None,
) -> npt.NDArray[np.float32]:
    """
    Return how high every point is.

    Without a transform the camera is taken as level and the height is that over the camera, -y.

    :param points: (..., 3 or more) float32, x, y, z first, metres, optical frame.
    :param to_level: 3x4 transform from the optical frame to a frame whose z points up (such as
        base_link or a gravity-aligned one); heights are then its z.
    :returns: (...) float32 metres, NaN where a point is invalid.
    :raises InvalidRequest: when the transform is not 3x4 and finite.
    """
    if to_level is None:
        return np.asarray(-points[..., 1])
    transform = np.asarray(to_level, np.float32)
    if transform.shape != (3, 4) or not np.isfinite(transform).all():
        raise InvalidRequest(
            f'to_level must be a finite 3x4 matrix, seen {transform.shape}: {transform.tolist()}')
    x, y, z, offset = transform[2]
    return np.asarray(points[..., 0] * x + points[..., 1] * y + points[..., 2] * z + offset)


def within_height(
    points: npt.NDArray[np.float32], lowest: float, highest: float,
    to_level: npt.ArrayLike | None = None,
) -> npt.NDArray[np.bool_]:
    """
    Return True for points in a band of heights, see :func:`heights`.

    :param points: (..., 3 or more) float32 metres, optical frame.
    :param lowest: smallest height kept, metres.
    :param highest: largest height kept, metres.
    :param to_level: 3x4 transform to a frame whose z points up.
    :returns: (...) bool, False where a point is invalid.
    :raises InvalidRequest: when the limits are not lowest < highest.
    """
    if not lowest < highest:
        raise InvalidRequest(
            f'height limits must satisfy lowest < highest, seen {lowest:g} and {highest:g}')
    height = heights(points, to_level)
    with np.errstate(invalid='ignore'):
        return np.asarray((height >= lowest) & (height <= highest))


def surest(
    confidence: npt.NDArray[np.float32], percent: float, valid: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """
    Return True for the surest ``percent`` of the valid pixels, all those of equal confidence.

    :param confidence: (...) float32, the model's own scale, higher is surer.
    :param percent: share to keep, more than 0 and up to 100.
    :param valid: (...) bool, the pixels that have a depth.
    :returns: (...) bool; pixels whose confidence is NaN are not kept.
    :raises InvalidRequest: when the share is out of range.
    """
    if not 0 < percent <= 100:
        raise InvalidRequest(f'percent must be in (0, 100], seen {percent:g}')
    known = valid & ~np.isnan(confidence)
    values = confidence[known]
    kept = int(np.ceil(values.size * percent / 100))
    if kept == values.size:
        return np.asarray(known)
    threshold = np.partition(values, values.size - kept)[values.size - kept]
    chosen: npt.NDArray[np.bool_] = known & (confidence >= threshold)
    return chosen


def strided(cloud: npt.NDArray[np.float32], step: int) -> npt.NDArray[np.float32]:
    """
    Return every ``step``-th row and column of an organised cloud, from the first on, as a view.

    :param cloud: (H, W, ...) float32.
    :param step: at least 1.
    :raises InvalidRequest: when the step is less than 1.
    """
    if step < 1:
        raise InvalidRequest(f'stride must be at least 1, seen {step}')
    return cloud[::step, ::step]


def invalidated(
    cloud: npt.NDArray[np.float32], keep: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    """
    Return an organised cloud whose points are NaN where ``keep`` is False.

    :param cloud: (H, W, 3 or more) float32, x, y, z first; other columns stay as they are.
    :param keep: (H, W) bool.
    :returns: the same shape, a new array.
    """
    result: npt.NDArray[np.float32] = cloud.copy()
    result[..., :3][~keep] = np.nan
    return result


def dense(
    cloud: npt.NDArray[np.float32], keep: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.float32]:
    """
    Return the valid points of an organised cloud as a list in row order, without a NaN.

    :param cloud: (..., C) float32 with x, y, z first; further columns are carried along.
    :param keep: (...) bool, points that may be in the list; default: all.
    :returns: (N, C) float32, contiguous: a PointCloud2 of height 1 with ``is_dense`` true.
    """
    valid = np.isfinite(cloud[..., :3]).all(axis=-1)
    if keep is not None:
        valid &= keep
    return np.ascontiguousarray(cloud[valid])
