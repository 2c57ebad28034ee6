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
A small queueing model of replicas: what rate, latency and refusals come of which load.

Every replica has devices that take one image at a time, first come, first served, and room for a
number of requests, those under way included; one more is refused. It is computed event by event,
so service times may be any, such as measured ones, and arrivals too, such as those of a real run.
For constant and exponential times it equals the known formulas (test/bench/test_capacity.py).
"""

from __future__ import annotations

from dataclasses import dataclass
import heapq
import itertools
from typing import Sequence

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]

FRAME, ANSWER = 0, 1


@dataclass(frozen=True)
class Servers:
    """
    What serves.

    ``service`` are seconds that a device is busy with an image, taken in turn and over again;
    ``places`` the requests that a replica lets in; ``overhead`` the seconds of a request beside
    waiting and device: network, decoding, encoding.
    """

    replicas: int
    service: Sequence[float]
    places: int
    devices: int = 1
    overhead: float = 0.0

    @property
    def most(self) -> float:
        """Return the images per second that all devices together can do."""
        return self.replicas * self.devices / float(np.mean(self.service))


@dataclass(frozen=True)
class Outcome:
    """
    What came of it: answers per second, the share of images that had none, seconds of the others.

    Latencies of requests count from their arrival; those of cameras are ages, from the stamp of
    the frame.
    """

    rate: float
    lost: float
    mean: float
    p50: float
    p99: float

    @classmethod
    def of(cls, latencies: Sequence[float] | Times, offered: int, seconds: float) -> Outcome:
        """
        Return the outcome of a run, predicted or real.

        :param latencies: of what was answered, in seconds.
        :param offered: images that came.
        :param seconds: how long they came.
        """
        found = np.asarray(latencies, np.float64)
        if not found.size:
            return cls(0.0, 1.0, np.nan, np.nan, np.nan)
        p50, p99 = np.percentile(found, (50, 99))
        return cls(found.size / seconds, 1 - found.size / offered, float(found.mean()),
                   float(p50), float(p99))


class Replicas:
    """The replicas while a run is computed; requests have to come in the order of time."""

    def __init__(self, servers: Servers) -> None:
        """Begin with nothing under way."""
        self._servers = servers
        self._service = itertools.cycle(servers.service)
        self._free = [[0.0] * servers.devices for _ in range(servers.replicas)]
        self._leaving: list[list[float]] = [[] for _ in range(servers.replicas)]

    def ask(self, replica: int, now: float) -> float | None:
        """
        Return when a request that comes now is done, None where it is refused.

        :param replica: which one is asked.
        :param now: seconds, not before those of the last request.
        """
        leaving, free = self._leaving[replica], self._free[replica]
        while leaving and leaving[0] <= now:
            heapq.heappop(leaving)
        if len(leaving) >= self._servers.places:
            return None
        done = max(now, heapq.heappop(free)) + next(self._service)
        heapq.heappush(free, done)
        heapq.heappush(leaving, done)
        return done


def poisson(rate: float, seconds: float, seed: int) -> Times:
    """Return the times of arrivals that know nothing of each other, ``rate`` a second."""
    generator = np.random.default_rng(seed)
    gaps = generator.exponential(1 / rate, int(rate * seconds * 1.5) + 100)
    times: Times = np.cumsum(gaps)
    return times[times < seconds]


def requests(arrivals: Times, servers: Servers, seconds: float) -> Outcome:
    """
    Return what comes of requests that go to the replicas in turn.

    :param arrivals: their times in order, in seconds.
    :param servers: what serves them.
    :param seconds: how long they come.
    """
    replicas, latencies = Replicas(servers), []
    for index, now in enumerate(arrivals.tolist()):
        done = replicas.ask(index % servers.replicas, now)
        if done is not None:
            latencies.append(done - now + servers.overhead)
    return Outcome.of(latencies, len(arrivals), seconds)


def phases(count: int, hertz: float, seed: int) -> Times:
    """Return when each of ``count`` cameras takes its first frame, in seconds."""
    return np.random.default_rng(seed).uniform(0, 1 / hertz, count)


def cameras(first: Times, hertz: float, servers: Servers, seconds: float) -> Outcome:
    """
    Return what comes of cameras that have one frame on its way and keep the newest of the others.

    Camera number i asks replica i modulo their number, as a robot does that was given an address.
    A kept frame leaves when the answer is there; a refused one is lost.

    :param first: when each camera takes its first frame; the others follow ``1 / hertz`` apart.
    :param hertz: frames per second of a camera.
    :param servers: what serves them.
    :param seconds: how long they take frames.
    """
    replicas, ages, offered = Replicas(servers), [], 0
    waiting: list[float | None] = [None] * len(first)
    under_way = [False] * len(first)
    # Of a frame and an answer at the same moment the frame comes first: it is the newest.
    events = [(time, FRAME, camera) for camera, time in enumerate(first.tolist())]
    heapq.heapify(events)
    while events:
        now, kind, camera = heapq.heappop(events)
        if kind == FRAME:
            if now >= seconds:
                continue
            offered += 1
            heapq.heappush(events, (now + 1 / hertz, FRAME, camera))
            stamp: float | None = now
        else:
            under_way[camera] = False
            stamp = waiting[camera]
        waiting[camera] = stamp if under_way[camera] else None
        if under_way[camera] or stamp is None:
            continue
        done = replicas.ask(camera % servers.replicas, now)
        if done is not None:
            done += servers.overhead
            under_way[camera] = True
            ages.append(done - stamp)
            heapq.heappush(events, (done, ANSWER, camera))
    return Outcome.of(ages, offered, seconds)
