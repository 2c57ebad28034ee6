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

"""A limit on how often something is published, in the time of the images' stamps."""

from __future__ import annotations

from depth_anything_ros.ros.conversions import NANOSECONDS


class RateLimit:
    """
    Lets so many images per second through, evenly.

    Time is that of the stamps, so that a recording, simulated time and a slow replay give the same
    images. Stamps that stand still or jump back limit nothing and start anew. ``hertz`` is 0 for
    no limit; it may change at any time.
    """

    def __init__(self, hertz: float = 0.0) -> None:
        """Start with the next image."""
        self.hertz = hertz
        self._last: int | None = None
        self._due = 0

    def allows(self, stamp_ns: int) -> bool:
        """Return whether an image may pass; nothing is noted."""
        if self.hertz <= 0 or self._last is None or stamp_ns <= self._last:
            return True
        # Never later than one period after the last: the limit may just have been raised.
        return stamp_ns >= min(self._due, self._last + self._period)

    def take(self, stamp_ns: int) -> bool:
        """Return whether an image may pass, and count it when it does."""
        if not self.allows(stamp_ns):
            return False
        if self.hertz > 0:
            late = stamp_ns - self._due
            # From when it was due, so that a camera of 30 Hz gives 20 Hz and not 15.
            on_time = self._last is not None and 0 <= late < self._period
            self._due = (self._due if on_time else stamp_ns) + self._period
        self._last = stamp_ns
        return True

    @property
    def _period(self) -> int:
        return int(NANOSECONDS / self.hertz)
