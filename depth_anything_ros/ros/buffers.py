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

"""Long-lived messages out: sized once, then filled in place for every frame."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.pointcloud import POINT_STEP
from depth_anything_ros.ros.camera_info import fill_camera_info
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import Header

Pixels = npt.NDArray[Any]


def zeros(message: Any, size: int, kind: type) -> Pixels:
    """Make the data of a new message ``size`` bytes long and return a writable view of it."""
    # frombytes on the message's own array: assigning to data copies, or walks every byte.
    message.data.frombytes(bytes(size))
    return np.frombuffer(message.data, kind)


class ImageBuffer:
    """An image message that is used again for every frame of the same size."""

    def __init__(self, encoding: str) -> None:
        """
        Make a buffer.

        :param encoding: 32FC1, rgb8 or any other name; the array that comes decides the layout.
        """
        self._encoding = encoding
        self._shape: tuple[int, ...] = ()
        self._message = Image()
        self._view: Pixels = np.empty(0)

    def fill(self, header: Header, pixels: Pixels) -> Image:
        """
        Return the message with these pixels; valid until the next call.

        :param header: header of the input image.
        :param pixels: (H, W) or (H, W, C) in this machine's byte order.
        """
        if pixels.shape != self._shape:
            self._resize(pixels)
        self._message.header = header
        np.copyto(self._view, pixels)
        return self._message

    def _resize(self, pixels: Pixels) -> None:
        height, width = pixels.shape[:2]
        message = Image(height=height, width=width, encoding=self._encoding)
        message.step = pixels.nbytes // height
        message.is_bigendian = 0
        self._view = zeros(message, pixels.nbytes, pixels.dtype.type).reshape(pixels.shape)
        self._message, self._shape = message, pixels.shape


class InfoBuffer:
    """A CameraInfo message that is used again for every frame."""

    def __init__(self) -> None:
        """Make a buffer."""
        self._message = CameraInfo()

    def fill(self, header: Header, camera: Intrinsics) -> CameraInfo:
        """Return the message with this camera; valid until the next call."""
        return fill_camera_info(self._message, header, camera)


class CloudBuffer:
    """An organised XYZRGB cloud message that is used again for every frame of the same size."""

    def __init__(self) -> None:
        """Make a buffer."""
        self._shape: tuple[int, ...] = ()
        self._message = PointCloud2()
        self._view: Pixels = np.empty(0)

    def fill(self, header: Header, cloud: npt.NDArray[np.float32]) -> PointCloud2:
        """
        Return the message with these points; valid until the next call.

        :param header: header of the input image.
        :param cloud: (H, W, 4) float32: x, y, z in metres in the optical frame, packed colour;
            NaN where there is no point.
        """
        if cloud.shape != self._shape:
            self._resize(cloud)
        self._message.header = header
        # As integers: a float copy may change the bits of a colour that looks like a NaN.
        np.copyto(self._view, cloud.view(np.uint32))
        return self._message

    def _resize(self, cloud: npt.NDArray[np.float32]) -> None:
        height, width = cloud.shape[:2]
        message = PointCloud2(height=height, width=width)
        message.fields = [
            PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
            for index, name in enumerate(('x', 'y', 'z', 'rgb'))]
        message.is_bigendian = False
        message.point_step = POINT_STEP
        message.row_step = POINT_STEP * width
        message.is_dense = False
        self._view = zeros(message, cloud.nbytes, np.uint32).reshape(cloud.shape)
        self._message, self._shape = message, cloud.shape
