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

"""The JSON header of our own messages: small, plain and strict."""

from __future__ import annotations

import json
import math
from typing import Any, Mapping

from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.wire.arrays import check_size
from depth_anything_ros.wire.limits import Limits

Header = dict[str, Any]

MAX_DIGITS = 20
"""Enough for every 64-bit int; longer ones take time that grows with the square of it."""


def encode_header(header: Mapping[str, Any]) -> bytes:
    """
    Return the header as UTF-8 JSON without spaces.

    :raises ValueError: when it holds NaN or infinity, which JSON has no word for.
    :raises TypeError: when it holds what JSON cannot say.
    """
    return _ENCODER.encode(header).encode()


def decode_header(data: bytes | memoryview, limits: Limits) -> Header:
    """
    Return the header.

    :param data: UTF-8 JSON, spaces allowed after it.
    :param limits: how long it may be.
    :raises InvalidRequest: when it is no JSON object, or holds NaN, infinity or a huge number.
    :raises PayloadTooLarge: when it is too long.
    """
    check_size(len(data), limits.header_bytes, 'header')
    try:
        header = _DECODER.decode(str(data, 'utf-8'))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f'header is not JSON in UTF-8: {_reason(error)}') from error
    if not isinstance(header, dict):
        raise InvalidRequest(f'header is a JSON {type(header).__name__}; accepted: an object')
    return header


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f'int of {len(text)} digits')
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError('a number is too large for a float')
    return value


def _constant(text: str) -> float:
    raise ValueError(f'{text} is not a JSON number')


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f'byte {error.start} is not UTF-8'
    return 'nested too deep' if isinstance(error, RecursionError) else str(error)


# Made once: json.dumps and json.loads make theirs anew in every call that has arguments.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(',', ':'))
_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)
