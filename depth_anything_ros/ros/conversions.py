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

"""Image messages in: header and pixels to a Frame, without cv_bridge and without a copy."""

from __future__ import annotations

import logging

from builtin_interfaces.msg import Time
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.image_encodings import LAYOUTS, SUPPORTED, to_rgb
from depth_anything_ros.errors import InvalidImage, UnsupportedEncoding
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage, Image

logger = logging.getLogger(__name__)

NANOSECONDS = 1_000_000_000


def stamp_ns(stamp: Time) -> int:
    """Return a time message in nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def frame_of(message: Image, intrinsics: Intrinsics | None = None) -> Frame:
    """
    Return the frame in an image message; its pixels are a view of the message where they can be.

    :param message: the image, in any encoding of ``SUPPORTED``; others are tried with cv_bridge.
    :param intrinsics: the camera of exactly these pixels, where it is known already.
    :raises InvalidImage: when size, step and number of bytes do not fit together.
    :raises UnsupportedEncoding: when neither we nor cv_bridge read the encoding.
    """
    return Frame(
        rgb_of(message), stamp_ns(message.header.stamp), message.header.frame_id, intrinsics)


def rgb_of(message: Image) -> npt.NDArray[np.uint8]:
    """Return the (H, W, 3) pixels of an image message; see :func:`frame_of`."""
    if message.encoding in LAYOUTS:
        return to_rgb(
            data_of(message), message.encoding, message.width, message.height, message.step,
            big_endian=bool(message.is_bigendian))
    return _by_cv_bridge(message)


def data_of(message: Image | CompressedImage) -> npt.NDArray[np.uint8]:
    """
    Return the bytes of a message as a (n,) uint8 view.

    :raises InvalidImage: when the message's data is not in this machine's memory.
    """
    try:
        return np.frombuffer(memoryview(message.data), np.uint8)
    except (TypeError, ValueError, BufferError) as error:
        raise InvalidImage(
            f'image data is {type(message.data).__name__}, which cannot be read as bytes '
            f'({error})') from None


def _by_cv_bridge(message: Image) -> npt.NDArray[np.uint8]:
    """Return the RGB picture of an encoding that only cv_bridge may know."""
    refused = f'image encoding is {message.encoding!r}; accepted: {", ".join(SUPPORTED)}'
    try:
        from cv_bridge import CvBridge
    except Exception as error:
        # Not only ImportError: a cv_bridge built for another numpy or OpenCV fails in many ways.
        raise UnsupportedEncoding(
            f'{refused} (cv_bridge cannot help: {type(error).__name__}: {error})') from None
    try:
        rgb = CvBridge().imgmsg_to_cv2(message, 'rgb8')
    except Exception as error:
        raise UnsupportedEncoding(
            f'{refused} (cv_bridge refused it: {type(error).__name__}: {error})') from None
    logger.debug('%s was read by cv_bridge', message.encoding)
    return np.asarray(rgb, np.uint8)
