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

"""One of several devices: its engine, its runner, how it is, and the test that brings it back."""

from __future__ import annotations

from dataclasses import dataclass
import threading
import time
from typing import Any, Callable, TYPE_CHECKING

from depth_anything_ros.engine.base import Inferred, Prepared
from depth_anything_ros.engine.queueing import Job
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.engine.watched import Watched

if TYPE_CHECKING:
    from depth_anything_ros.engine.seats import Seat, Turn

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""A device that failed is tried again after the first, then twice as long, up to the longest."""


@dataclass(frozen=True)
class DeviceStatus:
    """How one of several devices is; ``rate`` is its images per second lately."""

    name: str
    device: str
    serving: bool
    error: str
    images: int
    rate: float
    busy_s: float
    load: int


class Worker:
    """One device: its engine, its runner, and whether it serves."""

    def __init__(self, name: str, engine: Watched, runner: Runner) -> None:
        """Serve."""
        self.name, self.engine, self.runner = name, engine, runner
        self.turns: dict[Turn, Job] = {}
        self.seats: dict[Seat, None] = {}
        self.error = ''
        self.serving = True
        self.pause = FIRST_PAUSE_S
        self.last_given = 0
        self._back_since = time.monotonic()
        self.timer: threading.Timer | None = None

    def leave(self, error: Exception) -> None:
        """Serve no more because of an error; one that comes after a long time counts as first."""
        if time.monotonic() - self._back_since > LONGEST_PAUSE_S:
            self.pause = FIRST_PAUSE_S
        self.serving, self.error = False, told(error)

    def try_later(self, attempt: Callable[[Worker], None]) -> None:
        """Call a function after the pause, which is twice as long the next time."""
        self.timer = threading.Timer(self.pause, attempt, (self,))
        self.timer.daemon = True
        self.timer.start()
        self.pause = min(2 * self.pause, LONGEST_PAUSE_S)

    def come_back(self) -> None:
        """Serve again."""
        self.serving, self.error = True, ''
        self._back_since = time.monotonic()

    def status(self) -> DeviceStatus:
        """Return how the device is and what it has done."""
        seen = self.runner.statistics()
        return DeviceStatus(
            self.name, self.engine.info.device, self.serving, self.error,
            sum(size * count for size, count in seen.batches.items()), seen.rate, seen.busy_s,
            self.runner.load())


class Probe:
    """The owner of a test of a device that is out."""

    newest_only = False

    def __init__(self, ended: Callable[[Exception | None], None]) -> None:
        """Tell a function what stopped the test, None when nothing did."""
        self._ended = ended

    def expired(self, now: float) -> bool:
        """Return False."""
        return False

    def begin(self) -> bool:
        """Return True."""
        return True

    def done(self, value: Any) -> None:
        """Hear that the device works."""
        self._ended(None)

    def failed(self, error: Exception) -> None:
        """Hear that the device does not work yet."""
        self._ended(error)

    def dropped(self) -> None:
        """Do nothing: the pool closes."""


def anew(job: Job) -> Job:
    """Return a job as it was before its first stage; a frame is not asked for twice."""
    value = job.value.prepared if isinstance(job.value, Inferred) else job.value
    if isinstance(value, Prepared):
        frame = value.frame
        job.work = lambda: frame
    job.value, job.shape, job.batch = None, None, 1
    return job


def told(error: Exception) -> str:
    """Return what an error says, or its class where it says nothing."""
    return str(error) or type(error).__name__
