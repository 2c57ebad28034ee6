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

"""How streams and requests divide a stage's time: a share each, and what the other leaves."""

from __future__ import annotations

LONGEST_S = 2.0
"""No request waits longer than this for the sake of the shares."""

SMOOTHING = 0.2
LIVE_GAPS = 3
"""A stream without a frame for so many of its periods holds nobody up."""


class Shares:
    """
    Start-time fair queueing of two kinds of jobs, and room for cameras that would lose frames.

    A kind that waits while the other is served comes next when it has used less, in proportion
    to its share. Where no frame waits a request is begun at once, unless requests lately took
    longer than the time between two frames of a camera: each would then cost it frames, and
    requests have their share of the time and no more.
    """

    def __init__(self, requests: float = 0.15) -> None:
        """
        Begin with nothing used.

        :param requests: their part of the time, 0 to 1, while frames wait for it.
        """
        self._weights = {True: max(1.0 - requests, 1e-6), False: max(requests, 1e-6)}
        self._used = {True: 0.0, False: 0.0}
        self._now_served = 0.0
        self._last = {True: 0.0, False: 0.0}
        self._free_at = 0.0
        self.cameras: dict[object, tuple[float, float]] = {}
        """Time of the last frame of each stream, and the time between two."""

    def arrived(self, owner: object, stream: bool, alone: bool, now: float) -> None:
        """
        Note a job.

        :param owner: whose it is.
        :param stream: whether that is a stream.
        :param alone: whether no other job of its kind waits; what it did not use while it had
            nothing to do is not saved up.
        :param now: the time in seconds.
        """
        if alone:
            self._used[stream] = max(self._used[stream], self._now_served)
        if stream:
            last, gap = self.cameras.get(owner, (now, 0.0))
            seen = now - last
            self.cameras[owner] = (now, gap + SMOOTHING * (seen - gap) if gap else seen)

    def gone(self, owner: object) -> None:
        """Forget a stream."""
        self.cameras.pop(owner, None)

    def streams_next(self, streams: bool, requests: bool) -> bool:
        """Return whether a stream's job is next, given which kinds wait."""
        return streams and not (requests and self._used[False] < self._used[True])

    def requests_join(self) -> bool:
        """Return whether requests may share a stream's turn: they would be next after it."""
        return self._used[False] <= self._used[True] + self._last[True] / self._weights[True]

    def hold(self, now: float) -> float:
        """Return the seconds for which requests wait although no frame does."""
        left = min(self._free_at - now, LONGEST_S)
        if left <= 0 or not any(
                gap < self._last[False] and now - last < LIVE_GAPS * gap
                for last, gap in self.cameras.values()):
            return 0.0
        return left

    def taken(self, stream: bool) -> None:
        """Note which kind is served from now on."""
        self._now_served = self._used[stream]

    def charge(self, stream: bool, seconds: float, turn: float, now: float) -> None:
        """
        Note what a kind has used.

        :param stream: whether it was a stream.
        :param seconds: a job's part of the stage's time.
        :param turn: the time of all jobs that shared the turn.
        :param now: when it ended.
        """
        self._last[stream] = turn
        self._used[stream] += seconds / self._weights[stream]
        if not stream:
            self._used[False] = min(
                self._used[False], self._used[True] + LONGEST_S / self._weights[True])
            rest = self._weights[True] / self._weights[False]
            self._free_at = now + min(turn * rest, LONGEST_S)

    def charge_alone(self, seconds: float, now: float) -> None:
        """
        Note a request that came when nothing else waited, and was served at once.

        :param seconds: what it has used.
        :param now: when it ended.
        """
        # It had not saved up anything, see arrived.
        self._used[False] = self._now_served = max(self._used[False], self._now_served)
        self.charge(False, seconds, seconds, now)
