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

"""Images of requests, in every form that clients send, as RGB arrays."""

from __future__ import annotations

from depth_anything_ros.core.pictures import check_pixels, decode_picture, picture_size
from depth_anything_ros.errors import InvalidImage
from depth_anything_ros.wire.arrays import Array
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.pillow import PillowImage
import numpy as np
import numpy.typing as npt

RGB = npt.NDArray[np.uint8]

ACCEPTED = ('accepted: uint8 arrays (H, W, 3) in RGB order, (H, W) or (H, W, 4), Pillow images, '
            'and the bytes of a JPEG, PNG or WebP file')


def decode_image(
    image: object, limits: Limits = DEFAULT_LIMITS, *, exif_orient: bool = False,
) -> RGB:
    """
    Return the image of a request as an RGB array.

    :param image: array, :class:`PillowImage`, or the bytes of an encoded file.
    :param limits: how many pixels it may have; checked before anything is decoded.
    :param exif_orient: turn the pixels as the EXIF orientation says. No seed does, so the default
        is to leave the pixels as they are stored.
    :returns: (H, W, 3) uint8 RGB; a view of the message where that is possible.
    :raises InvalidImage: when it is broken or of another shape or type.
    :raises UnsupportedEncoding: when the file format is none of ours.
    :raises PayloadTooLarge: when it has too many pixels.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image, limits)
    if isinstance(image, PillowImage):
        check_pixels(image.width, image.height, limits.pixels)
        return image.rgb()
    if isinstance(image, (bytes, bytearray, memoryview)):
        data = memoryview(image).cast('B')
        return decode_picture(data, picture_size(data, limits.pixels), exif_orient=exif_orient)
    raise InvalidImage(f'image is {type(image).__name__}; {ACCEPTED}')


def _from_array(array: Array, limits: Limits) -> RGB:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise InvalidImage(f'image is {array.dtype} {array.shape}; {ACCEPTED}')
    if array.size == 0:
        raise InvalidImage(f'image is empty: {array.shape}')
    check_pixels(array.shape[1], array.shape[0], limits.pixels)
    if channels == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    # Mirrored and column-first views cost every later step more than one copy here.
    return np.ascontiguousarray(array[..., :3])
