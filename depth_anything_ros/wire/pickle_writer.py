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

"""Pickles of protocol 4 written opcode by opcode, with the names that every numpy knows."""

from __future__ import annotations

import struct

from depth_anything_ros.wire.arrays import Array, little_endian, raw_bytes
import numpy as np

Part = bytes | memoryview

START_ARRAY = (
    b'cnumpy.core.multiarray\n_reconstruct\n'  # numpy 2 keeps this old name without a warning
    b'cnumpy\nndarray\n'
    b'K\x00\x85'                               # the shape (0,)
    b'C\x01b'                                  # the type code b'b'
    b'\x87R')
"""``_reconstruct(ndarray, (0,), b'b')``: an array that BUILD fills."""

INT64 = range(-2**63, 2**63)


def pickle_parts(value: object) -> list[Part]:
    """
    Return the pieces of the pickle of a value; arrays and bytes are not copied.

    No FRAME and no memo: both are optional, and without them the pieces are plain to see.

    :param value: dicts, lists, tuples, text, bytes, numbers, bool, None, arrays and numpy scalars.
    :raises TypeError: when it holds anything else.
    """
    parts: list[Part] = [b'\x80\x04']
    _add(parts, value)
    parts.append(b'.')
    return parts


def _add(parts: list[Part], value: object) -> None:
    if value is None or isinstance(value, (bool, np.bool_)):
        parts.append(b'N' if value is None else b'\x88' if value else b'\x89')
    elif isinstance(value, (int, np.integer)):
        parts.append(_integer(int(value)))
    elif isinstance(value, (float, np.floating)):
        parts.append(b'G' + struct.pack('>d', float(value)))
    elif isinstance(value, str):
        text = value.encode()
        parts.append(b'X' + struct.pack('<I', len(text)) + text)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        _add_bytes(parts, memoryview(value).cast('B'))
    elif isinstance(value, np.ndarray):
        _add_array(parts, value)
    elif isinstance(value, dict):
        parts.append(b'}(')
        for key, item in value.items():
            _add(parts, key)
            _add(parts, item)
        parts.append(b'u')
    elif isinstance(value, (list, tuple)):
        parts.append(b'](' if isinstance(value, list) else b'(')
        for item in value:
            _add(parts, item)
        parts.append(b'e' if isinstance(value, list) else b't')
    else:
        raise TypeError(f'a reply cannot hold {type(value).__name__}')


def _integer(value: int) -> bytes:
    if -2**31 <= value < 2**31:
        return b'J' + struct.pack('<i', value)
    if value not in INT64:
        raise TypeError(f'a reply cannot hold the int {value}: more than 64 bits')
    return b'\x8a\x08' + struct.pack('<q', value)


def _add_bytes(parts: list[Part], data: memoryview) -> None:
    short = len(data) < 2**32
    parts.append(b'B' + struct.pack('<I', len(data)) if short
                 else b'\x8e' + struct.pack('<Q', len(data)))
    parts.append(data)


def _add_array(parts: list[Part], array: Array) -> None:
    array = little_endian(array)
    parts.append(START_ARRAY)
    # numpy's state: (1, shape, dtype, fortran, data).
    parts.append(b'(K\x01')
    _add(parts, array.shape)
    _add_type(parts, array.dtype)
    parts.append(b'\x89')
    _add_bytes(parts, raw_bytes(array))
    parts.append(b'tb')


def _add_type(parts: list[Part], dtype: np.dtype[np.generic]) -> None:
    parts.append(b'cnumpy\ndtype\n')
    _add(parts, (f'{dtype.kind}{dtype.itemsize}', False, True))
    parts.append(b'R')
    _add(parts, (3, '|' if dtype.itemsize == 1 else '<', None, None, None, -1, -1, 0))
    parts.append(b'b')
