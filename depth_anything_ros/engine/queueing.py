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
from typing import Any, Callable

_turns = itertools.count()


@dataclass
class Job:
    """One frame on its way; ``stream`` is None for a request, which is never replaced."""

    source: Callable[[], Any]
    options: Any
    stream: Any
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]
    turn: int = field(default_factory=lambda: next(_turns))
    value: Any = None
    times: dict[str, float] = field(default_factory=dict)
    entered: float = field(default_factory=time.monotonic)


class Inbox:
    """
    Jobs waiting for a stage, oldest turn first.

    A stream has at most one job here: a newer one replaces it and takes over its turn, so that
    neither a fast stream nor a flood of requests starves the other.
    """

    def __init__(self) -> None:
        """Make an empty inbox."""
        self._jobs: list[Job] = []
        self._ready = threading.Condition()
        self._closed = False

    def put(self, job: Job) -> Job | None:
        """
        Add a job.

        :returns: the older job of the same stream that it replaced, or the job itself when the
            inbox is closed; None when nothing was dropped.
        """
        with self._ready:
            if self._closed:
                return job
            replaced = None
            if job.stream is not None:
                for index, other in enumerate(self._jobs):
                    if other.stream is job.stream:
                        replaced = self._jobs.pop(index)
                        job.turn = min(job.turn, replaced.turn)
                        break
            self._jobs.append(job)
            self._ready.notify()
            return replaced

    def take(self) -> Job | None:
        """Return the job with the oldest turn, waiting for one; None when closed."""
        with self._ready:
            while not self._jobs and not self._closed:
                self._ready.wait()
            if self._closed:
                return None
            job = min(self._jobs, key=lambda item: item.turn)
            self._jobs.remove(job)
            return job

    def remove(self, stream: object) -> list[Job]:
        """Take out and return the jobs of a stream."""
        with self._ready:
            gone = [job for job in self._jobs if job.stream is stream]
            self._jobs = [job for job in self._jobs if job.stream is not stream]
            return gone

    def close(self) -> list[Job]:
        """Refuse further jobs, wake the stage and return the jobs that were waiting."""
        with self._ready:
            self._closed = True
            gone, self._jobs = self._jobs, []
            self._ready.notify_all()
            return gone
