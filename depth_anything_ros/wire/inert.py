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

"""What a pickle names but this package never imports or calls: marks on the machine's stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np


@dataclass(frozen=True)
class Global:
    """The name of a class or function; only the text, never the thing."""

    name: str


@dataclass(frozen=True)
class ArrayType:
    """The element type of an array; stands only inside the arguments of an array."""

    dtype: np.dtype[Any]


@dataclass(frozen=True)
class LongText:
    """Undecoded UTF-8: how protocol 2 writes the bytes of an array, too long for a plain text."""

    data: memoryview


class Arguments(tuple[Any, ...]):
    """A tuple that holds a mark; good for a call and for nothing else."""


@dataclass
class Unfinished:
    """
    An object whose state has not come yet.

    ``finish`` turns the state of the BUILD opcode into the value; ``memo_keys`` are the memo
    entries that must become that value then.
    """

    what: str
    finish: Callable[[object], object]
    memo_keys: list[int] = field(default_factory=list)


MARKS = (Global, ArrayType, LongText, Arguments, Unfinished)
"""What may never be part of a value that is handed out."""


def shown(text: str) -> str:
    """Return a text from outside as it may stand in a message: quoted and short."""
    return repr(text if len(text) <= 80 else text[:77] + '...')


def seen(value: object) -> str:
    """Return in a word or two what a value from outside is."""
    if isinstance(value, Global):
        return f'the name {shown(value.name)}'
    if isinstance(value, Unfinished):
        return f'{value.what} without its contents'
    if isinstance(value, LongText):
        return f'text of {value.data.nbytes} bytes'
    if isinstance(value, ArrayType):
        return 'an element type'
    if isinstance(value, Arguments):
        return 'the arguments of a call'
    return type(value).__name__


def matches(value: object, expected: object) -> bool:
    """
    Return whether a value from outside is exactly the expected one, of exactly its type.

    A plain ``==`` would hand arrays the say over what equal means.
    """
    if isinstance(expected, bytes):
        return isinstance(value, memoryview) and value == expected
    if isinstance(expected, tuple):
        return isinstance(value, tuple) and len(value) == len(expected) \
            and all(matches(part, other) for part, other in zip(value, expected))
    return type(value) is type(expected) and value == expected
