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

"""From a depth map to points in the camera's optical frame."""

from __future__ import annotations

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import numpy.typing as npt


def unproject(
    depth: npt.NDArray[np.float32], intrinsics: Intrinsics,
) -> npt.NDArray[np.float32]:
    """
    Return the point of every pixel: x = (u - cx) z / fx, y = (v - cy) z / fy, z = depth.

    The formula is the one of depth_image_proc; invalid depth (NaN) gives NaN points.

    :param depth: (H, W) float32 metres along the optical axis.
    :param intrinsics: the camera of exactly this depth map.
    :returns: (H, W, 3) float32 metres, optical frame (x right, y down, z forward).
    :raises InvalidIntrinsics: when the sizes differ.
    """
    height, width = depth.shape
    if intrinsics.size != (width, height):
        raise InvalidIntrinsics(
            f'intrinsics are for {intrinsics.width}x{intrinsics.height}, '
            f'the depth map is {width}x{height}')
    ray_x, ray_y = intrinsics.rays()
    points = np.empty((height, width, 3), np.float32)
    np.multiply(depth, ray_x[None, :], out=points[..., 0])
    np.multiply(depth, ray_y[:, None], out=points[..., 1])
    points[..., 2] = depth
    # A pixel without a depth has no point at all: 0 * NaN is NaN already, except for infinities.
    points[~np.isfinite(depth)] = np.nan
    return points
