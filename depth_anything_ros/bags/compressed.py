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

"""JPEG and PNG bytes to RGB, whole pictures only."""

from __future__ import annotations

import cv2
from depth_anything_ros.errors import InvalidImage, UnsupportedEncoding
import numpy as np
import numpy.typing as npt

JPEG, PNG = b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n'
START_OF_SCAN, END_OF_IMAGE = b'\xff\xda', b'\xff\xd9'
PNG_END = b'IEND'


def picture_to_rgb(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    """
    Return the picture in the bytes of a compressed image.

    The bytes say what they are; ``name`` is only looked at for what they cannot say. A rotation
    noted in the picture is not applied, because the CameraInfo belongs to the pixels as they lie.

    :param data: JPEG or PNG.
    :param name: the message's ``format``, such as ``bgr8; jpeg compressed bgr8``.
    :returns: (H, W, 3) uint8.
    :raises UnsupportedEncoding: when it is something else, depth, or a Bayer mosaic.
    :raises InvalidImage: when the picture is cut off or damaged.
    """
    if 'compressedDepth' in name or 'compressed bayer' in name:
        raise UnsupportedEncoding(f'image format is {name!r}; accepted: colour or grey pictures')
    if data.startswith(JPEG):
        # Inside a scan 0xff is always followed by 0 or a restart marker, so that an end after the
        # last start of a scan is a real one. OpenCV would fill a missing rest with grey.
        whole = data.rfind(END_OF_IMAGE) > data.rfind(START_OF_SCAN)
    elif data.startswith(PNG):
        whole = PNG_END in data[-32:]
    else:
        raise UnsupportedEncoding(
            f'image format is {name!r} and its bytes start with {data[:8].hex() or "nothing"}; '
            'accepted: jpeg, png')
    if not whole:
        raise InvalidImage(f'the picture ({name}, {len(data)} bytes) is cut off')
    try:
        bgr = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise InvalidImage(f'the picture ({name}) cannot be decoded: {error.err}') from None
    if bgr is None:
        raise InvalidImage(f'the picture ({name}, {len(data)} bytes) cannot be decoded')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
