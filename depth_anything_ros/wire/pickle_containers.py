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

"""The bookkeeping that keeps lists, tuples and dicts small trees: no cycles, no bombs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.inert import MARKS, seen, shown
from depth_anything_ros.wire.limits import Limits
import numpy as np

KEY_LIMIT = 2**31
"""Larger ints as keys could be made to collide in the dict's hash table."""


LEAVES = frozenset({str, int, float, bool, type(None), memoryview, np.ndarray})
"""Types that are values by themselves, neither marks nor containers."""


@dataclass(slots=True)
class Extent:
    """
    How large a container is once every shared part is written out.

    A container that is part of another one is ``closed``: pickles of plain data never change it
    again, and a cycle could not be made without doing so.
    """

    depth: int = 1
    nodes: int = 1
    closed: bool = False


class Containers:
    """Fills the containers of one pickle within its limits."""

    def __init__(self, limits: Limits) -> None:
        """Start with no container known."""
        self._limits = limits
        # By id: every container is entered when it is made, so that an id used again is fresh.
        self._extents: dict[int, Extent] = {}

    def new_list(self) -> list[object]:
        """Return an empty list."""
        made: list[object] = []
        self._extents[id(made)] = Extent()
        return made

    def new_dict(self) -> dict[object, object]:
        """Return an empty dict."""
        made: dict[object, object] = {}
        self._extents[id(made)] = Extent()
        return made

    def know(self, extents: Mapping[int, Extent]) -> None:
        """Take in tuples that are always the same, and that nobody ever frees."""
        self._extents.update(extents)

    def extents(self, values: Sequence[object]) -> dict[int, Extent]:
        """Return what is known of the tuples among some values."""
        return {id(value): self._extents[id(value)] for value in values if type(value) is tuple}

    def new_tuple(self, items: list[object]) -> tuple[object, ...]:
        """
        Return a tuple of finished values.

        :raises InvalidRequest: when an item is not one.
        :raises PayloadTooLarge: when it is nested too deep or stands for too many values.
        """
        made = tuple(items)
        extent = Extent()
        self._extents[id(made)] = extent
        self._enter(extent, items)
        return made

    def extend(self, target: object, items: list[object]) -> None:
        """
        Append items to a list.

        :raises InvalidRequest: when the target is no open list or an item is no value.
        :raises PayloadTooLarge: when it is nested too deep or stands for too many values.
        """
        if not isinstance(target, list):
            raise InvalidRequest(f'pickle appends to {seen(target)}; accepted: a list')
        extent = self._open(target)
        for item in items:
            if item is target:
                raise InvalidRequest('pickle puts a list into itself')
        self._enter(extent, items)
        target.extend(items)

    def update(self, target: object, items: list[object]) -> None:
        """
        Set items, alternating keys and values, of a dict.

        :raises InvalidRequest: when the target is no open dict, a key neither text nor a small
            int, or a value none.
        :raises PayloadTooLarge: when it has too many keys, is nested too deep or stands for too
            many values.
        """
        if not isinstance(target, dict):
            raise InvalidRequest(f'pickle sets an item of {seen(target)}; accepted: a dict')
        if len(items) % 2:
            raise InvalidRequest('pickle sets a key without a value')
        extent = self._open(target)
        for key, value in zip(items[::2], items[1::2]):
            if type(key) is not str and not (type(key) is int and abs(key) < KEY_LIMIT):
                raise InvalidRequest(f'dict key is {seen(key)}; accepted: text, or a small int')
            if value is target:
                raise InvalidRequest('pickle puts a dict into itself')
            self._enter(extent, (value,))
            target[key] = value
            if len(target) > self._limits.entries:
                raise PayloadTooLarge(
                    f'dict with more than {self._limits.entries} keys, the last '
                    f'{shown(str(key))}')

    def check_value(self, value: object) -> None:
        """
        Refuse what may not be part of a value.

        :raises InvalidRequest: when it is a name, a call or an object without its contents.
        """
        if isinstance(value, MARKS):
            raise InvalidRequest(f'pickle holds {seen(value)} where a value is expected')

    def _open(self, target: object) -> Extent:
        extent = self._extents[id(target)]
        if extent.closed:
            raise InvalidRequest('pickle changes a container that is part of another one already')
        return extent

    def _enter(self, extent: Extent, items: Sequence[object]) -> None:
        for item in items:
            if type(item) in LEAVES:
                extent.nodes += 1
            else:
                self._enter_other(extent, item)
            if extent.nodes > self._limits.nodes:
                raise PayloadTooLarge(
                    f'pickle stands for more than {self._limits.nodes} values')

    def _enter_other(self, extent: Extent, item: object) -> None:
        self.check_value(item)
        if isinstance(item, (list, dict, tuple)):
            inner = self._extents[id(item)]
            inner.closed = True
            extent.nodes += inner.nodes
            if inner.depth >= extent.depth:
                extent.depth = inner.depth + 1
                if extent.depth > self._limits.depth:
                    raise PayloadTooLarge(
                        f'pickle nests deeper than {self._limits.depth} containers')
        else:
            extent.nodes += 1
