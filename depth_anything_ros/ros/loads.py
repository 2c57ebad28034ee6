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

"""Models that are being loaded, and what becomes of those that nobody waits for any more."""

from __future__ import annotations

from concurrent.futures import Future
import threading
from typing import Callable

from depth_anything_ros.errors import NotReady
from depth_anything_ros.ros.background import in_background
from depth_anything_ros.service import DepthService

CLOSE_TIMEOUT = 1.5
"""Seconds that the frame on the device may take to come to its end."""


class Loads:
    """
    Loads models, each in a thread of its own, and owns each until somebody takes it.

    A load cannot be interrupted: one that is given up is closed as soon as it is there.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._pending: set[Future[DepthService]] = set()
        self._lock = threading.Lock()

    def begin(self, load: Callable[[], DepthService]) -> Future[DepthService]:
        """
        Load a model in the background.

        :param load: loads it.
        :returns: what :meth:`take` wants; it is done when the model is there or has failed.
        """
        loading = in_background(load, 'depth-load')
        with self._lock:
            self._pending.add(loading)
        loading.add_done_callback(self._forget_failed)
        return loading

    def take(self, loading: Future[DepthService]) -> DepthService:
        """
        Return a model that was loaded; from now on it is the caller's to close.

        :param loading: of :meth:`begin`, done.
        :raises NotReady: when it was given up.
        :raises Exception: whatever stopped it.
        """
        with self._lock:
            ours = loading in self._pending
            self._pending.discard(loading)
        service = loading.result()
        if not ours:
            raise NotReady('the node was shut down while the model was loading')
        return service

    def give_up(self) -> bool:
        """
        Close every model that nobody has taken, at once or as soon as it is there.

        :returns: False when one is still loading.
        """
        with self._lock:
            given_up, self._pending = self._pending, set()
        ended = all(loading.done() for loading in given_up)
        for loading in given_up:
            loading.add_done_callback(close)
        return ended

    def _forget_failed(self, loading: Future[DepthService]) -> None:
        if loading.exception() is not None:
            with self._lock:
                self._pending.discard(loading)


def close(loading: Future[DepthService]) -> None:
    """Close what was loaded, if anything was."""
    if loading.exception() is None:
        loading.result().close(CLOSE_TIMEOUT)
