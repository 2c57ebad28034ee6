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

"""CameraInfo out; what one that comes in says is in ``core.camera_info``."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header


def fill_camera_info(message: CameraInfo, header: Header, camera: Intrinsics) -> CameraInfo:
    """
    Fill a message with a camera without distortion, region of interest or binning.

    K and P say the same, so that consumers of either agree with our cloud; P has no baseline.

    :param message: message to fill.
    :param header: header of the input image.
    :param camera: the camera of exactly the published pixels.
    :returns: the same message.
    """
    message.header = header
    message.width, message.height = camera.size
    message.distortion_model = 'plumb_bob'
    message.d = [0.0] * 5
    message.k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [
        camera.fx, 0.0, camera.cx, 0.0, 0.0, camera.fy, camera.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    message.binning_x = message.binning_y = 0
    message.roi = RegionOfInterest()
    return message


def content_of(info: Any) -> tuple[Any, ...]:
    """
    Return all that a CameraInfo says of the camera, but for its stamp: equal for equal cameras.

    :param info: the message.
    """
    roi = info.roi
    return (info.header.frame_id, info.width, info.height, info.distortion_model, tuple(info.d),
            tuple(info.k), tuple(info.r), tuple(info.p), info.binning_x, info.binning_y,
            roi.x_offset, roi.y_offset, roi.width, roi.height, roi.do_rectify)
