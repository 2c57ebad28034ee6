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

"""Resize depth without inventing surfaces between an object and what is behind it."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Value = TypeVar('Value', bound=np.generic)

EDGE_RATIO = 1.1
"""Neighbours whose depths differ by more than this factor belong to different surfaces."""


def sample_positions(
    source: int, target: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """
    Return where the target's pixel centres fall in the source: low, high and the weight of high.

    Pixel centres coincide as in OpenCV's and torch's bilinear resize: (i + 0.5) * s - 0.5.

    :param source: number of source pixels on this axis.
    :param target: number of target pixels on this axis.
    :returns: (target,) int64 low, (target,) int64 high, (target,) float32 weight in 0..1.
    """
    centre = (np.arange(target, dtype=np.float64) + 0.5) * (source / target) - 0.5
    centre = np.clip(centre, 0, source - 1)
    low = np.floor(centre).astype(np.int64)
    high = np.minimum(low + 1, source - 1)
    return low, high, (centre - low).astype(np.float32)


def resize_depth(
    depth: npt.NDArray[np.float32], width: int, height: int, *, edge_ratio: float = EDGE_RATIO,
) -> npt.NDArray[np.float32]:
    """
    Return depth at another size: linear on a surface, nearest at edges and invalid pixels.

    Where the four neighbours are all valid and within ``edge_ratio`` of each other the value is
    their bilinear mean; elsewhere it is that of the nearest pixel, NaN if that one is NaN.

    :param depth: (H, W) float32, NaN where invalid.
    :param width: target width in pixels.
    :param height: target height in pixels.
    :param edge_ratio: largest far/near ratio of one surface inside four neighbours.
    :returns: (height, width) float32.
    """
    if depth.shape == (height, width):
        return depth
    low_y, high_y, weight_y = sample_positions(depth.shape[0], height)
    low_x, high_x, weight_x = sample_positions(depth.shape[1], width)
    upper, lower = depth[low_y], depth[high_y]
    a, b, c, d = upper[:, low_x], upper[:, high_x], lower[:, low_x], lower[:, high_x]
    wx, wy = weight_x[None, :], weight_y[:, None]
    top = a + (b - a) * wx
    linear = top + (c + (d - c) * wx - top) * wy
    # minimum and maximum hand NaN on, and a comparison with NaN is False: nearest is taken.
    near = np.minimum(np.minimum(a, b), np.minimum(c, d))
    far = np.maximum(np.maximum(a, b), np.maximum(c, d))
    with np.errstate(invalid='ignore'):
        smooth = far <= near * np.float32(edge_ratio)
    rows = np.where(weight_y < 0.5, low_y, high_y)
    columns = np.where(weight_x < 0.5, low_x, high_x)
    nearest = depth[rows][:, columns]
    return np.where(smooth, linear, nearest)


def resize_nearest(
    values: npt.NDArray[Value], width: int, height: int,
) -> npt.NDArray[Value]:
    """Return ``values`` (H, W) at (height, width) by the nearest pixel centre."""
    if values.shape[:2] == (height, width):
        return values
    low_y, high_y, weight_y = sample_positions(values.shape[0], height)
    low_x, high_x, weight_x = sample_positions(values.shape[1], width)
    rows = np.where(weight_y < 0.5, low_y, high_y)
    columns = np.where(weight_x < 0.5, low_x, high_x)
    return values[rows][:, columns]
