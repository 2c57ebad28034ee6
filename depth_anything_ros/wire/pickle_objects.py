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

"""The few objects that a request may hold: arrays, scalars, Pillow images and their metadata."""

from __future__ import annotations

from functools import lru_cache, partial
import math
import re
from typing import Any, Callable, Literal, Mapping

from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.wire.arrays import Array, array_view, check_shape
from depth_anything_ros.wire.inert import (
    ArrayType,
    Global,
    LongText,
    matches,
    seen,
    shown,
    Unfinished,
)
from depth_anything_ros.wire.pillow import pillow_image
import numpy as np

ACCEPTED = 'accepted: dict, list, tuple, text, bytes, numbers, numpy arrays and Pillow images'

ELEMENT = re.compile(r'b1|[iu][1248]|f[248]')

PILLOW_CLASS = re.compile(r'PIL\.(Image\.Image|\w{1,16}ImagePlugin\.\w{1,20}ImageFile)', re.ASCII)

BYTE_ORDERS: Mapping[str, Literal['<', '>', '|']] = {'<': '<', '>': '>', '|': '|'}

TYPE_REST = (None, None, None, -1, -1, 0)
"""What numpy writes behind the byte order of a plain type."""

TYPE_REST_KINDS = tuple(map(type, TYPE_REST))

Call = Callable[[tuple[Any, ...]], object]


def start_array(arguments: tuple[Any, ...]) -> Unfinished:
    """Stand for ``_reconstruct(ndarray, (0,), b'b')``, whose contents come with BUILD."""
    if not matches(arguments, (Global(NDARRAY), (0,), b'b')):
        raise InvalidRequest(f'array is started in an unknown way; {ACCEPTED}')
    return Unfinished('an array', finish_array)


def finish_array(state: object) -> Array:
    """Return the array of numpy's state ``(1, shape, dtype, fortran, data)``."""
    if not isinstance(state, tuple) or len(state) != 5 \
            or not matches(state[0], 1) or type(state[3]) is not bool:
        raise InvalidRequest(f'array state is {seen(state)}, not the one that numpy writes')
    return array_of(state[4], state[2], state[1], 'F' if state[3] else 'C')


def array_from_buffer(arguments: tuple[Any, ...]) -> Array:
    """Return the array of ``_frombuffer(data, dtype, shape, order[, axes])`` of protocol 5."""
    if len(arguments) not in (4, 5) or not isinstance(arguments[3], str):
        raise InvalidRequest(f'array is made in an unknown way; {ACCEPTED}')
    data, dtype, shape, order = arguments[:4]
    if order == 'K' and len(arguments) == 5:
        array = array_of(data, dtype, shape, 'C')
        axes = check_shape(arguments[4])
        if sorted(axes) != list(range(array.ndim)):
            raise InvalidRequest(f'array axes {axes} do not fit {array.ndim} dimensions')
        moved: Array = array.transpose(axes)
        return moved
    if order not in ('C', 'F') or (len(arguments) == 5 and arguments[4] is not None):
        raise InvalidRequest(f'array order is {shown(order)}; accepted: C, F')
    return array_of(data, dtype, shape, 'F' if order == 'F' else 'C')


def array_of(
    data: object, dtype: object, shape: object, order: Literal['C', 'F'],
) -> Array:
    """Return an array on the bytes of the message after checking every part of it."""
    if not isinstance(dtype, ArrayType):
        raise InvalidRequest(f'array type is {seen(dtype)}; accepted: a plain number or bool')
    if not isinstance(data, memoryview):
        raise InvalidRequest(f'array data is {seen(data)}; accepted: bytes')
    return array_view(data, dtype.dtype, check_shape(shape), order)


def start_type(arguments: tuple[Any, ...]) -> Unfinished:
    """Stand for ``dtype('f4', False, True)``, whose byte order comes with BUILD."""
    text = arguments[0] if len(arguments) == 3 else None
    if not isinstance(text, str) or not matches(arguments[1:], (False, True)):
        raise InvalidRequest(f'array type is made in an unknown way; {ACCEPTED}')
    if not ELEMENT.fullmatch(text):
        raise InvalidRequest(
            f'array type {shown(text)}; accepted: bool, ints and floats of up to 8 bytes')
    return Unfinished('an array type', partial(finish_type, text))


def finish_type(text: str, state: object) -> ArrayType:
    """Return the type of numpy's state ``(3, byte order, None, None, None, -1, -1, 0)``."""
    # Types before values: a plain == would hand arrays the say, and takes True for 1.
    if not isinstance(state, tuple) or len(state) != 8 \
            or tuple(map(type, state[2:])) != TYPE_REST_KINDS \
            or not matches(state[0], 3) or state[2:] != TYPE_REST:
        raise InvalidRequest(f'array type {shown(text)} has fields, parts or a version we refuse')
    order = BYTE_ORDERS.get(state[1]) if isinstance(state[1], str) else None
    if order is None:
        raise InvalidRequest(f'byte order is {seen(state[1])}; accepted: <, >, |')
    return element_type(text, order)


@lru_cache(64)
def element_type(text: str, order: Literal['<', '>', '|']) -> ArrayType:
    """Return the type of a checked name and byte order; there are three dozen of them."""
    return ArrayType(np.dtype(text).newbyteorder(order))


def scalar(arguments: tuple[Any, ...]) -> object:
    """Return the numpy scalar whose type and bytes are the arguments."""
    if len(arguments) != 2:
        raise InvalidRequest(f'scalar is made in an unknown way; {ACCEPTED}')
    value: object = array_of(arguments[1], arguments[0], (), 'C')[()]
    return value


def byte_array(arguments: tuple[Any, ...]) -> memoryview:
    """Return the bytes of ``bytearray(data)`` or of ``bytes()``, which is empty."""
    if not arguments:
        return memoryview(b'')
    if len(arguments) != 1 or not isinstance(arguments[0], memoryview):
        raise InvalidRequest(f'bytes are made in an unknown way; {ACCEPTED}')
    return arguments[0]


def fraction(arguments: tuple[Any, ...]) -> float:
    """Return ``Fraction(numerator, denominator)``, found in TIFF metadata, as a float."""
    if len(arguments) == 1 and isinstance(arguments[0], str):
        top, _, bottom = arguments[0].partition('/')
        if re.fullmatch(r'-?[0-9]{1,20}', top) and re.fullmatch(r'[0-9]{0,20}', bottom):
            return ratio(int(top), int(bottom or '1'))
    if len(arguments) == 2 and all(type(value) is int for value in arguments):
        return ratio(*arguments)
    raise InvalidRequest(f'fraction is made in an unknown way; {ACCEPTED}')


def ratio(top: int, bottom: int) -> float:
    """Return a quotient, NaN for x / 0 as Pillow has it."""
    return top / bottom if bottom else math.nan


def finish_rational(state: object) -> float:
    """Return Pillow's ``IFDRational`` state ``[value, numerator, denominator]`` as a float."""
    if isinstance(state, list) and len(state) == 3 and type(state[1]) in (int, float) \
            and type(state[2]) is int:
        return float(state[1]) / state[2] if state[2] else math.nan
    raise InvalidRequest(f'TIFF rational has the state {seen(state)}; accepted: three numbers')


def calls() -> dict[str, Call]:
    """Return what may be called, by every name that numpy, Pillow and Python have for it."""
    table: dict[str, Call] = {
        '__builtin__.bytes': byte_array,
        '__builtin__.bytearray': byte_array,
        'builtins.bytearray': byte_array,
        'fractions.Fraction': fraction,
        'numpy.dtype': start_type,
    }
    for core in ('numpy.core', 'numpy._core'):
        table[f'{core}.multiarray._reconstruct'] = start_array
        table[f'{core}.multiarray.scalar'] = scalar
        table[f'{core}.numeric._frombuffer'] = array_from_buffer
    return table


CALLS = calls()

ENCODE, NDARRAY = '_codecs.encode', 'numpy.ndarray'

PNG_TEXT, TIFF_RATIONAL = 'PIL.PngImagePlugin.iTXt', 'PIL.TiffImagePlugin.IFDRational'

NAMES = frozenset({*CALLS, ENCODE, NDARRAY, PNG_TEXT, TIFF_RATIONAL})


class Objects:
    """Makes the objects of one pickle."""

    def __init__(self, byte_budget: int, pixels: int) -> None:
        """
        Start with nothing made.

        :param byte_budget: bytes that may be decoded from text, at most the message's own length.
        :param pixels: largest width times height of an image.
        """
        self._byte_budget = byte_budget
        self._pixels = pixels

    def name(self, module: str, name: str) -> Global:
        """
        Return the mark of a name.

        :raises InvalidRequest: when it is not one of the few that a request may hold.
        """
        full = f'{module}.{name}'
        if full not in NAMES and not PILLOW_CLASS.fullmatch(full):
            raise InvalidRequest(f'pickle names {shown(full)}; {ACCEPTED}')
        return Global(full)

    def call(self, what: object, arguments: object) -> object:
        """
        Return what REDUCE stands for: a value, or an object that waits for its state.

        :raises InvalidRequest: when it is not one of the calls that numpy and Pillow write.
        """
        name = what.name if isinstance(what, Global) else ''
        call = self._encode if name == ENCODE else CALLS.get(name)
        if call is None or not isinstance(arguments, tuple):
            raise InvalidRequest(
                f'pickle calls {seen(what)} with {seen(arguments)}, which is never done; '
                f'{ACCEPTED}')
        return call(arguments)

    def new(self, what: object, arguments: object) -> object:
        """
        Return what NEWOBJ stands for: an object that waits for its state.

        :raises InvalidRequest: when it is not one of the classes that Pillow writes.
        """
        name = what.name if isinstance(what, Global) else ''
        if matches(arguments, ()):
            if PILLOW_CLASS.fullmatch(name):
                return Unfinished('a Pillow image', partial(pillow_image, pixels=self._pixels))
            if name == TIFF_RATIONAL:
                return Unfinished('a TIFF rational', finish_rational)
        if name == PNG_TEXT and isinstance(arguments, tuple) \
                and len(arguments) == 1 and isinstance(arguments[0], str):
            text = arguments[0]
            return Unfinished('a PNG text', lambda state: text)
        raise InvalidRequest(
            f'pickle makes {seen(what)} with {seen(arguments)}, which is never done; {ACCEPTED}')

    def _encode(self, arguments: tuple[Any, ...]) -> memoryview:
        """Return the bytes of ``encode(text, 'latin1')``, how protocol 2 writes bytes."""
        if len(arguments) != 2 or not matches(arguments[1], 'latin1') \
                or not isinstance(arguments[0], (str, LongText)):
            raise InvalidRequest(f'text is encoded in an unknown way; {ACCEPTED}')
        text = arguments[0]
        size = text.data.nbytes if isinstance(text, LongText) else len(text)
        if size > self._byte_budget:
            raise InvalidRequest('pickle encodes the same text again and again')
        self._byte_budget -= size
        try:
            if isinstance(text, LongText):
                # One character beyond latin1 would make the decoded text four times as long.
                if np.frombuffer(text.data, np.uint8).max() > 0xC3:
                    raise InvalidRequest('bytes are written with characters beyond latin1')
                text = str(text.data, 'utf-8')
            return memoryview(text.encode('latin1'))
        except UnicodeError as error:
            raise InvalidRequest('bytes are written in broken UTF-8 or beyond latin1') from error
