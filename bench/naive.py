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

"""
The usual way to bring depth to ROS, as tutorials and wrappers do it: the reference to beat.

Copies as cv_bridge makes them, normalising in float64 on the full frame, a meshgrid for the cloud
and a structured array packed as sensor_msgs_py's ``create_cloud`` does.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

POINT = np.dtype([('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('rgb', '<f4')])


def read_image(data: bytes, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Return the BGR image of an rgb8 message, copied and converted like cv_bridge."""
    image = np.ndarray((height, width, 3), np.uint8, buffer=data).copy()
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)


def network_input(bgr: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.float32]:
    """Return (1, 3, height, width) float32, normalised in float64 and then resized."""
    image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB) / 255.0
    image = (image - np.array(MEAN)) / np.array(DEVIATION)
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.transpose(image, (2, 0, 1))[None]).astype(np.float32)


def cloud_bytes(
    depth: npt.NDArray[np.float32], bgr: npt.NDArray[np.uint8], matrix: tuple[float, ...],
) -> bytes:
    """Return the bytes of an XYZRGB cloud by meshgrid and a structured array."""
    height, width = depth.shape
    fx, fy, cx, cy = matrix
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    points = np.stack(((u - cx) * depth / fx, (v - cy) * depth / fy, depth), axis=-1)
    colours = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint32)
    packed = (colours[..., 0] << 16) | (colours[..., 1] << 8) | colours[..., 2]
    cloud = np.empty(height * width, POINT)
    for index, axis in enumerate('xyz'):
        cloud[axis] = points.reshape(-1, 3)[:, index]
    cloud['rgb'] = packed.reshape(-1).view(np.float32)
    # As create_cloud: into an array of its own, then to bytes.
    structured = np.array(cloud, copy=True)
    return structured.tobytes()
