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

"""Encoded pictures (JPEG, PNG, WebP) to RGB: whole ones only, their size known beforehand."""

from __future__ import annotations

import re

import cv2
from depth_anything_ros.core.image_guards import check_jpeg, essential_png
from depth_anything_ros.core.image_size import encoded_size, EncodedSize, JPEG, PNG
from depth_anything_ros.errors import InvalidImage, PayloadTooLarge, UnsupportedEncoding
import numpy as np
import numpy.typing as npt

MAX_PIXELS = 50_000_000
"""Width times height of the largest picture that is read where nothing else is said."""

REDUCTIONS = {
    1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8}
"""Factors by which a JPEG can be decoded smaller, in less time."""

NO_COLOURS = re.compile(r'compressedDepth|compressed bayer|^(16|32|64)[USF]C')
"""Formats of a CompressedImage whose picture is no colour or grey image."""


def check_pixels(width: int, height: int, pixels: int = MAX_PIXELS) -> None:
    """
    Refuse a picture that is too large.

    :raises PayloadTooLarge: saying how large it may be.
    """
    if width * height > pixels:
        raise PayloadTooLarge(
            f'image of {width}x{height} pixels; accepted: at most {pixels} pixels')


def picture_size(data: memoryview, pixels: int = MAX_PIXELS) -> EncodedSize:
    """
    Return kind and size of an encoded picture, from its header alone.

    :param data: the encoded bytes.
    :param pixels: largest width times height.
    :raises UnsupportedEncoding: when it is no JPEG, PNG or WebP.
    :raises InvalidImage: when its header is broken.
    :raises PayloadTooLarge: when it has too many pixels.
    """
    size = encoded_size(data)
    check_pixels(size.width, size.height, pixels)
    return size


def decode_picture(
    data: memoryview, size: EncodedSize, *, exif_orient: bool = False, reduction: int = 1,
) -> npt.NDArray[np.uint8]:
    """
    Return the RGB pixels of an encoded picture.

    :param data: the encoded bytes.
    :param size: what :func:`picture_size` says of them.
    :param exif_orient: turn the pixels as the EXIF orientation says; by default they stay as they
        are stored, because that is what a camera's calibration belongs to.
    :param reduction: a factor of ``REDUCTIONS``, for a JPEG: the sides become that much smaller,
        rounded up. Other kinds are not reduced.
    :returns: (H, W, 3) uint8.
    :raises InvalidImage: when it is cut off, damaged, or not of the size that its header says.
    """
    kind, width, height, pixels_at = size
    content = bytes(data)
    if kind == JPEG:
        check_jpeg(content, pixels_at)
    elif kind == PNG:
        content = essential_png(content, keep_exif=exif_orient)
    factor = reduction if kind == JPEG else 1
    flags = REDUCTIONS[factor]
    if not exif_orient:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        bgr = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise InvalidImage(f'{kind} of {width}x{height} cannot be decoded') from error
    if bgr is None:
        raise InvalidImage(f'{kind} of {width}x{height} cannot be decoded')
    expected = reduced_size(width, height, factor)
    sizes = [expected[::-1], expected] if exif_orient else [expected[::-1]]
    if bgr.shape[:2] not in sizes:
        raise InvalidImage(
            f'{kind} says {width}x{height} and holds {bgr.shape[1]}x{bgr.shape[0]}')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def reduced_size(width: int, height: int, reduction: int) -> tuple[int, int]:
    """Return (width, height) of a JPEG that is decoded smaller: sides are rounded up."""
    return -(-width // reduction), -(-height // reduction)


def check_format(name: str) -> None:
    """
    Refuse a CompressedImage that holds no colour or grey image.

    Its bytes say themselves what kind of picture they are; ``name`` is looked at for the rest.

    :param name: the message's ``format``, such as ``bgr8; jpeg compressed bgr8``.
    :raises UnsupportedEncoding: when it holds depth or a Bayer mosaic.
    """
    if NO_COLOURS.search(name):
        raise UnsupportedEncoding(
            f'image format is {name!r}; accepted: colour or grey pictures as JPEG, PNG or WebP')


def as_published(rgb: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.uint8]:
    """
    Return the true colours of a CompressedImage's picture.

    A picture has true colours when its format is a plain ``jpeg`` or ``png`` or ends with
    ``compressed bgr8``; one that ends with ``compressed rgb8`` was encoded with red and blue
    exchanged, as image_transport's plugin reads it.

    :param rgb: (H, W, 3) uint8, as decoded.
    :param name: the message's ``format``.
    """
    if 'compressed rgb' in name:
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)
    return rgb


def compressed_to_rgb(data: memoryview, name: str) -> npt.NDArray[np.uint8]:
    """
    Return the picture of a CompressedImage at its own size.

    :param data: the message's bytes.
    :param name: the message's ``format``.
    :returns: (H, W, 3) uint8.
    :raises UnsupportedEncoding: when it is no colour or grey JPEG, PNG or WebP.
    :raises InvalidImage: when it is cut off or damaged.
    :raises PayloadTooLarge: when it has more than ``MAX_PIXELS``.
    """
    check_format(name)
    return as_published(decode_picture(data, picture_size(data)), name)
