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

"""The picture in an Image or CompressedImage: its size first, its pixels when they are wanted."""

from __future__ import annotations

from typing import Protocol

import cv2
from depth_anything_ros.core.image_size import JPEG
from depth_anything_ros.core.pictures import (
    as_published,
    check_format,
    decode_picture,
    picture_size,
)
from depth_anything_ros.errors import InvalidImage
from depth_anything_ros.ros.conversions import data_of, rgb_of
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage, Image


class Picture(Protocol):
    """What is known of a picture before it is decoded."""

    shrinks: bool
    """Whether it costs less to read it smaller."""

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        ...

    def rgb(self, reduction: int = 1) -> npt.NDArray[np.uint8]:
        """
        Return the pixels.

        :param reduction: how many times smaller than the picture is; its sides are multiples.
        :returns: (H, W, 3) uint8.
        :raises InvalidRequest: when the message is broken or of another encoding.
        """
        ...


class RawPicture:
    """The picture of an Image; its pixels are a view of the message where they can be."""

    shrinks = False

    def __init__(self, message: Image) -> None:
        """
        Look at a message.

        :raises InvalidImage: when it has no pixels.
        """
        if not (message.width and message.height):
            raise InvalidImage(
                f'image size is {message.width}x{message.height}; accepted: at least 1x1')
        self._message = message
        self.size: tuple[int, int] = message.width, message.height

    def rgb(self, reduction: int = 1) -> npt.NDArray[np.uint8]:
        """Return the pixels; see :class:`Picture`."""
        return shrunk(rgb_of(self._message), self.size, reduction)


class CompressedPicture:
    """The picture of a CompressedImage."""

    def __init__(self, message: CompressedImage) -> None:
        """
        Read the header of a message's picture.

        :raises InvalidRequest: when it is no colour or grey picture, or its header is broken.
        :raises PayloadTooLarge: when it has too many pixels.
        """
        check_format(message.format)
        self._format = message.format
        self._data = data_of(message).data
        self._encoded = picture_size(self._data)
        self.shrinks = self._encoded.kind == JPEG

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels, as the header says."""
        return self._encoded.width, self._encoded.height

    def rgb(self, reduction: int = 1) -> npt.NDArray[np.uint8]:
        """Return the pixels; see :class:`Picture`."""
        rgb = decode_picture(self._data, self._encoded, reduction=reduction)
        return as_published(shrunk(rgb, self.size, reduction), self._format)


def shrunk(
    rgb: npt.NDArray[np.uint8], size: tuple[int, int], reduction: int,
) -> npt.NDArray[np.uint8]:
    """Return pixels of a picture of a size so many times smaller, where they are not yet."""
    small = size[0] // reduction, size[1] // reduction
    if rgb.shape[1::-1] == small:
        return rgb
    return np.asarray(cv2.resize(rgb, small, interpolation=cv2.INTER_AREA), np.uint8)


def picture_of(message: Image | CompressedImage) -> Picture:
    """
    Return the picture of a message.

    :raises DepthAnythingError: when its header is broken or not accepted, or its size is 0.
    """
    return CompressedPicture(message) if hasattr(message, 'format') else RawPicture(message)
