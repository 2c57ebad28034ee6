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

"""The values inside the golden files: one of each kind that a client may send."""

from __future__ import annotations

from typing import Any

import numpy as np


def pattern(shape: tuple[int, ...], dtype: str) -> Any:
    """Return an array in which no two neighbours are alike."""
    size = int(np.prod(shape, dtype=np.int64))
    return ((np.arange(size) * 37 + 11) % 251).astype(dtype).reshape(shape)


def plain_values() -> dict[str, Any]:
    """Return a request with every kind of plain value and array."""
    image = pattern((6, 7, 3), 'uint8')
    values: dict[str, Any] = {
        'command': 'inference',
        'process_res': 504,
        'nothing': None,
        'yes': True,
        'no': False,
        'numbers': [0, 255, 256, 65535, 65536, -1, -2**31, 2**31, 2**63 - 1, -2**63, 1.5, -0.0],
        'text': 'Tiefe, profondeur, głębia, \u6df1\u5ea6, \U0001f916',
        'long_text': 'x' * 300,
        'bytes': bytes(range(256)),
        'no_bytes': b'',
        'bytearray': bytearray(b'\x00\xff'),
        'no_bytearray': bytearray(),
        'tuples': ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        'nested': {'list': [[], [1, [2, [3]]]], 'dict': {}, 7: 'seven', -1: 'minus one'},
        'image': image,
        'same_image': image,
        'grey': image[:, :, 0].copy(),
        'rgba': pattern((3, 4, 4), 'uint8'),
        'mirrored': image[:, ::-1],
        'bgr': image[:, :, ::-1],
        'fortran': np.asfortranarray(image),
        'transposed': image.transpose(1, 0, 2),
        'big_endian': pattern((4, 5), '>u2'),
        'batch': pattern((2, 3, 4, 3), 'uint8'),
        'point': np.array(2.5),
        'empty': np.zeros((0, 3), np.float32),
        'scalar': np.float32(0.25),
        'big_endian_scalar': np.arange(3, dtype='>f8')[1],
        'truth': np.bool_(True),
    }
    for name in ('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32',
                 'uint64', 'float16', 'float32', 'float64'):
        values[f'array_{name}'] = pattern((2, 3), name)
    return values
