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

import cv2
from depth_anything_ros.errors import InvalidImage, PayloadTooLarge
from depth_anything_ros.wire.arrays import Array
from depth_anything_ros.wire.guards import check_jpeg, essential_png
from depth_anything_ros.wire.image_size import encoded_size, JPEG, PNG
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
        _check_pixels(image.width, image.height, limits)
        return image.rgb()
    if isinstance(image, (bytes, bytearray, memoryview)):
        return _from_file(memoryview(image).cast('B'), limits, exif_orient)
    raise InvalidImage(f'image is {type(image).__name__}; {ACCEPTED}')


def _from_array(array: Array, limits: Limits) -> RGB:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise InvalidImage(f'image is {array.dtype} {array.shape}; {ACCEPTED}')
    if array.size == 0:
        raise InvalidImage(f'image is empty: {array.shape}')
    _check_pixels(array.shape[1], array.shape[0], limits)
    if channels == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    # Mirrored and column-first views cost every later step more than one copy here.
    return np.ascontiguousarray(array[..., :3])


def _from_file(data: memoryview, limits: Limits, exif_orient: bool) -> RGB:
    kind, width, height, pixels_at = encoded_size(data)
    _check_pixels(width, height, limits)
    content = bytes(data)
    if kind == JPEG:
        check_jpeg(content, pixels_at)
    elif kind == PNG:
        content = essential_png(content, keep_exif=exif_orient)
    flags = cv2.IMREAD_COLOR
    if not exif_orient:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        bgr = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise InvalidImage(f'{kind} of {width}x{height} cannot be decoded') from error
    if bgr is None:
        raise InvalidImage(f'{kind} of {width}x{height} cannot be decoded')
    sizes = [(height, width), (width, height)] if exif_orient else [(height, width)]
    if bgr.shape[:2] not in sizes:
        raise InvalidImage(
            f'{kind} says {width}x{height} and holds {bgr.shape[1]}x{bgr.shape[0]}')
    rgb: RGB = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return rgb


def _check_pixels(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise PayloadTooLarge(
            f'image of {width}x{height} pixels; accepted: at most {limits.pixels} pixels')
