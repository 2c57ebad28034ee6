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
from json.encoder import encode_basestring
import math
from typing import Any, Callable, Mapping

from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.wire.arrays import check_size
from depth_anything_ros.wire.limits import Limits

Header = dict[str, Any]

CHANGING = ('request_id', 'stamp_ns', 'timings')
"""Header keys that we write last, because they are seldom those of the message before."""

MAX_DIGITS = 20
"""Enough for every 64-bit int; longer ones take time that grows with the square of it."""

TIMINGS = CHANGING[2]

FLOATS = {float}

KEPT_FORMS, LONGEST_FORM = 64, 16
"""Sets of names whose numbers are written at once, and how many names such a set may have."""

MOST = 2**63

BLANKS = ' \t\n\r'
"""What JSON allows between two words."""


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


def encode_changing(header: Mapping[str, Any]) -> bytes:
    """
    Return the ``CHANGING`` keys of a header and the brace that ends it, a comma in front.

    The same text as :func:`encode_header` makes of them, in fewer steps.

    :raises ValueError: as :func:`encode_header`.
    :raises TypeError: as :func:`encode_header`.
    """
    text = ''
    for key in CHANGING:
        if key not in header:
            continue
        value = header[key]
        if type(value) is int:
            text += f',"{key}":{value}'
        elif type(value) is str:
            text += f',"{key}":{encode_basestring(value)}'
        elif type(value) is dict and (form := _forms.get(tuple(value))) is not None \
                and set(map(type, value.values())) == FLOATS \
                and math.isfinite(sum(value.values())):
            text += form % tuple(value.values())
        elif type(value) is dict:
            text += f',"{key}":{_ENCODER.encode(value)}'
            _learn(key, value)
        else:
            text += f',"{key}":{_ENCODER.encode(value)}'
    return f'{text}}}'.encode()


def _learn(key: str, values: dict[Any, Any]) -> None:
    """Remember how numbers by name are written."""
    names = tuple(values)
    if key == TIMINGS and set(map(type, names)) == {str} and len(names) <= LONGEST_FORM:
        if len(_forms) >= KEPT_FORMS:
            _forms.clear()
        items = [f'{encode_basestring(name)}:'.replace('%', '%%') + '%r' for name in names]
        _forms[names] = f',"{key}":{{{",".join(items)}}}'


def decode_changing(data: bytes) -> Header | None:
    """
    Return an object of ``CHANGING`` keys as they usually are.

    :param data: the text of the object without its first brace, spaces allowed after it.
    :returns: None for whatever is unusual, right or wrong: :func:`decode_header` knows.
    """
    try:
        text = '{' + str(data, 'utf-8')
        found, end = _PLAIN(text, 0)
    except (ValueError, RecursionError, StopIteration):
        return None
    if text[end:].strip(BLANKS):
        return None
    for key, value in found.items():
        if key == 'request_id':
            usual = type(value) is str
        elif key == 'stamp_ns':
            usual = type(value) is int and -MOST <= value < MOST
        else:
            # A sum that is no finite number may be one of finite ones: that is read in full.
            usual = key == TIMINGS and type(value) is dict and (
                not value or set(map(type, value.values())) == FLOATS
                and math.isfinite(sum(value.values())))
        if not usual:
            return None
    return found  # type: ignore[no-any-return]


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
# What its decode calls, without the functions around it.
_PLAIN: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder())['scan_once']
_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)
_forms: dict[tuple[str, ...], str] = {}
