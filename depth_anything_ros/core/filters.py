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


def dense(cloud: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """
    Return the valid points of an organised cloud as a list in row order, without a NaN.

    :param cloud: (..., C) float32 with x, y, z first; further columns are carried along.
    :returns: (N, C) float32, contiguous: a PointCloud2 of height 1 with ``is_dense`` true.
    """
    return np.ascontiguousarray(cloud[np.isfinite(cloud[..., :3]).all(axis=-1)])
