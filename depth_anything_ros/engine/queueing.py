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

"""Waiting room in front of one stage: the newest frame of each stream, requests in order."""

from __future__ import annotations

from dataclasses import dataclass, field
import itertools
import threading
import time
from typing import Any, Callable, Hashable, Protocol

from depth_anything_ros.engine.shares import Shares

_turns = itertools.count()


class Owner(Protocol):
    """Whom a job belongs to, and who hears what becomes of it."""

    newest_only: bool
    """Whether a newer job of this owner replaces an older one that waits."""

    def expired(self, now: float) -> bool:
        """Return whether the time for a job is over, by ``time.monotonic``."""
        ...

    def begin(self) -> bool:
        """Return whether a job is still wanted; asked once, when the device is free for it."""
        ...

    def done(self, value: Any) -> None:
        """Take the result."""
        ...

    def failed(self, error: Exception) -> None:
        """Take the error that stopped the job."""
        ...

    def dropped(self) -> None:
        """Hear that a newer job replaced this one, or that the owner or the runner is closed."""
        ...


@dataclass(eq=False)
class Job:
    """
    One frame on its way, or a function that needs the device for itself.

    ``work`` returns the frame, or takes the engine when ``options`` is None; it is ``ready`` when
    it has nothing to decode. Jobs of equal ``shape`` may share a turn; None shares with nobody.
    Jobs of equal ``kind`` take about as long as each other; None where nobody asks.
    """

    work: Callable[..., Any]
    options: Any
    owner: Owner
    turn: int = field(default_factory=lambda: next(_turns))
    shape: tuple[int, int] | None = None
    value: Any = None
    batch: int = 1
    retried: bool = False
    ready: bool = False
    kind: Hashable = None
    times: dict[str, float] = field(default_factory=dict)
    entered: float = field(default_factory=time.monotonic)


class Inbox:
    """
    Jobs waiting for a stage: streams and requests by their shares, each kind oldest turn first.

    A stream has at most one job here: a newer one replaces it and takes over its turn.
    """

    def __init__(self, shares: Shares | None = None) -> None:
        """
        Make an empty inbox.

        :param shares: how streams and requests divide the stage's time.
        """
        self._jobs: list[Job] = []
        self._shares = shares or Shares()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._closed = self._waited_for = self._lent = False

    def __len__(self) -> int:
        """Return how many jobs wait."""
        with self._changed:
            return len(self._jobs)

    @property
    def idle(self) -> bool:
        """Return whether no job waits and the stage waits for one."""
        return self._waited_for and not self._jobs and not self._lent

    def lend(self) -> bool:
        """
        Give the stage to a request in the calling thread, where it would be taken at once.

        Until :meth:`take_back` nothing else is taken, and nobody hears that the inbox is closed.
        """
        with self._lock:
            shares = self._shares
            if not self._waited_for or self._jobs or self._lent or self._closed \
                    or shares.cameras and shares.hold(time.monotonic()) > 0:
                return False
            self._lent = True
            return True

    def take_back(self, seconds: float, now: float) -> None:
        """
        Let the stage go on.

        :param seconds: of its time that were used.
        :param now: the time, by ``time.monotonic``.
        """
        with self._lock:
            self._lent = False
            if seconds:
                self._shares.charge_alone(seconds, now)
            if self._jobs or self._closed:
                self._changed.notify_all()

    def put(self, job: Job) -> Job | None:
        """
        Add a job.

        :returns: the older job of the same stream that it replaced, or the job itself when the
            inbox is closed; None when nothing was dropped.
        """
        stream = job.owner.newest_only
        with self._changed:
            if self._closed:
                return job
            alone = all(other.owner.newest_only != stream for other in self._jobs)
            self._shares.arrived(job.owner, stream, alone, time.monotonic())
            replaced = None
            if stream:
                for index, other in enumerate(self._jobs):
                    if other.owner is job.owner:
                        replaced = self._jobs.pop(index)
                        job.turn = min(job.turn, replaced.turn)
                        break
            self._jobs.append(job)
            self._changed.notify_all()
            return replaced

    def take(
        self, most: Callable[[Job], int] = lambda job: 1, window: float = 0.0,
    ) -> list[Job]:
        """
        Return the job that is next, waiting for one, and others of its shape.

        :param most: returns how many jobs may be taken together with a job.
        :param window: seconds to wait for more of them; 0 takes only what is there.
        :returns: jobs of equal shape; none when the inbox is closed.
        """
        end: float | None = None
        with self._changed:
            while self._lent or not self._closed:
                now = time.monotonic()
                together = self._next(most)
                if self._lent or not together:
                    # What it waited with may be gone: a stream that was closed, a cancellation.
                    end = None
                    self._waited_for = True
                    self._changed.wait()
                    self._waited_for = False
                    continue
                first = together[0]
                if not any(job.owner.newest_only for job in self._jobs):
                    pause = self._shares.hold(now)
                    if pause > 0:
                        self._changed.wait(pause)
                        continue
                if end is None:
                    end = now + window
                if len(together) < most(first) and now < end and first.shape is not None:
                    self._changed.wait(end - now)
                    continue
                self._jobs = [job for job in self._jobs if job not in together]
                self._shares.taken(first.owner.newest_only)
                self._changed.notify_all()
                return together
            return []

    def _next(self, most: Callable[[Job], int]) -> list[Job]:
        """Return the jobs whose turn it is: the oldest of the kind in turn, and who may join."""
        if len(self._jobs) == 1:  # nearly always: a camera that the device keeps up with
            return list(self._jobs)
        kinds = {job.owner.newest_only for job in self._jobs}
        if not kinds:
            return []
        streams = self._shares.streams_next(True in kinds, False in kinds)
        joining = (True, False) if not streams or self._shares.requests_join() else (True,)
        ordered = sorted(self._jobs, key=lambda job: job.turn)
        first = next(job for job in ordered if job.owner.newest_only == streams)
        return [first, *(
            job for job in ordered
            if job is not first and job.shape is not None and job.shape == first.shape
            and job.owner.newest_only in joining)][:most(first)]

    def charge(self, job: Job, seconds: float) -> None:
        """Note a job's part of the time that the stage has spent on its turn."""
        with self._changed:
            self._shares.charge(
                job.owner.newest_only, seconds, seconds * job.batch, time.monotonic())
            self._changed.notify_all()

    def forget(self, owner: Owner) -> list[Job]:
        """Take out and return the jobs of an owner that is gone."""
        with self._changed:
            self._shares.gone(owner)
        return self.remove(lambda job: job.owner is owner)

    def wait_until_empty(self) -> None:
        """Return when no job waits here, or the inbox is closed."""
        with self._changed:
            while self._jobs and not self._closed:
                self._changed.wait()

    def remove(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Take out and return the jobs for which a function says so."""
        with self._changed:
            gone = [job for job in self._jobs if unwanted(job)]
            self._jobs = [job for job in self._jobs if job not in gone]
            if gone:
                self._changed.notify_all()
            return gone

    def close(self) -> list[Job]:
        """Refuse further jobs, wake the stage and return the jobs that were waiting."""
        with self._changed:
            self._closed = True
            gone, self._jobs = self._jobs, []
            self._changed.notify_all()
            return gone
