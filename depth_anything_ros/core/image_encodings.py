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

"""Image bytes to RGB: every encoding of sensor_msgs that we read ourselves, without cv_bridge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import cv2
from depth_anything_ros.errors import InvalidImage, UnsupportedEncoding
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Decoder = Callable[[Bytes, bool], Any]


@dataclass(frozen=True)
class Layout:
    """
    How the bytes of an encoding lie, and how they become RGB.

    ``decode`` is given the rows without padding, (rows, width * pixel_bytes) uint8, and whether
    numbers of two bytes are big-endian. ``unit`` is the (width, height) in pixels of which an
    image of this encoding is a multiple; ``chroma`` says that half as many rows of colour follow
    the rows of brightness.
    """

    pixel_bytes: int
    decode: Decoder
    unit: tuple[int, int] = (1, 1)
    chroma: bool = False


def _as_is(rows: Bytes, big: bool) -> Bytes:
    return rows.reshape(rows.shape[0], -1, 3)


def _converted(code: int, channels: int) -> Decoder:
    def decode(rows: Bytes, big: bool) -> Any:
        shaped = rows.reshape(rows.shape[0], -1, channels) if channels > 1 else rows
        return cv2.cvtColor(shaped, code)
    return decode


def _mono16(rows: Bytes, big: bool) -> Any:
    # 65535 is white in 16 bits and 255 in 8: 257 is their ratio.
    grey = rows.view('>u2' if big else '<u2').astype(np.uint16)
    return cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=1 / 257), cv2.COLOR_GRAY2RGB)


# OpenCV names a Bayer pattern by its second row: its BG is what ROS and the camera call rggb.
LAYOUTS: dict[str, Layout] = {
    'rgb8': Layout(3, _as_is),
    'bgr8': Layout(3, _converted(cv2.COLOR_BGR2RGB, 3)),
    'rgba8': Layout(4, _converted(cv2.COLOR_RGBA2RGB, 4)),
    'bgra8': Layout(4, _converted(cv2.COLOR_BGRA2RGB, 4)),
    'mono8': Layout(1, _converted(cv2.COLOR_GRAY2RGB, 1)),
    'mono16': Layout(2, _mono16),
    'yuv422': Layout(2, _converted(cv2.COLOR_YUV2RGB_UYVY, 2), (2, 1)),
    'uyvy': Layout(2, _converted(cv2.COLOR_YUV2RGB_UYVY, 2), (2, 1)),
    'yuv422_yuy2': Layout(2, _converted(cv2.COLOR_YUV2RGB_YUY2, 2), (2, 1)),
    'yuyv': Layout(2, _converted(cv2.COLOR_YUV2RGB_YUY2, 2), (2, 1)),
    'nv12': Layout(1, _converted(cv2.COLOR_YUV2RGB_NV12, 1), (2, 2), chroma=True),
    'nv21': Layout(1, _converted(cv2.COLOR_YUV2RGB_NV21, 1), (2, 2), chroma=True),
    'bayer_rggb8': Layout(1, _converted(cv2.COLOR_BayerBG2RGB, 1), (2, 2)),
    'bayer_bggr8': Layout(1, _converted(cv2.COLOR_BayerRG2RGB, 1), (2, 2)),
    'bayer_gbrg8': Layout(1, _converted(cv2.COLOR_BayerGR2RGB, 1), (2, 2)),
    'bayer_grbg8': Layout(1, _converted(cv2.COLOR_BayerGB2RGB, 1), (2, 2)),
}

SUPPORTED = tuple(LAYOUTS)


def to_rgb(
    data: Bytes, encoding: str, width: int, height: int, step: int, *, big_endian: bool = False,
) -> Bytes:
    """
    Return the RGB picture in the bytes of an image; a view of them for rgb8.

    Rows may be padded by any number of bytes.

    :param data: (n,) uint8, all bytes of the image.
    :param encoding: name as in sensor_msgs/image_encodings.
    :param width: pixels in a row.
    :param height: rows of pixels.
    :param step: bytes from one row to the next.
    :param big_endian: byte order of encodings with numbers of two bytes.
    :returns: (height, width, 3) uint8.
    :raises InvalidImage: when size, step and number of bytes do not fit together.
    :raises UnsupportedEncoding: when the encoding is not in ``SUPPORTED``.
    """
    layout = LAYOUTS.get(encoding)
    if layout is None:
        raise UnsupportedEncoding(
            f'image encoding is {encoding!r}; accepted: {", ".join(SUPPORTED)}')
    if width < 1 or height < 1:
        raise InvalidImage(f'image size is {width}x{height}; accepted: at least 1x1')
    unit_x, unit_y = layout.unit
    if width % unit_x or height % unit_y:
        raise InvalidImage(
            f'a {encoding} image is {width}x{height}; accepted: width a multiple of {unit_x}, '
            f'height a multiple of {unit_y}')
    row_bytes = width * layout.pixel_bytes
    rows = height * 3 // 2 if layout.chroma else height
    if step < row_bytes:
        raise InvalidImage(
            f'step is {step} bytes; accepted: at least {row_bytes} for {width} pixels of '
            f'{encoding}')
    if data.size < step * rows:
        raise InvalidImage(
            f'image data is {data.size} bytes; accepted: {step * rows} for {width}x{height} '
            f'{encoding} with a step of {step}')
    picture = data[:step * rows].reshape(rows, step)[:, :row_bytes]
    rgb: Bytes = layout.decode(picture, big_endian)
    return rgb
