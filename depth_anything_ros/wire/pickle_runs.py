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
Opcodes that every array of numpy writes in the same way, done at once instead of one by one.

A pickle of protocol 4 or 5 spends two thirds of its opcodes on naming numpy's functions and the
element type. Their bytes are constants: where they stand, what they do is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Mapping

from depth_anything_ros.wire.inert import Unfinished
from depth_anything_ros.wire.pickle_containers import Extent


@dataclass(frozen=True, eq=False)
class Run:
    """
    What a run of opcodes does.

    It is ``steps`` opcodes with ``text_bytes`` of text; it takes the text ``takes`` from the
    stack where that is not '', pushes ``value``, and remembers the values ``memo`` under the next
    numbers; ``extents`` are those of the tuples among them.
    """

    steps: int
    text_bytes: int
    takes: str
    value: object
    memo: tuple[object, ...]
    extents: Mapping[int, Extent]

    def enter(self, memo: dict[int, object]) -> object:
        """Remember the values, and return the one to push: an object to be finished is new."""
        value, first = self.value, len(memo)
        memo.update(enumerate(self.memo, first))
        if isinstance(value, Unfinished):
            keys = [first + key for key in value.memo_keys]
            value = Unfinished(value.what, value.finish, keys)
            for key in keys:
                memo[key] = value
        return value


def array_runs() -> Iterator[tuple[str, bytes]]:
    """Yield the text that a run finds on the stack, '' for none, and the bytes of the run."""
    for core in ('numpy.core', 'numpy._core'):
        yield '', _name(f'{core}.multiarray', '_reconstruct') + _name('numpy', 'ndarray') \
            + b'K\x00\x85\x94C\x01b\x94\x87\x94R\x94'
        yield '', _name(f'{core}.numeric', '_frombuffer')
    for kind, sizes in (('b', '1'), ('i', '1248'), ('u', '1248'), ('f', '248')):
        for size in sizes:
            for order in '|' if size == '1' else '<>':
                yield 'numpy', _text('dtype') + b'\x93\x94' + _text(kind + size) \
                    + b'\x89\x88\x87\x94R\x94(K\x03' + _text(order) \
                    + b'NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94b'


def _text(text: str) -> bytes:
    """Return SHORT_BINUNICODE and MEMOIZE."""
    return b'\x8c' + bytes([len(text)]) + text.encode() + b'\x94'


def _name(module: str, name: str) -> bytes:
    """Return the two texts, STACK_GLOBAL and MEMOIZE."""
    return _text(module) + _text(name) + b'\x93\x94'
