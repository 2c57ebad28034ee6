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

"""Content codings of HTTP bodies."""

from __future__ import annotations

import zlib

from depth_anything_ros.errors import InvalidRequest, MissingDependency, PayloadTooLarge

ZSTD_LEVEL, GZIP_LEVEL = 1, 1
"""The fastest: depth is noise in its last bits, and gains little from more work."""

ZLIB = {'gzip': 31, 'deflate': 15}
"""Bits of window and header that zlib is told; HTTP's deflate has zlib's header."""


def compressed(body: bytes | memoryview, coding: str) -> bytes | memoryview:
    """
    Return a body in a content coding.

    :param body: the bytes.
    :param coding: 'zstd', 'gzip', 'deflate' or ''.
    :raises MissingDependency: when zstandard is not installed.
    """
    if coding in ZLIB:
        maker = zlib.compressobj(GZIP_LEVEL, wbits=ZLIB[coding])
        return maker.compress(body) + maker.flush()
    if coding == 'zstd':
        try:
            import zstandard
        except ImportError:
            raise MissingDependency('zstd needs zstandard: pip install zstandard') from None
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
    return body


def expanded(body: bytes, coding: str, most: int) -> bytes:
    """
    Return a body without its content coding; no more memory is taken than is allowed.

    :param body: as it came.
    :param coding: one of :data:`ZLIB`.
    :param most: bytes that it may have.
    :raises InvalidRequest: when it is not in this coding, cut off, or something follows.
    :raises PayloadTooLarge: when it becomes larger.
    """
    reader = zlib.decompressobj(ZLIB[coding])
    try:
        found = reader.decompress(body, most + 1)
    except zlib.error:
        raise InvalidRequest(f'the body is not in the coding that it is said to be, {coding}') \
            from None
    if len(found) > most:
        raise PayloadTooLarge(f'body of more than {most} bytes; accepted: at most {most}')
    if not reader.eof or reader.unused_data:
        raise InvalidRequest(f'the {coding} body is cut off, or something follows it')
    return found
