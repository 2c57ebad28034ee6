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
Compare ways to do the same thing in one process, one after the other in every round.

A busy or throttled machine slows all ways of a round alike, so that the ratios hold where the
milliseconds do not. What is compared with what is decided by the caller; here is only the clock.
"""

from __future__ import annotations

from dataclasses import dataclass
import os
import random
import resource
import statistics
import time
from typing import Callable, Mapping, Sequence

Ways = Mapping[str, Callable[[], object]]


@dataclass(frozen=True)
class Sample:
    """One call: ``seconds`` of wall clock and ``cpu`` seconds of the process, ``faults`` minor."""

    seconds: float
    cpu: float = 0.0
    faults: int = 0


@dataclass(frozen=True)
class Spread:
    """The median, and between which two values the middle half of ``count`` values lies."""

    median: float
    low: float
    high: float
    count: int


def one_processor() -> None:
    """Let the calling thread run on one processor, so that it has no helper on another one."""
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def once(way: Callable[[], object]) -> Sample:
    """Return what one call took."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    way()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(seconds, cpu, after.ru_minflt - before.ru_minflt)


def interleave(
    ways: Ways, *, rounds: int = 15, warm_up: int = 2,
    measure: Callable[[Callable[[], object]], Sample] = once,
) -> dict[str, list[Sample]]:
    """
    Return the samples of every way; those with the same index belong to one round.

    Each way is the first of a round in its turn, and the others follow in an order drawn anew, the
    same in every run: nobody always follows the same neighbour and finds what that one has left
    in the caches.

    :param ways: what to call, by name.
    :param rounds: calls of each way that count.
    :param warm_up: rounds before, which do not count.
    :param measure: calls a way and returns the sample; for what is measured in other processes.
    """
    names, order = list(ways), random.Random(len(ways))
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for turn in range(warm_up + rounds):
        first = names[turn % len(names)]
        others = [name for name in names if name != first]
        order.shuffle(others)
        for name in (first, *others):
            sample = measure(ways[name])
            if turn >= warm_up:
                samples[name].append(sample)
    return samples


def spread(values: Sequence[float]) -> Spread:
    """Return median and quartiles."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0], len(values))
    low, median, high = statistics.quantiles(values, n=4, method='inclusive')
    return Spread(median, low, high, len(values))


def ratio(samples: Mapping[str, Sequence[Sample]], of: str, to: str) -> Spread:
    """Return the spread of the ratios of two ways' seconds, taken round by round."""
    return spread([one.seconds / two.seconds for one, two in zip(samples[of], samples[to])])


def seconds(samples: Sequence[Sample]) -> Spread:
    """Return the spread of the wall clock."""
    return spread([sample.seconds for sample in samples])
