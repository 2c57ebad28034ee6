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

"""How much one client may ask: requests under way and requests per second."""

from __future__ import annotations

from dataclasses import dataclass
import time
from typing import Callable

from depth_anything_ros.errors import LimitExceeded

FORGET_AT = 4096
"""So many clients are remembered before those that do nothing are forgotten."""


@dataclass
class _Share:
    under_way: int = 0
    left: float = 0.0
    seen: float = 0.0


class Shares:
    """The share of every client; used in one thread."""

    def __init__(
        self, in_flight: int, rate: float = 0.0, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Make an empty table.

        :param in_flight: requests that a client may have under way.
        :param rate: requests per second that it may send, 0 for any number; as many at once.
        :param clock: returns seconds.
        """
        self._in_flight, self._rate, self._clock = in_flight, rate, clock
        self._most = max(1.0, rate)
        self._shares: dict[str, _Share] = {}

    def enter(self, client: str) -> None:
        """
        Count a request that begins.

        :param client: who asks.
        :raises LimitExceeded: when the client has used up its share; nothing is counted then.
        """
        now = self._clock()
        if len(self._shares) >= FORGET_AT:
            self._forget(now)
        share = self._shares.setdefault(client, _Share(left=self._most, seen=now))
        if share.under_way >= self._in_flight:
            raise LimitExceeded(
                f'{self._in_flight} requests of this client are under way already; '
                'wait for replies')
        if self._rate:
            share.left = min(self._most, share.left + (now - share.seen) * self._rate)
            share.seen = now
            if share.left < 1:
                raise LimitExceeded(f'this client may send {self._rate:g} requests per second')
            share.left -= 1
        share.under_way += 1

    def leave(self, client: str) -> None:
        """Count a request that is over."""
        share = self._shares[client]
        share.under_way -= 1
        if not share.under_way and not self._rate:
            del self._shares[client]

    def _forget(self, now: float) -> None:
        refill = self._most / self._rate if self._rate else 0.0
        self._shares = {name: share for name, share in self._shares.items()
                        if share.under_way or now - share.seen < refill}
