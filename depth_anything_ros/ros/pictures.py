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

from depth_anything_ros.core.options import FrameOptions, OutputSize
from depth_anything_ros.core.pictures import (
    as_published,
    check_format,
    decode_picture,
    picture_size,
)
from depth_anything_ros.core.processed_size import affordable_reduction
from depth_anything_ros.ros.conversions import data_of, rgb_of
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage, Image


class Picture(Protocol):
    """What is known of a picture before it is decoded."""

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        ...

    def rgb(self, options: FrameOptions | None, process_res: int) -> npt.NDArray[np.uint8]:
        """
        Return the pixels, smaller than they came where nobody would see the difference.

        :param options: what is asked of the frame; None asks for every pixel.
        :param process_res: the model's own, 0 when it takes every image as it is.
        :returns: (H, W, 3) uint8.
        :raises InvalidRequest: when the message is broken or of another encoding.
        """
        ...


class RawPicture:
    """The picture of an Image; its pixels are a view of the message where they can be."""

    def __init__(self, message: Image) -> None:
        """Look at a message."""
        self._message = message
        self.size: tuple[int, int] = message.width, message.height

    def rgb(self, options: FrameOptions | None, process_res: int) -> npt.NDArray[np.uint8]:
        """Return every pixel."""
        return rgb_of(self._message)


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

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels, as the header says."""
        return self._encoded.width, self._encoded.height

    def rgb(self, options: FrameOptions | None, process_res: int) -> npt.NDArray[np.uint8]:
        """Return the pixels: a JPEG's at a half to an eighth where only small outputs go out."""
        reduction = 1
        if options is not None and options.output_size is OutputSize.MODEL and process_res:
            reduction = affordable_reduction(
                *self.size, options.process_res or process_res, options.process_res_method)
        return as_published(
            decode_picture(self._data, self._encoded, reduction=reduction), self._format)


def picture_of(message: Image | CompressedImage) -> Picture:
    """
    Return the picture of a message.

    :raises DepthAnythingError: when it is compressed and its header is broken or not accepted.
    """
    return CompressedPicture(message) if hasattr(message, 'format') else RawPicture(message)
