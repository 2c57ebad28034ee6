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
import math
from typing import Any, Callable

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.scan import Scan
from depth_anything_ros.ros.camera_info import fill_camera_info
from depth_anything_ros.ros.carriers import Carrier, Plain
from depth_anything_ros.ros.headers import AnyHeader, OwnHeader
from depth_anything_ros.ros.received import forwarded
from depth_anything_ros.ros.rotation import Pixels, Rotation
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2, PointField

Carry = Callable[[type], Carrier]
"""Makes what the message of a kind lies in."""


class ImageBuffer:
    """Image messages that are used again for the frames of one size."""

    def __init__(self, encoding: str, carry: Carry = Plain) -> None:
        """
        Make a buffer.

        :param encoding: 32FC1, rgb8 or any other name; the array that comes decides the layout.
        :param carry: what the messages lie in.
        """
        self._encoding = encoding
        self._messages = Rotation(lambda: carry(Image), self._describe)

    def place(self, shape: tuple[int, ...], kind: type) -> Pixels | None:
        """Return memory of a message to write the next frame into, see :class:`Rotation`."""
        return self._messages.place(shape, kind)

    def fill(self, header: AnyHeader, pixels: Pixels) -> Any:
        """
        Return a message with these pixels; valid until the next call.

        :param header: header of the input image.
        :param pixels: (H, W) or (H, W, C) in this machine's byte order; copied unless they are
            in a place that this buffer gave, or all the bytes of a message that was received.
        """
        carrier = self._messages.carrier_of(pixels)
        if carrier is None and (received := forwarded(pixels, self._encoding, header)):
            return received
        return (carrier or self._messages.copied(pixels)).headed(header)

    def _describe(self, message: Image, shape: tuple[int, ...], kind: type) -> None:
        message.height, message.width = shape[:2]
        message.encoding, message.is_bigendian = self._encoding, 0
        message.step = math.prod(shape[1:]) * np.dtype(kind).itemsize


class InfoBuffer:
    """A CameraInfo message that is used again for every frame."""

    def __init__(self, carry: Carry = Plain) -> None:
        """
        Make a buffer.

        :param carry: what the message lies in.
        """
        self._carrier = carry(CameraInfo)
        self._camera: Intrinsics | None = None

    def fill(self, header: AnyHeader, camera: Intrinsics) -> Any:
        """Return the message with this camera; valid until the next call."""
        if camera is not self._camera and camera != self._camera:
            self._camera = camera
            message = self._carrier.message
            fill_camera_info(message, message.header, camera)
            self._carrier.changed()
        return self._carrier.headed(header)


class CloudBuffer:
    """
    Point cloud messages that are used again.

    Organised clouds and lists are filled in place; a message whose list had another length is made
    longer or shorter.
    """

    def __init__(self, carry: Carry = Plain) -> None:
        """
        Make a buffer.

        :param carry: what the messages lie in.
        """
        self._messages = Rotation(lambda: carry(PointCloud2), describe_cloud)

    def place(self, shape: tuple[int, ...], kind: type) -> Pixels | None:
        """Return memory of a message to write the next cloud into, see :class:`Rotation`."""
        return self._messages.place(shape, kind)

    def fill(self, header: AnyHeader, cloud: npt.NDArray[np.float32]) -> Any:
        """
        Return a message with these points; valid until the next call.

        :param header: header of the input image, or one in the frame of the points.
        :param cloud: (H, W, C) float32 with NaN where there is no point, or a list (N, C) without
            NaN: x, y, z in metres and, where C is 4, packed colour. Copied unless it is in a
            place that this buffer gave.
        """
        carrier = self._messages.carrier_of(cloud) or self._messages.copied(cloud)
        return carrier.headed(header)


def describe_cloud(message: PointCloud2, shape: tuple[int, ...], kind: type) -> None:
    """
    Write into a message, but for its data, what a cloud of this shape means there.

    :param message: the message.
    :param shape: (H, W, C) of an organised cloud, (N, C) of a list of valid points; C is 3 for
        x, y, z (12 bytes a point) or 4 with packed colour (16 bytes).
    :param kind: float32.
    """
    *rows, width, channels = shape
    if len(message.fields) != channels:
        message.fields = [
            PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
            for index, name in enumerate(('x', 'y', 'z', 'rgb')[:channels])]
    message.height, message.width = rows[0] if rows else 1, width
    message.is_bigendian = False
    message.point_step = 4 * channels
    message.row_step = message.point_step * width
    message.is_dense = not rows


class ScanBuffer:
    """A LaserScan message that is used again for every frame."""

    def __init__(self) -> None:
        """Make a buffer."""
        self._message = LaserScan()
        self._header = OwnHeader(self._message.header)
        self._ranges: Any = memoryview(self._message.ranges)
        self._grid: tuple[float, ...] = ()

    def fill(self, header: AnyHeader, scan: Scan) -> LaserScan:
        """
        Return the message with this scan; valid until the next call.

        All beams are of one moment, that of the image: there is no time between them.

        :param header: header of the input image, in the scan's own frame.
        :param scan: the scan.
        """
        message = self._message
        self._header.write(header)
        grid = (scan.angle_min, scan.angle_max, scan.angle_increment, scan.nearest, scan.farthest)
        if grid != self._grid:
            self._grid = grid
            (message.angle_min, message.angle_max, message.angle_increment, message.range_min,
             message.range_max) = grid
        try:
            self._ranges[:] = scan.ranges
        except ValueError:  # another number of beams
            message.ranges = array('f', scan.ranges.tobytes())
            self._ranges = memoryview(message.ranges)
        return message
