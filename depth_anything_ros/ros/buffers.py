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

from array import array
from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.scan import Scan
from depth_anything_ros.ros.camera_info import fill_camera_info
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2, PointField
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
    """
    A point cloud message that is used again for every frame.

    An organised cloud of one size is filled in place; a list has another length every time, and
    its bytes are copied once into an array of their own.
    """

    def __init__(self) -> None:
        """Make a buffer."""
        self._shape: tuple[int, ...] = ()
        self._message = PointCloud2()
        self._view: Pixels = np.empty(0)

    def fill(self, header: Header, cloud: npt.NDArray[np.float32]) -> PointCloud2:
        """
        Return the message with these points; valid until the next call.

        :param header: header of the input image, or one in the frame of the points.
        :param cloud: (H, W, C) float32 with NaN where there is no point, or a list (N, C) without
            NaN: x, y, z in metres and, where C is 4, packed colour.
        """
        if cloud.ndim == 2:
            return self._fill_list(header, cloud)
        if cloud.shape != self._shape:
            self._message = empty_cloud(*cloud.shape, dense=False)
            self._view = zeros(self._message, cloud.nbytes, np.uint32).reshape(cloud.shape)
            self._shape = cloud.shape
        self._message.header = header
        # As integers: a float copy may change the bits of a colour that looks like a NaN.
        np.copyto(self._view, cloud.view(np.uint32))
        return self._message

    def _fill_list(self, header: Header, cloud: npt.NDArray[np.float32]) -> PointCloud2:
        self._shape = ()
        message = empty_cloud(1, *cloud.shape, dense=True)
        message.header = header
        message.data.frombytes(cloud.reshape(-1).view(np.uint8).data)
        return message


def empty_cloud(height: int, width: int, channels: int, *, dense: bool) -> PointCloud2:
    """
    Return a cloud message without data.

    :param height: rows of points, 1 for a list.
    :param width: points in a row.
    :param channels: 3 for x, y, z (12 bytes a point) or 4 with packed colour (16 bytes).
    :param dense: whether every point is valid.
    """
    message = PointCloud2(height=height, width=width)
    message.fields = [
        PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
        for index, name in enumerate(('x', 'y', 'z', 'rgb')[:channels])]
    message.is_bigendian = False
    message.point_step = 4 * channels
    message.row_step = message.point_step * width
    message.is_dense = dense
    return message


class ScanBuffer:
    """A LaserScan message that is used again for every frame."""

    def __init__(self) -> None:
        """Make a buffer."""
        self._message = LaserScan()

    def fill(self, header: Header, scan: Scan) -> LaserScan:
        """
        Return the message with this scan; valid until the next call.

        All beams are of one moment, that of the image: there is no time between them.

        :param header: header of the input image, in the scan's own frame.
        :param scan: the scan.
        """
        message = self._message
        message.header = header
        message.angle_min, message.angle_max = scan.angle_min, scan.angle_max
        message.angle_increment = scan.angle_increment
        message.range_min, message.range_max = scan.nearest, scan.farthest
        message.ranges = array('f', scan.ranges.tobytes())
        return message
