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

"""What a CameraInfo says of its image, whatever class holds the message."""

from __future__ import annotations

from typing import Protocol, Sequence

from depth_anything_ros.core.camera import from_camera_info, Intrinsics
from depth_anything_ros.core.distortion import FISHEYE_MODELS, Rectification, rectification
from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np


class Region(Protocol):
    """Fields of sensor_msgs/RegionOfInterest that are read, in pixels at full resolution."""

    x_offset: int
    y_offset: int
    width: int
    height: int


class Info(Protocol):
    """Fields of sensor_msgs/CameraInfo that are read."""

    width: int
    height: int
    distortion_model: str
    d: Sequence[float]
    k: Sequence[float]
    r: Sequence[float]
    p: Sequence[float]
    binning_x: int
    binning_y: int
    roi: Region


def is_distorted(info: Info) -> bool:
    """Return whether the camera has lens distortion that nobody has taken out."""
    return any(value != 0.0 for value in info.d)


def called_rectified(topic: str) -> bool:
    """Return whether a topic has image_proc's name of a rectified image: image_rect..."""
    return topic.removesuffix('/compressed').rpartition('/')[2].startswith('image_rect')


def rectification_of(info: Info, reduction: int = 1) -> Rectification | None:
    """
    Return how the raw image of a message becomes the one that P describes, None where it is that.

    :param info: a calibrated message.
    :param reduction: how many times smaller than the message says the image was made, as if it
        had been binned so much more.
    :raises InvalidIntrinsics: when a value is impossible or the model is not supported.
    """
    fisheye = info.distortion_model in FISHEYE_MODELS
    turned = any(info.r) and not np.allclose(np.reshape(info.r, (3, 3)), np.eye(3), atol=1e-9)
    p = np.reshape(info.p, (3, 4))[:, :3]
    other = p.any() and not np.allclose(p, np.reshape(info.k, (3, 3)), rtol=1e-6)
    if not (is_distorted(info) or fisheye or turned or other):
        return None
    roi = info.roi
    return rectification(
        info.distortion_model, info.d, info.k, info.r, info.p, info.width, info.height,
        binning=(max(1, info.binning_x) * reduction, max(1, info.binning_y) * reduction),
        roi=(roi.x_offset, roi.y_offset, roi.width, roi.height))


def intrinsics_of(
    info: Info, width: int, height: int, *, rectified: bool | None = None,
) -> Intrinsics | None:
    """
    Return the camera of an image, None where the message says that it is not calibrated.

    The message does not tell whether its image is rectified. Without distortion it is as good as
    rectified, and P describes it where P is set; otherwise K does, and the caller should warn.

    :param info: the message; K, P, region of interest and binning as CameraInfo.msg says.
    :param width: width of the image in pixels.
    :param height: height of the image in pixels.
    :param rectified: whether the image is rectified, where the caller knows: True takes P although
        the message still has the D of the raw image, False takes K.
    :raises InvalidIntrinsics: when the message is impossible or belongs to another size.
    """
    if rectified is None:
        rectified = not is_distorted(info)
    matrix = info.p if rectified and info.p[0] > 0.0 else info.k
    if matrix[0] == 0.0:
        return None
    roi = info.roi
    camera = from_camera_info(
        matrix, info.width, info.height, binning=(info.binning_x, info.binning_y),
        roi=(roi.x_offset, roi.y_offset, roi.width, roi.height))
    if camera.size != (width, height):
        raise InvalidIntrinsics(
            f'camera_info describes an image of {camera.width}x{camera.height} '
            f'({info.width}x{info.height}, region of interest {roi.width}x{roi.height}, binning '
            f'{info.binning_x}x{info.binning_y}), the image is {width}x{height}')
    return camera
