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

"""The keys of a request as typed values: one reading for every protocol."""

from __future__ import annotations

import math
from typing import Any, Callable, Mapping

from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidIntrinsics, InvalidRequest
from depth_anything_ros.wire.images import decode_image
from depth_anything_ros.wire.limits import Limits
import numpy as np
import numpy.typing as npt

Fields = Mapping[Any, Any]
Matrix = npt.NDArray[np.float64]

PROCESS_RES = 504
"""Longest processed side in pixels where a client of the seeds names none."""

SMALLEST_RES, LARGEST_RES = 14, 2016
"""Processed sides in pixels that a client may ask for."""

MATRIX_TEXT = 'Intrinsics must be a 3x3 numpy array'
"""The seed's own words."""

UNITS = {DepthKind.METRIC: 'm', DepthKind.RELATIVE: 'relative', DepthKind.CANONICAL: 'canonical'}
"""Unit of a depth, also of the raw output of a canonical model (metres = depth * focal / 300)."""


def process_res_of(fields: Fields, default: int = PROCESS_RES) -> int:
    """
    Return the longest processed side in pixels.

    :raises InvalidRequest: when it is no int or out of range.
    """
    value = fields.get('process_res')
    if value is None:
        return default
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if SMALLEST_RES <= value <= LARGEST_RES:
            return int(value)
        seen = str(value)
    else:
        seen = type(value).__name__
    raise InvalidRequest(
        f'process_res is {seen}; accepted: an int from {SMALLEST_RES} to {LARGEST_RES}')


def number_of(fields: Fields, name: str, default: float) -> float:
    """
    Return a finite number.

    :raises InvalidRequest: when it is something else.
    """
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, (bool, np.bool_)) \
            or not isinstance(value, (int, float, np.integer, np.floating)) \
            or not math.isfinite(value):
        raise InvalidRequest(f'{name} is no finite number: {type(value).__name__}')
    return float(value)


def switch_of(fields: Fields, name: str) -> bool:
    """
    Return a yes or no that is no by default.

    :raises InvalidRequest: when it is no bool.
    """
    value = fields.get(name, False)
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidRequest(f'{name} is {type(value).__name__}; accepted: True or False')
    return bool(value)


def matrix_of(value: object) -> Matrix | None:
    """
    Return a 3x3 K, None when there is none.

    :param value: an array, or lists of numbers as JSON has them.
    :raises InvalidIntrinsics: with the seed's words when it is anything else.
    """
    if value is None:
        return None
    if isinstance(value, list) and len(value) == 3 and all(
            isinstance(row, list) and len(row) == 3
            and all(type(item) in (int, float) for item in row) for row in value):
        value = np.array(value, np.float64)
    if not isinstance(value, np.ndarray) or value.shape != (3, 3) or value.dtype.kind not in 'iuf':
        raise InvalidIntrinsics(MATRIX_TEXT)
    matrix = value.astype(np.float64)
    if not np.isfinite(matrix).all() or matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        raise InvalidIntrinsics(
            'intrinsics must be finite with positive focal lengths at [0, 0] and [1, 1]')
    return matrix


def frame_source(
    image: object, matrix: Matrix | None, roots: ImageRoots, limits: Limits, *,
    exif_orient: bool = False,
) -> Callable[[], Frame]:
    """
    Return what makes the frame of a request, later and in another thread.

    :param image: an array, a Pillow image, encoded bytes or a path under an allowed folder.
    :param matrix: K of this image in pixels, None when unknown.
    :param roots: folders in which pictures may be named.
    :param limits: how many pixels it may have.
    :param exif_orient: turn the pixels of an encoded image as its EXIF orientation says.
    """
    def source() -> Frame:
        if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 \
                and image.shape[2] == 3 and 0 < image.size <= 3 * limits.pixels \
                and image.flags.c_contiguous:
            # As decode_image would return it.
            rgb = image
        else:
            content = roots.read(image) if isinstance(image, str) else image
            rgb = decode_image(content, limits, exif_orient=exif_orient)
        height, width = rgb.shape[:2]
        camera = None if matrix is None else Intrinsics.from_matrix(matrix, width, height)
        return Frame(rgb, intrinsics=camera)
    return source


def matrix_reply(result: DepthResult) -> npt.NDArray[np.float32] | None:
    """Return K of a result's pixels, (3, 3) float32, None when nobody knows it."""
    if result.intrinsics is None:
        return None
    return result.intrinsics.matrix().astype(np.float32)
