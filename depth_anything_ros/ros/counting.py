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

"""What became of every image, how fast and how late: numbers for diagnostics and tests."""

from __future__ import annotations

from collections import deque
from dataclasses import astuple, dataclass, fields, replace
import threading
import time
from typing import Callable, Mapping

import numpy as np

WINDOW = 5.0
"""Seconds over which rates are counted."""

KEPT = 512
"""Newest values kept for rates and percentiles."""


@dataclass(frozen=True)
class Counts:
    """
    What became of the images; every received one is in exactly one of the others.

    ``published``: its topics went out. ``idle``: nobody subscribed to any output.
    ``replaced``: a newer image came before this one was processed. ``no_camera_info``: nobody
    said its focal length. ``invalid``: the image or its CameraInfo is wrong. ``failed``: the
    network or the device failed. ``inactive``: the node was deactivated meanwhile.
    ``waiting``: on its way now.
    """

    received: int = 0
    published: int = 0
    idle: int = 0
    replaced: int = 0
    no_camera_info: int = 0
    invalid: int = 0
    failed: int = 0
    inactive: int = 0
    waiting: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        return Counts(**{item.name: getattr(self, item.name) + getattr(other, item.name)
                         for item in fields(self)})

    def __sub__(self, other: Counts) -> Counts:
        """Return the differences."""
        return Counts(**{item.name: getattr(self, item.name) - getattr(other, item.name)
                         for item in fields(self)})

    def ended(self) -> Counts:
        """Return these without what is on its way now."""
        return replace(self, received=self.received - self.waiting, waiting=0)

    @property
    def dropped(self) -> dict[str, int]:
        """Return how many images did not become depth, by reason, where there are any."""
        reasons = ('replaced', 'no_camera_info', 'invalid', 'failed', 'inactive')
        return {name: getattr(self, name) for name in reasons if getattr(self, name)}

    @property
    def accounted(self) -> int:
        """Return the sum of all ends and of what is on its way: equal to ``received``."""
        return int(sum(astuple(self))) - self.received


class Rate:
    """Events per second over the last seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Count by this clock, in seconds."""
        self._clock = clock
        self._times: deque[float] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def tick(self) -> None:
        """Count one event now."""
        with self._lock:
            self._times.append(self._clock())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._times.clear()

    def hertz(self) -> float:
        """Return events per second in the window that ends now, 0 for fewer than two."""
        with self._lock:
            recent = [moment for moment in self._times if self._clock() - moment <= WINDOW]
        if len(recent) < 2 or recent[-1] <= recent[0]:
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])

    def silence(self) -> float:
        """Return seconds since the last event, infinite when there was none."""
        with self._lock:
            return self._clock() - self._times[-1] if self._times else float('inf')


class Recent:
    """The newest values of something, for percentiles."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._values: deque[float] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def add(self, value: float) -> None:
        """Add one value."""
        with self._lock:
            self._values.append(value)

    def mean(self) -> float:
        """Return the mean, NaN where there is none."""
        with self._lock:
            return sum(self._values) / len(self._values) if self._values else float('nan')

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def percentiles(self, *ranks: float) -> tuple[float, ...]:
        """Return the values at these percentages, NaN where there is none."""
        with self._lock:
            values = list(self._values)
        if not values:
            return tuple(float('nan') for _ in ranks)
        return tuple(float(value) for value in np.percentile(values, ranks))


def age_of(now_ns: int, stamp_ns: int) -> float | None:
    """
    Return the age of an image in seconds, None where the numbers do not tell it.

    A clock at zero has not begun (``use_sim_time`` before the first /clock), an image at zero has
    no stamp, and an image of the future comes of a clock that jumped back or of another machine's.

    :param now_ns: time of the node's clock in nanoseconds.
    :param stamp_ns: stamp of the image in nanoseconds.
    """
    if now_ns <= 0 or stamp_ns <= 0 or stamp_ns > now_ns:
        return None
    return (now_ns - stamp_ns) / 1e9


class Flow:
    """Rates and delays of one camera."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.received = Rate()
        self.published = Rate()
        self.age = Recent()
        """Seconds from an image's stamp to its publication, by the node's clock."""
        self.ahead = 0
        """Images whose stamp was ahead of the node's clock."""
        self.latency = Recent()
        """Seconds from the image's arrival in the node to its publication."""
        self.stages: dict[str, Recent] = {}
        """
        Seconds by stage, which add up to the age: ``arrival`` (from the stamp until the image was
        handed in with its camera_info), waiting for and being in each stage, ``publish``.
        """

    def add_stages(self, seconds: Mapping[str, float]) -> None:
        """Add what the stages of one image took."""
        for stage, value in seconds.items():
            kept = self.stages.get(stage)
            if kept is None:
                kept = self.stages[stage] = Recent()
            kept.add(value)

    def reset(self) -> None:
        """Forget everything."""
        for part in (self.received, self.published, self.age, self.latency):
            part.clear()
        self.stages.clear()
        self.ahead = 0
