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

"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

from datetime import timedelta
import threading
import time
from typing import Callable, TextIO

PERIOD = 0.2
"""Seconds between two updates."""

CLEAR = '\r\x1b[K'
"""Back to the start of the line, and erase it."""


class Progress:
    """
    Counts, rate and time left in one line that overwrites itself.

    Where the stream is no terminal nothing but the remarks is written.
    """

    def __init__(
        self, stream: TextIO, total: int, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Start.

        :param stream: where to write, such as ``sys.stderr``.
        :param total: how many items there are.
        :param clock: returns seconds.
        """
        self._stream = stream
        self._total = total
        self._clock = clock
        self._start = clock()
        self._shown = float('-inf')
        self._terminal = stream.isatty()
        self._lock = threading.Lock()

    def update(self, done: int, failed: int) -> None:
        """
        Show the counts, if it is time to.

        :param done: items that are over, failed ones among them.
        :param failed: items that failed.
        """
        now = self._clock()
        with self._lock:
            if not self._terminal or (now - self._shown < PERIOD and done < self._total):
                return
            self._shown = now
            self._stream.write(CLEAR + self._line(done, failed, now - self._start))
            self._stream.flush()

    def say(self, text: str) -> None:
        """Write a remark on a line of its own."""
        with self._lock:
            self._stream.write(f'{CLEAR if self._terminal else ""}{text}\n')
            self._stream.flush()

    def close(self) -> None:
        """Erase the line."""
        with self._lock:
            if self._terminal:
                self._stream.write(CLEAR)
                self._stream.flush()

    def _line(self, done: int, failed: int, elapsed: float) -> str:
        rate = done / elapsed if elapsed > 0 else 0.0
        left = f'{timedelta(seconds=round(max(0, self._total - done) / rate))}' if rate else '-'
        share = 100 * done / self._total if self._total else 100.0
        trouble = f'  {failed} failed' if failed else ''
        return f'{done}/{self._total}  {share:.0f} %  {rate:.1f}/s  {left} left{trouble}'
