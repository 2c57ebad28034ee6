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

"""
A depth result as one file or body, in every form that HTTP clients ask for.

Each form says its unit, scale law, camera and model itself, or stands beside headers that do.
"""

from __future__ import annotations

import base64
import io
import json
import math
import struct
from typing import Any, Callable, Mapping, NamedTuple
import zlib

import cv2
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import (
    InferenceFailed,
    InvalidImage,
    InvalidRequest,
    MissingDependency,
)
from depth_anything_ros.wire.arrays import little_endian, raw_bytes
from depth_anything_ros.wire.results import result_header, SHAPES
import numpy as np
import numpy.typing as npt

LARGEST = 65535
"""Largest value of a 16-bit picture; 0 is invalid."""

MILLIMETRE = 0.001

TEXT_KEY = b'depth_result'
"""Keyword of the text chunk with which a PNG says what its values are."""

Body = bytes | memoryview
Header = Mapping[str, Any]


class DepthFile(NamedTuple):
    """The bytes of a form, and what a reader needs beside them."""

    body: Body
    extra: dict[str, str] = {}
    """Further headers, by name: the scale of a 16-bit picture."""


def described(result: DepthResult, request_id: str = '') -> dict[str, Any]:
    """Return everything about a result that is no array, with shape and type of the depth."""
    return {**result_header(result), 'request_id': request_id, 'dtype': 'float32',
            'shape': list(result.depth.shape)}


def raw_file(result: DepthResult, header: Header) -> DepthFile:
    """Return (H, W) float32, little-endian, row by row."""
    return DepthFile(raw_bytes(little_endian(result.depth)))


def npy_file(result: DepthResult, header: Header) -> DepthFile:
    """Return numpy's own file of one array."""
    return DepthFile(npy(result.depth))


def npz_file(result: DepthResult, header: Header) -> DepthFile:
    """Return numpy's archive: depth, K, what else was asked for, and the header as JSON text."""
    arrays: dict[str, Any] = {
        name: value for name in SHAPES if (value := getattr(result, name)) is not None}
    if result.intrinsics is not None:
        arrays['K'] = result.intrinsics.matrix()
    arrays['header'] = np.array(json.dumps(header))
    file = io.BytesIO()
    np.savez(file, **arrays)
    return DepthFile(file.getvalue())


def png_file(result: DepthResult, header: Header) -> DepthFile:
    """Return a picture of 16 bits, 0 where invalid, whose scale stands in a text chunk."""
    levels, scale = levels_of(result.depth, metric=result.kind is not DepthKind.RELATIVE)
    text = json.dumps({**header, 'png_scale': scale, 'dtype': 'uint16'})
    return DepthFile(
        with_text(encoded('.png', levels, cv2.IMWRITE_PNG_COMPRESSION, 1), text),
        {'X-Depth-Scale': repr(scale)})


def tiff_file(result: DepthResult, header: Header) -> DepthFile:
    """Return a picture of 32-bit floats, not compressed."""
    return DepthFile(encoded('.tiff', result.depth, cv2.IMWRITE_TIFF_COMPRESSION, 1))


def msgpack_file(result: DepthResult, header: Header) -> DepthFile:
    """Return a map: the header's keys and ``arrays`` by name (dtype, shape, data)."""
    return DepthFile(packed(with_arrays(result, header, text=False)))


def json_file(result: DepthResult, header: Header) -> DepthFile:
    """Return an object: the header's keys and ``arrays`` by name, with data in base64."""
    return DepthFile(json.dumps(with_arrays(result, header, text=True)).encode())


def with_arrays(result: DepthResult, header: Header, *, text: bool) -> dict[str, Any]:
    """Return the header's keys and ``arrays`` by name, their data in base64 or as bytes."""
    return {**header, 'arrays': {
        name: {'dtype': value.dtype.name, 'shape': list(value.shape),
               'data': (base64_of if text else bytes)(raw_bytes(little_endian(value)))}
        for name, value in arrays_of(result).items()}}


FORMS: Mapping[str, tuple[str, Callable[[DepthResult, Header], DepthFile]]] = {
    'raw': ('application/octet-stream', raw_file),
    'npy': ('application/x-npy', npy_file),
    'npz': ('application/x-npz', npz_file),
    'png': ('image/png', png_file),
    'tiff': ('image/tiff', tiff_file),
    'msgpack': ('application/msgpack', msgpack_file),
    'json': ('application/json', json_file),
}
"""Media type and writer of each form, by its short name; the first is the default."""


def arrays_of(result: DepthResult) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays that a result has, by name."""
    return {name: value for name in SHAPES if (value := getattr(result, name)) is not None}


def levels_of(
    depth: npt.NDArray[np.float32], *, metric: bool,
) -> tuple[npt.NDArray[np.uint16], float]:
    """
    Return depth as 16-bit levels and their scale: depth = level * scale, 0 is invalid.

    Metres are whole millimetres (REP 118) as far as these reach, else whole centimetres and so
    on; a relative depth uses all levels.

    :param depth: (H, W) float32, NaN where invalid.
    :param metric: whether it is in metres.
    """
    valid = np.isfinite(depth) & (depth > 0)
    farthest = float(depth[valid].max()) if valid.any() else 0.0
    if not farthest:
        return np.zeros(depth.shape, np.uint16), MILLIMETRE if metric else 1.0
    scale = farthest / LARGEST
    if metric:
        scale = MILLIMETRE * 10 ** max(0, math.ceil(math.log10(scale / MILLIMETRE)))
    levels = np.where(valid, np.clip(np.rint(depth / scale), 1, LARGEST), 0)
    return levels.astype(np.uint16), scale


def npy(array: npt.NDArray[Any]) -> bytes:
    """Return an array as the bytes of an .npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def encoded(ending: str, picture: npt.NDArray[Any], *parameters: int) -> bytes:
    """
    Return a picture as a file.

    :raises InferenceFailed: when OpenCV cannot write it.
    """
    done, data = cv2.imencode(ending, picture, list(parameters))
    if not done:
        raise InferenceFailed(f'OpenCV cannot write {picture.dtype} {picture.shape} as {ending}')
    return bytes(data.data)


def jpeg(rgb: npt.NDArray[np.uint8], quality: int = 80) -> bytes:
    """Return an RGB picture as a JPEG for people to look at."""
    return encoded('.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), cv2.IMWRITE_JPEG_QUALITY, quality)


def picture_of(data: bytes) -> npt.NDArray[Any]:
    """
    Return the values of a picture of any depth as they are stored.

    :raises InvalidImage: when it is none.
    """
    if data:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if found is not None:
            return np.asarray(found)
    raise InvalidImage(f'{len(data)} bytes are no picture')


def with_text(png: bytes, text: str) -> bytes:
    """
    Return a PNG with a text chunk behind its first chunk.

    :param png: the file.
    :param text: ASCII text.
    """
    first = 8 + 12 + int.from_bytes(png[8:12], 'big')
    content = b'tEXt' + TEXT_KEY + b'\0' + text.encode('ascii')
    chunk = struct.pack('>I', len(content) - 4) + content + struct.pack('>I', zlib.crc32(content))
    return png[:first] + chunk + png[first:]


def packed(value: object) -> bytes:
    """
    Return a value as msgpack.

    :raises MissingDependency: when msgpack is not installed.
    """
    try:
        import msgpack
    except ImportError:
        raise MissingDependency(
            'this form needs msgpack: pip install "depth_anything_ros[rest]"') from None
    data: bytes = msgpack.packb(value)
    return data


def unpacked(data: bytes) -> dict[str, Any]:
    """
    Return the map that msgpack holds; nothing in it can be code.

    :raises InvalidRequest: when it is none.
    :raises MissingDependency: when msgpack is not installed.
    """
    try:
        import msgpack
    except ImportError:
        raise MissingDependency('this form needs msgpack: pip install msgpack') from None
    try:
        found = msgpack.unpackb(data, strict_map_key=True)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise InvalidRequest(f'body is no msgpack: {error}') from None
    if not isinstance(found, dict):
        raise InvalidRequest(f'msgpack holds {type(found).__name__}; accepted: a map')
    return found


def base64_of(data: Body) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(data).decode('ascii')
