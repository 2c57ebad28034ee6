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

"""What a runner has done: counts of requests, sizes of batches, the device's busy time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
import threading
import time
from typing import Any, Callable, Mapping

OUTCOMES = ('done', 'failed', 'expired', 'cancelled')
"""How a request that was accepted ends."""

WINDOW_S = 10.0
"""Seconds over which rates are counted."""


@dataclass(frozen=True)
class Statistics:
    """
    What a runner has done since it was started.

    ``received == done + failed + expired + cancelled + under_way`` at every moment; ``refused``
    are requests that found no room and are not among them. ``waiting`` is the number of frames
    and requests in front of the stages prepare, infer and finish now. ``batches`` says how many
    calls of the network had how many images; ``split`` how many of them failed as a whole and
    were repeated in parts. ``busy_s`` is the network's time in seconds.
    """

    queue_size: int
    received: int
    under_way: int
    done: int
    failed: int
    expired: int
    cancelled: int
    refused: int
    waiting: tuple[int, int, int]
    batches: Mapping[int, int]
    split: int
    busy_s: float
    rate: float


class Lately:
    """The rate of something in the last seconds; not for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Begin at zero.

        :param clock: returns seconds.
        """
        self._clock, self._begin = clock, clock()
        self._events: deque[tuple[float, int]] = deque()
        self._sum = 0

    def add(self, count: int, now: float | None = None) -> None:
        """
        Count so many now.

        :param count: how many.
        :param now: the clock's time where the caller has it already.
        """
        if now is None:
            now = self._clock()
        self._events.append((now, count))
        self._sum += count
        if self._events[0][0] <= now - WINDOW_S:
            self._forget(now)

    def rate(self) -> float:
        """Return how many there were per second in the last 10 s, or since the start if less."""
        now = self._forget()
        return self._sum / min(WINDOW_S, max(now - self._begin, 1e-3))

    def _forget(self, now: float | None = None) -> float:
        if now is None:
            now = self._clock()
        while self._events and self._events[0][0] <= now - WINDOW_S:
            self._sum -= self._events.popleft()[1]
        return now


class Tally:
    """Counts from several threads; admits requests as long as there is room."""

    def __init__(self, queue_size: int) -> None:
        """
        Begin at zero.

        :param queue_size: requests that may be under way.
        """
        self.queue_size = queue_size
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._batches: Counter[int] = Counter()
        self._busy = 0.0
        self._images = Lately()
        self._under_way = 0

    def admit(self) -> bool:
        """Return whether there is room for one more request, which is counted then."""
        with self._lock:
            room = self._under_way < self.queue_size
            if room:
                self._under_way += 1
                self._counts['received'] += 1
            return room

    def refuse(self) -> None:
        """Count a request that found no room."""
        with self._lock:
            self._counts['refused'] += 1

    def end(self, outcome: str) -> None:
        """Count how a request ended, one of ``OUTCOMES``; its place is free from now on."""
        with self._lock:
            self._counts[outcome] += 1
            self._under_way -= 1

    def end_alone(self, outcome: str, seconds: float, now: float) -> None:
        """
        Count how a request ended that had the network to itself.

        :param outcome: one of ``OUTCOMES``.
        :param seconds: of the network's time; 0: it was not called.
        :param now: the time, by ``time.monotonic``.
        """
        with self._lock:
            self._counts[outcome] += 1
            self._under_way -= 1
            if seconds:
                self._batches[1] += 1
                self._images.add(1, now)
                self._busy += seconds

    def batch(self, size: int, split: bool) -> None:
        """Count one call of the network, and whether it has to be repeated in parts."""
        with self._lock:
            self._batches[size] += 1
            self._counts['split'] += split
            if not split:
                self._images.add(size)

    def busy(self, seconds: float) -> None:
        """Add to the network's time."""
        with self._lock:
            self._busy += seconds

    def snapshot(self, waiting: tuple[int, int, int], **elsewhere: Any) -> Statistics:
        """
        Return all counts of one moment.

        :param waiting: how many jobs wait in front of each stage.
        :param elsewhere: fields that somebody else has counted.
        """
        with self._lock:
            names = ('received', 'refused', 'split', *OUTCOMES)
            return Statistics(**{
                'queue_size': self.queue_size, 'under_way': self._under_way,
                'waiting': waiting, 'batches': dict(sorted(self._batches.items())),
                'busy_s': self._busy, 'rate': self._images.rate(),
                **{name: self._counts[name] for name in names}, **elsewhere})
