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
Pickles that differ from one read before in the pixels alone, as those of a video do.

The machine never looks into a long run of bytes: what a message means is settled by the bytes
before and after it. Where those, and the length, are the bytes of a message that was read and
checked in full, the answer is that of then with the new pixels in it.
"""

from __future__ import annotations

from dataclasses import dataclass
import threading
from typing import Any

from depth_anything_ros.wire.limits import Limits
import numpy as np

KEPT = 8
"""Messages remembered; a client that sends one size of image is one."""

LONG = 4096
"""Bytes of a run that is long; no number, name or mark that the machine compares is."""

LONGEST_REST = 4096
"""Bytes that a remembered message may have beside the run."""

PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Template:
    """
    A dict that was read: the bytes around its one long array, and its values.

    ``value`` has None under ``key``, where the array of this type, shape and strides belongs.
    """

    limits: Limits
    size: int
    head: bytes
    tail: bytes
    value: dict[object, object]
    key: object
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def filled(self, data: memoryview) -> dict[object, object] | None:
        """Return the dict that a message stands for, None when it is another kind of message."""
        if len(data) != self.size:
            return None
        start, end = len(self.head), self.size - len(self.tail)
        if data[:start].tobytes() != self.head or data[end:].tobytes() != self.tail:
            return None
        value = dict(self.value)
        value[self.key] = np.ndarray(
            self.shape, self.dtype, data[start:end], strides=self.strides)
        return value


def template_of(data: memoryview, limits: Limits, value: object) -> Template | None:
    """
    Return what to remember of a message, None when it is not of the kind that comes again.

    :param data: the message, read-only bytes.
    :param limits: those that it was read with.
    :param value: what it stands for.
    """
    if not isinstance(value, dict):
        return None
    long = [key for key, item in value.items()
            if isinstance(item, np.ndarray) and item.nbytes >= LONG]
    if len(long) != 1:
        return None
    key, = long
    array: np.ndarray[Any, Any] = value[key]
    message = np.frombuffer(data, np.uint8)
    start = array.__array_interface__['data'][0] - message.__array_interface__['data'][0]
    rest = len(data) - array.nbytes
    if not 0 <= start <= rest <= LONGEST_REST or min(array.strides) < 0:
        return None
    kept: dict[object, object] = {}
    for name, item in value.items():
        if name == key:
            kept[name] = None
        elif type(item) in PLAIN:
            kept[name] = item
        elif isinstance(item, np.ndarray):
            # Not the view: it would keep the whole message in memory.
            kept[name] = item.copy()
            kept[name].flags.writeable = False  # type: ignore[attr-defined]
        else:
            return None
    end = start + array.nbytes
    return Template(
        limits, len(data), data[:start].tobytes(), data[end:].tobytes(), kept, key, array.dtype,
        array.shape, array.strides)


class Templates:
    """The messages read last, of each kind one; for any number of threads."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._kept: tuple[Template, ...] = ()
        self._lock = threading.Lock()

    def find(self, data: memoryview, limits: Limits) -> dict[object, object] | None:
        """Return the value of a message that differs from one read before in its pixels alone."""
        for template in self._kept:
            if template.limits == limits:
                value = template.filled(data)
                if value is not None:
                    return value
        return None

    def remember(self, data: memoryview, limits: Limits, value: object) -> None:
        """Remember a message that was read in full."""
        template = template_of(data, limits, value)
        if template is not None:
            with self._lock:
                self._kept = (template, *self._kept[:KEPT - 1])
