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

"""Options of a request, from its query and its form fields, as typed values."""

from __future__ import annotations

import json
import math
from typing import Any, Mapping

from depth_anything_ros.bridges.requests import LARGEST_RES, SMALLEST_RES
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.errors import InvalidIntrinsics, InvalidRequest

Fields = Mapping[str, str]

LARGEST_SIDE = 8192
"""Pixels on a side of a depth map that may be asked for."""

CAMERA_FORMS = ('accepted: "fx,fy,cx,cy", {"fx": ..., "fy": ..., "cx": ..., "cy": ...} or a 3x3 '
                'matrix as JSON, in pixels of the image')


def number(
    fields: Fields, name: str, default: float, least: float = -math.inf, most: float = math.inf,
) -> float:
    """
    Return a finite number.

    :param fields: texts by name.
    :param name: which one.
    :param default: for one that is missing or empty.
    :param least: smallest value.
    :param most: largest value.
    :raises InvalidRequest: when it is something else.
    """
    text = fields.get(name, '')
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and least <= value <= most):
        raise InvalidRequest(f'{name} is {text[:40]!r}; accepted: {_span(least, most)}')
    return value


def whole(fields: Fields, name: str, default: int, least: int, most: int) -> int:
    """
    Return a whole number.

    :raises InvalidRequest: when it is something else.
    """
    text = fields.get(name, '')
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise InvalidRequest(
            f'{name} is {text[:40]!r}; accepted: a whole number from {least} to {most}')
    return int(text)


def switch(fields: Fields, name: str, default: bool = False) -> bool:
    """
    Return a yes or no.

    :raises InvalidRequest: when it is something else.
    """
    text = fields.get(name, '').lower()
    if text in ('', '1', 'true', '0', 'false'):
        return default if not text else text in ('1', 'true')
    raise InvalidRequest(f'{name} is {text[:40]!r}; accepted: true or false')


def process_res(fields: Fields) -> int:
    """Return the longest processed side in pixels, 0 for the model's own."""
    return whole(fields, 'process_res', 0, SMALLEST_RES, LARGEST_RES)


def size_of(fields: Fields, name: str) -> tuple[int, int] | None:
    """
    Return (width, height) from a text such as 640x480, None where it is not given.

    :raises InvalidRequest: when it is something else.
    """
    text = fields.get(name, '')
    if not text:
        return None
    width, _, height = text.partition('x')
    if all(side.isascii() and side.isdecimal() and len(side) < 6 for side in (width, height)):
        size = int(width), int(height)
        if all(1 <= side <= LARGEST_SIDE for side in size):
            return size
    raise InvalidRequest(f'{name} is {text[:40]!r}; accepted: WIDTHxHEIGHT, each side from 1 to '
                         f'{LARGEST_SIDE}')


def camera(fields: Fields, width: int, height: int) -> Intrinsics | None:
    """
    Return the camera of an image, None where ``camera_intrinsics`` is not given.

    :param fields: texts by name.
    :param width: of the image, pixels.
    :param height: of the image, pixels.
    :raises InvalidIntrinsics: when it cannot be a camera.
    """
    text = fields.get('camera_intrinsics', '').strip()
    if not text:
        return None
    try:
        value: Any = json.loads(text) if text[0] in '{[' else [
            float(part) for part in text.split(',')]
        if isinstance(value, dict):
            value = [value[name] for name in ('fx', 'fy', 'cx', 'cy')]
        elif len(value) == 3:
            return Intrinsics.from_matrix(value, width, height)
        fx, fy, cx, cy = (float(item) for item in value)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, OverflowError):
        raise InvalidIntrinsics(
            f'camera_intrinsics is {text[:60]!r}; {CAMERA_FORMS}') from None
    return Intrinsics(fx, fy, cx, cy, width, height)


def _span(least: float, most: float) -> str:
    low = '' if least == -math.inf else f' from {least:g}'
    high = '' if most == math.inf else f' up to {most:g}'
    return f'a finite number{low}{high}'
