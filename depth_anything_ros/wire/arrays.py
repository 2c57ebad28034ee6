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

"""Array views on bytes that somebody else owns: checked first, never copied."""

from __future__ import annotations

import math
from typing import Any, Literal

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MAX_DIMENSIONS = 4
"""A batch of colour images, (N, H, W, 3), is the largest thing anybody sends."""

MAX_SIDE = 2**31 - 1

DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(name).newbyteorder('<') for name in (
        'bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64',
        'float16', 'float32', 'float64')
}
"""The element types that we read and write, little-endian, by numpy's names."""

PLAIN = frozenset(DTYPES.values())
"""Arrays of these are sent as they are, where their rows have no gaps."""

NAMES = {each: name for name, dtype in DTYPES.items()
         for each in (dtype, dtype.newbyteorder('>'))}
"""The names of them in both byte orders; numpy's own ``dtype.name`` is slow."""


def check_shape(shape: object, *, sides: int = MAX_DIMENSIONS) -> tuple[int, ...]:
    """
    Return a shape of at most ``sides`` sides, each a plain int of 0 or more.

    :raises InvalidRequest: when it is anything else.
    """
    if not isinstance(shape, (tuple, list)):
        raise InvalidRequest(f'array shape is {type(shape).__name__}; accepted: a tuple of ints')
    if len(shape) > sides:
        raise InvalidRequest(f'array has {len(shape)} dimensions; accepted: at most {sides}')
    for side in shape:
        if type(side) is not int or not 0 <= side <= MAX_SIDE:
            raise InvalidRequest(
                f'array side is {side if type(side) is int else type(side).__name__}; '
                f'accepted: ints from 0 to {MAX_SIDE}')
    return tuple(shape)


def array_bytes(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """Return the number of bytes that an array takes, without a limit and without allocating."""
    return math.prod(shape) * dtype.itemsize


def array_view(
    data: memoryview, dtype: np.dtype[Any], shape: tuple[int, ...],
    order: Literal['C', 'F'] = 'C',
) -> Array:
    """
    Return an array that shares the memory of ``data``.

    :param data: exactly the bytes of the array.
    :param dtype: one of :data:`DTYPES`, in either byte order.
    :param shape: checked by :func:`check_shape`.
    :param order: 'C' for rows first, 'F' for columns first.
    :returns: an array of that shape, read-only when ``data`` is.
    :raises InvalidRequest: when the number of bytes does not fit the shape.
    """
    needed = array_bytes(dtype, shape)
    if needed != data.nbytes:
        raise InvalidRequest(
            f'array {dtype} {shape} needs {needed} bytes, {data.nbytes} are there')
    if needed == 0:
        try:
            return np.empty(shape, dtype)
        except ValueError as error:
            raise InvalidRequest(f'array {dtype} {shape} cannot be made') from error
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def little_endian(array: Array) -> Array:
    """
    Return the array in C order and little-endian bytes, itself when it is so already.

    :raises InvalidRequest: when its element type is not one of :data:`DTYPES`.
    """
    return np.asarray(array, DTYPES[name_of(array.dtype)], order='C')


def name_of(dtype: np.dtype[Any]) -> str:
    """
    Return the name of an element type.

    :raises InvalidRequest: when it is not one of :data:`DTYPES`.
    """
    name = NAMES.get(dtype)
    if name is None:
        raise InvalidRequest(f'array of {dtype} cannot be sent; accepted: {", ".join(DTYPES)}')
    return name


def raw_bytes(array: Array) -> memoryview:
    """Return the memory of a C-ordered array as bytes, without copying."""
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b'')


def check_size(size: int, limit: int, what: str) -> None:
    """
    Refuse what is larger than its limit.

    :raises PayloadTooLarge: when ``size`` is above ``limit``.
    """
    if size > limit:
        raise PayloadTooLarge(f'{what} of {size} bytes; accepted: at most {limit}')
