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

"""The line about memory and rate that the ZMQ server of the seed logs."""

from __future__ import annotations

import time
from typing import Callable

PERIOD = 2.0
"""Seconds between two lines."""

MEGABYTE = 1e6

Memory = Callable[[], 'tuple[int, int] | None']


class RateLine:
    """Counts results and says every two seconds how many came per second."""

    def __init__(self, memory: Memory, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Start counting.

        :param memory: returns the allocated and the reserved bytes of the GPU, None without one.
        :param clock: returns seconds.
        """
        self._memory = memory
        self._clock = clock
        self._since = clock()
        self._count = 0

    def count(self) -> str | None:
        """Count one result and return the line when it is time for one."""
        now = self._clock()
        self._count += 1
        passed = now - self._since
        if passed < PERIOD:
            return None
        line = f'Hz: {self._count / passed:.1f}'
        memory = self._memory()
        if memory is not None:
            allocated, reserved = (value / MEGABYTE for value in memory)
            line = f'VRAM: {allocated:.0f}/{reserved:.0f} MB | {line}'
        self._since, self._count = now, 0
        return line
