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

"""A depth map as a colour picture for people."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def colourise(
    depth: npt.NDArray[np.float32], *, nearest: float | None = None, farthest: float | None = None,
    out: npt.NDArray[np.uint8] | None = None,
) -> npt.NDArray[np.uint8]:
    """
    Return depth in colours: near is warm, far is cold, invalid is black.

    The colour follows 1 / depth, so that near structure is visible beside a far background.

    :param depth: (H, W) float32, NaN where invalid.
    :param nearest: depth that gets the warmest colour; default: 2nd percentile of the map.
    :param farthest: depth that gets the coldest colour; default: 98th percentile of the map.
    :param out: (H, W, 3) uint8 to write to, default: a new array.
    :returns: (H, W, 3) uint8 RGB.
    """
    coloured = np.empty((*depth.shape, 3), np.uint8) if out is None else out
    with np.errstate(invalid='ignore'):
        valid = np.isfinite(depth) & (depth > 0)
    values = depth[valid]
    if values.size == 0:
        coloured.fill(0)
        return coloured
    low, high = np.percentile(values, (2, 98))
    near = float(low if nearest is None else nearest)
    far = max(float(high if farthest is None else farthest), near * 1.001)
    inverse = np.zeros(depth.shape, np.float32)
    inverse[valid] = (1 / values - 1 / far) / (1 / near - 1 / far)
    levels = (np.clip(inverse, 0, 1) * 255).astype(np.uint8)
    cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB, coloured)
    coloured[~valid] = 0
    return coloured
