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
What a PNG or JPEG decoder must not be handed: files that cost far more than their pixels.

Measured with OpenCV 5.0: a PNG of 553 bytes whose second chunk claims 4 GB makes it take that
memory and nine seconds, before it finds the file too short.
"""

from __future__ import annotations

from depth_anything_ros.errors import InvalidImage

PNG_SIGN = b'\x89PNG\r\n\x1a\n'

PIXEL_CHUNKS = frozenset({b'IHDR', b'PLTE', b'IDAT', b'IEND'})
"""All that the colours need; text, profiles and animation frames are left out."""

EXIF_CHUNK = b'eXIf'

MAX_CHUNKS = 2**16
"""At the usual 8 KiB of data per chunk this is a file of 512 MiB."""

START_OF_SCAN = b'\xff\xda'

END_OF_JPEG = b'\xff\xd9'

TAIL = 2**16
"""Bytes at the end of a JPEG in which its end marker must be; some cameras pad behind it."""

MAX_SCANS = 64
"""Every scan walks over all pixels once more; encoders write about ten."""


def essential_png(data: bytes, *, keep_exif: bool) -> bytes:
    """
    Return a PNG of only those chunks that the pixels need.

    :param data: a file that starts as a PNG.
    :param keep_exif: keep the chunk that may hold the orientation.
    :raises InvalidImage: when a chunk reaches beyond the end, there are too many, or no end.
    """
    kept = [PNG_SIGN]
    at = len(PNG_SIGN)
    for _ in range(MAX_CHUNKS):
        kind = data[at + 4:at + 8]
        end = at + 12 + int.from_bytes(data[at:at + 4], 'big')
        if len(kind) < 4 or end > len(data):
            raise InvalidImage(
                f'PNG of {len(data)} bytes is cut off: a chunk at byte {at} ends beyond it')
        if kind in PIXEL_CHUNKS or (keep_exif and kind == EXIF_CHUNK):
            kept.append(data[at:end])
        if kind == b'IEND':
            return b''.join(kept)
        at = end
    raise InvalidImage(f'PNG of more than {MAX_CHUNKS} chunks')


def check_jpeg(data: bytes, pixels_at: int) -> None:
    """
    Refuse a JPEG that is cut off or has too many scans.

    :param data: the file.
    :param pixels_at: where its first scan starts.
    :raises InvalidImage: when it is so.
    """
    if data.rfind(END_OF_JPEG, max(pixels_at, len(data) - TAIL)) < 0:
        # OpenCV 4 would hand out what is there and make up the rest; 5 refuses it.
        raise InvalidImage(f'JPEG is cut off after {len(data)} bytes')
    scans = 1 + data.count(START_OF_SCAN, pixels_at)
    if scans > MAX_SCANS:
        raise InvalidImage(f'JPEG has {scans} scans; accepted: at most {MAX_SCANS}')
