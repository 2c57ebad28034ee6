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

"""The camera that a model predicts: used only where it can be one."""

from __future__ import annotations

import math

from depth_anything_ros.core.camera import Intrinsics
import torch

NARROWEST, WIDEST = 1.0, 175.0
"""Fields of view in degrees outside of which a predicted camera is not believed."""


def plausible_camera(matrix: torch.Tensor, width: int, height: int) -> Intrinsics | None:
    """
    Return a predicted camera, None where its field of view is impossible.

    The network's field of view ends in a ReLU: 0 is a possible answer, and no camera.

    :param matrix: (3, 3) K in pixels, on any device.
    :param width: width in pixels of the image it belongs to.
    :param height: its height.
    """
    rows = matrix.tolist()
    fx, fy, cx, cy = rows[0][0], rows[1][1], rows[0][2], rows[1][2]
    for focal, side in ((fx, width), (fy, height)):
        if not (math.isfinite(focal) and focal > 0):
            return None
        if not NARROWEST <= math.degrees(2 * math.atan(side / (2 * focal))) <= WIDEST:
            return None
    return Intrinsics(fx, fy, cx, cy, width, height)


def is_plausible(matrices: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """
    Return which predicted cameras are believed: :func:`plausible_camera` without a look at them.

    :param matrices: (B, 3, 3) K in pixels.
    :param width: width in pixels of the images they belong to.
    :param height: their height.
    :returns: (B,) bool.
    """
    found = torch.ones_like(matrices[:, 0, 0], dtype=torch.bool)
    least, most = (0.5 / math.tan(math.radians(angle) / 2) for angle in (WIDEST, NARROWEST))
    for focal, side in ((matrices[:, 0, 0], width), (matrices[:, 1, 1], height)):
        found = found & (focal >= side * least) & (focal <= side * most)
    return found
