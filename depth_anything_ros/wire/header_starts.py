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

CHANGING = ('request_id', 'stamp_ns', 'timings')
"""Header keys that we write last, because they are seldom those of the message before."""

MARK = b',"request_id":'
"""Where the part that changes begins, in the headers that we write."""

KEPT = 64
"""Beginnings remembered."""

LONGEST = 4096
"""Bytes of a beginning that is remembered."""


@dataclass(frozen=True)
class Start:
    """
    The beginning of headers: its keys, its table of arrays, and what was concluded from them.

    ``kept`` is shared by the messages that begin so; nothing that depends on a ``CHANGING`` key
    may be in it.
    """

    header: Mapping[str, Any]
    entries: Sequence[Any]
    kept: dict[str, Any] = field(default_factory=dict)


class Starts:
    """Beginnings that came twice, for any number of threads."""

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[bytes, Start | None] = {}
        self._lock = threading.Lock()

    def find(self, start: bytes) -> Start | None:
        """Return what is known of a beginning."""
        return self._known.get(start)

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
