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

"""The size of an encoded image from its first bytes, before anything is decoded."""

from __future__ import annotations

from typing import NamedTuple

from depth_anything_ros.errors import InvalidImage, UnsupportedEncoding

JPEG, PNG, WEBP = 'JPEG', 'PNG', 'WebP'

FRAME_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Start-of-frame markers of a JPEG (ITU T.81, table B.1): all of C0..CF but DHT, JPG and DAC."""

LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers without a length: TEM and the restart markers."""

START_OF_SCAN = 0xDA

REFUSED_MARKERS = frozenset({0x00, 0xD8, 0xD9, START_OF_SCAN})
"""JPEG markers that cannot stand before the frame header."""

LOSSLESS_SIGN = 0x2F
"""First byte of a lossless WebP frame."""


class EncodedSize(NamedTuple):
    """Kind, width and height of an encoded image, and the byte where a JPEG's pixels start."""

    kind: str
    width: int
    height: int
    pixels_at: int = 0


def encoded_size(data: memoryview) -> EncodedSize:
    """
    Return format and size of a JPEG, PNG or WebP.

    :param data: the encoded bytes.
    :raises UnsupportedEncoding: when it is none of the three.
    :raises InvalidImage: when its header is broken, cut off or says that it is empty.
    """
    start = bytes(data[:16])
    try:
        if start[:3] == b'\xff\xd8\xff':
            size = EncodedSize(JPEG, *_jpeg(data))
        elif start[:8] == b'\x89PNG\r\n\x1a\n':
            size = EncodedSize(PNG, *_png(data))
        elif start[:4] == b'RIFF' and start[8:12] == b'WEBP':
            size = EncodedSize(WEBP, *_webp(data))
        else:
            raise UnsupportedEncoding(
                f'image starts with {start[:8].hex(" ") or "nothing"}; accepted: JPEG, PNG, WebP')
    except IndexError as error:
        raise InvalidImage(f'image ends inside its header, after {len(data)} bytes') from error
    if size.width < 1 or size.height < 1:
        raise InvalidImage(f'{size.kind} image is empty: {size.width}x{size.height}')
    return size


def _take(data: memoryview, at: int, size: int) -> memoryview:
    if at + size > len(data):
        raise IndexError
    return data[at:at + size]


def _big(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(_take(data, at, size), 'big')


def _little(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(_take(data, at, size), 'little')


def _jpeg(data: memoryview) -> tuple[int, int, int]:
    """Walk the segments up to the first scan (ITU T.81, B.2.2)."""
    size: tuple[int, int] | None = None
    at = 2
    while True:
        if data[at] != 0xFF:
            raise InvalidImage(f'JPEG has {data[at]:#04x} at byte {at}, where a marker is due')
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker in LONE_MARKERS:
            continue
        length = _big(data, at, 2)
        if marker in FRAME_MARKERS and size is None:
            size = _big(data, at + 5, 2), _big(data, at + 3, 2)
        elif marker == START_OF_SCAN and size is not None:
            return *size, at + length
        elif marker in REFUSED_MARKERS or marker in FRAME_MARKERS or length < 2:
            raise InvalidImage(f'JPEG has the marker {marker:#04x} at byte {at - 1}, out of place')
        at += length


def _png(data: memoryview) -> tuple[int, int]:
    if bytes(_take(data, 8, 8)) != b'\x00\x00\x00\x0dIHDR':
        raise InvalidImage('PNG does not start with an IHDR chunk')
    return _big(data, 16, 4), _big(data, 20, 4)


def _webp(data: memoryview) -> tuple[int, int]:
    """Read the first chunk (RFC 9649, 2.5 to 2.7, and RFC 6386, 9.1)."""
    chunk = bytes(_take(data, 12, 4))
    if chunk == b'VP8X':
        return _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    if chunk == b'VP8L' and data[20] == LOSSLESS_SIGN:
        bits = _little(data, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b'VP8 ' and bytes(_take(data, 23, 3)) == b'\x9d\x01\x2a':
        return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    raise InvalidImage('WebP has no frame header')
