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

"""Replies in the order of their requests, client by client."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Sequence

from depth_anything_ros.errors import LimitExceeded

FLOOD = 16
"""So many times the requests a client may have under way are answered; more are dropped."""


@dataclass(eq=False)
class Ticket:
    """
    A request that waits for its reply; ``deadline`` is in seconds of the caller's clock.

    ``give_up`` takes its work back, as far as it is not begun.
    """

    client: bytes
    envelope: Sequence[bytes]
    own_form: bool
    deadline: float
    reply: Any = None
    answered: bool = False
    give_up: Callable[[], object] = lambda: None


class Ordering:
    """The requests under way; a reply goes out when all earlier ones of its client have."""

    def __init__(self, clients: int, in_flight: int) -> None:
        """
        Make an empty table.

        :param clients: how many may have requests under way.
        :param in_flight: how many requests each may have under way.
        """
        self._limits = clients, in_flight
        self._queues: dict[bytes, deque[Ticket]] = {}

    def __len__(self) -> int:
        """Return how many requests are not answered or cannot be sent yet."""
        return sum(map(len, self._queues.values()))

    def flooded(self, client: bytes) -> bool:
        """Return whether a client has sent so much that not even a refusal is due."""
        return len(self._queues.get(client, ())) >= self._limits[1] * FLOOD

    def add(self, ticket: Ticket) -> LimitExceeded | None:
        """
        Put a request at the end of its client's queue.

        :returns: the error to answer it with when the client, or the server, has too many.
        """
        clients, in_flight = self._limits
        queue = self._queues.setdefault(ticket.client, deque())
        queue.append(ticket)
        if len(queue) > in_flight:
            return LimitExceeded(
                f'{in_flight} requests of this client are under way already; wait for replies')
        if len(self._queues) > clients:
            return LimitExceeded(f'{clients} clients are served already; try again')
        return None

    def answer(self, ticket: Ticket, reply: Any) -> list[Ticket]:
        """
        Return the requests whose replies are to be sent now, in order.

        :param ticket: the request that is answered; a second answer is ignored.
        :param reply: its reply.
        """
        if ticket.answered:
            return []
        ticket.reply, ticket.answered = reply, True
        queue = self._queues[ticket.client]
        ready = []
        while queue and queue[0].answered:
            ready.append(queue.popleft())
        if not queue:
            del self._queues[ticket.client]
        return ready

    def overdue(self, now: float) -> list[Ticket]:
        """Return the requests whose deadline is over."""
        return [ticket for queue in self._queues.values() for ticket in queue
                if not ticket.answered and ticket.deadline <= now]
