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

from depth_anything_ros.errors import MissingDependency

ZSTD_LEVEL, GZIP_LEVEL = 1, 1
"""The fastest: depth is noise in its last bits, and gains little from more work."""


def compressed(body: bytes | memoryview, coding: str) -> bytes | memoryview:
    """
    Return a body in a content coding.

    :param body: the bytes.
    :param coding: 'zstd', 'gzip' or ''.
    :raises MissingDependency: when zstandard is not installed.
    """
    if coding == 'gzip':
        maker = zlib.compressobj(GZIP_LEVEL, wbits=31)
        return maker.compress(body) + maker.flush()
    if coding == 'zstd':
        try:
            import zstandard
        except ImportError:
            raise MissingDependency('zstd needs zstandard: pip install zstandard') from None
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
    return body
