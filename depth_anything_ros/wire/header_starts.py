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
Headers that begin like one read before: only what changes with every message is read anew.

Text that becomes a JSON object by a brace at its end stops between two keys of that object, so
what follows it belongs to the object itself, whatever it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import threading
from typing import Any, Mapping, Sequence

from depth_anything_ros.wire.json_header import decode_changing, Header
import numpy as np

MARK = b',"request_id":'
"""Where the part that changes begins, in the headers that we write."""

KEPT = 64
"""Beginnings remembered."""

LONGEST = 4096
"""Bytes of a beginning that is remembered."""


@dataclass(frozen=True)
class Entry:
    """One array of a message: ``at`` is the byte of the body, counted from the first array."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    at: int
    size: int


@dataclass(frozen=True)
class Start:
    """
    The beginning of headers: its keys, its table of arrays, and what was concluded from them.

    ``kept`` is shared by the messages that begin so; nothing that depends on a ``CHANGING`` key
    may be in it.
    """

    header: Mapping[str, Any]
    entries: Sequence[Entry]
    kept: dict[str, Any] = field(default_factory=dict)


class Starts:
    """Beginnings that came twice, for any number of threads."""

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[bytes, Start | None] = {}
        self._lock = threading.Lock()

    def read(self, text: bytes) -> tuple[Header, Start] | None:
        """Return the whole header and what is known of its beginning, None: read it in full."""
        end = text.find(MARK, 1, LONGEST + len(MARK))
        start = self._known.get(text[:end]) if end > 0 else None
        if start is None:
            return None
        rest = decode_changing(text[end + 1:])
        return None if rest is None else ({**start.header, **rest}, start)

    def came(self, start: bytes) -> bool:
        """Note that a beginning came, and return whether it had come before."""
        with self._lock:
            if start in self._known:
                return True
            if len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[start] = None
            return False

    def keep(self, start: bytes, what: Start) -> None:
        """Remember a beginning."""
        with self._lock:
            if start in self._known:
                self._known[start] = what
