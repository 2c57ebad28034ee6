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

"""What the replicas of a deployment say of themselves with every answer."""

from __future__ import annotations

from collections import Counter
import threading
import time
from typing import Any, Callable, Mapping

from depth_anything_ros.engine.tally import Lately
from depth_anything_ros.engine.workers import DeviceStatus

LOOK_S = 1.0
"""Seconds for which the list of replicas that live is believed."""


class Replicas:
    """
    Keeps the newest :meth:`remote.replica.Replica.state` of each replica that lives.

    What they have done is counted on when they are gone.
    """

    def __init__(self, device: str, living: Callable[[], frozenset[str]]) -> None:
        """
        Know nobody.

        :param device: on which each of them is, for people.
        :param living: returns the names of those that live; others may be among them.
        """
        self._device, self._look = device, living
        self._lock = threading.Lock()
        self._states: dict[str, Mapping[str, Any]] = {}
        self._rates: dict[str, Lately] = {}
        self._batches: Counter[int] = Counter()
        self._busy = 0.0
        self._looked = float('-inf')

    def heard(self, state: Mapping[str, Any]) -> None:
        """Take what a replica said."""
        name = state['name']
        with self._lock:
            before = self._states.get(name)
            rate = self._rates.setdefault(name, Lately())
            if before is not None and before['images'] > state['images']:
                return  # overtaken by a newer one
            # What was done before anybody here asked it has no rate.
            rate.add(state['images'] - before['images'] if before else 1)
            before = before or {'batches': {}, 'busy_s': 0.0}
            self._states[name] = state
            self._busy += state['busy_s'] - before['busy_s']
            for size, count in state['batches'].items():
                self._batches[int(size)] += count - before['batches'].get(size, 0)

    def status(self) -> tuple[DeviceStatus, ...]:
        """Return how each is that lives and has answered; ``rate`` is that of all its askers."""
        with self._lock:
            if time.monotonic() - self._looked > LOOK_S:
                self._looked = time.monotonic()
                living = self._look()
                self._states = {name: state for name, state in self._states.items()
                                if name in living}
                self._rates = {name: self._rates[name] for name in self._states}
            return tuple(DeviceStatus(
                name=name.rpartition('#')[2], device=self._device, serving=True, error='',
                images=state['images'], rate=self._rates[name].rate(), busy_s=state['busy_s'],
                load=state['load']) for name, state in self._states.items())

    def work(self) -> dict[str, Any]:
        """Return the fields of :class:`engine.tally.Statistics` that replicas know."""
        with self._lock:
            return {'batches': dict(sorted(self._batches.items())), 'busy_s': self._busy,
                    'rate': sum(rate.rate() for rate in self._rates.values())}
