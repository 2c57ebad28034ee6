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

"""The streams of a service, and those who want to see what comes out of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
import logging
import threading
from typing import Any, Callable, Mapping
import weakref

from depth_anything_ros.core.result import DepthResult

logger = logging.getLogger(__name__)

OnResult = Callable[[DepthResult], None]


@dataclass(eq=False)
class Watch:
    """Somebody who watches a stream until it is closed; made by :meth:`Watchers.watch`."""

    name: str
    on_result: OnResult
    end: Callable[[Watch], None]

    def close(self) -> None:
        """Watch no more."""
        self.end(self)


class Watchers:
    """
    Hands results of streams on to whoever watches, beside the stream's own receiver.

    A stream that nobody watches costs nothing. Whoever feeds a stream can ask whether it is
    watched (:meth:`watched`) and be told when that changes (:meth:`on_change`): it need not work
    for nobody.
    """

    def __init__(self) -> None:
        """Begin with no stream."""
        self._lock = threading.Lock()
        self._streams: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self._watches: dict[str, tuple[Watch, ...]] = {}
        self._listeners: dict[str, tuple[Callable[[], None], ...]] = {}

    def streams(self) -> Mapping[str, Any]:
        """Return the open streams by name."""
        with self._lock:
            return dict(sorted(self._streams.items()))

    def add(self, name: str, stream: Any) -> None:
        """Remember a stream as long as it lives; a later one of the same name takes its place."""
        with self._lock:
            self._streams[plain(name)] = stream

    def watched(self, name: str) -> bool:
        """Return whether anybody watches a stream."""
        return bool(self._watches.get(plain(name)))

    def watch(self, name: str, on_result: OnResult) -> Watch:
        """
        Watch a stream, also one that is not open yet.

        :param name: of the stream.
        :param on_result: called in the finish thread with each result; it must be quick. Of the
            arrays only ``depth`` is there, a copy that the receiver may keep.
        """
        watch = Watch(plain(name), on_result, self._end)
        self._change(watch.name, lambda found: (*found, watch))
        return watch

    def on_change(self, name: str, listener: Callable[[], None]) -> Callable[[], None]:
        """
        Call a function whenever a stream gets its first watcher or loses its last one.

        :param name: of the stream.
        :param listener: called in the watcher's thread.
        :returns: what ends it.
        """
        name = plain(name)
        with self._lock:
            self._listeners[name] = (*self._listeners.get(name, ()), listener)

        def end() -> None:
            with self._lock:
                self._listeners[name] = tuple(
                    item for item in self._listeners[name] if item is not listener)
        return end

    def tapped(self, name: str, on_result: OnResult) -> OnResult:
        """Return a receiver that hands results to the stream's own and then to its watchers."""
        name = plain(name)

        def both(result: DepthResult) -> None:
            on_result(result)
            watches = self._watches.get(name)
            if not watches:
                return
            # The engine fills its arrays again with the next frame.
            seen = replace(result, depth=result.depth.copy(), confidence=None, sky=None,
                           cloud=None, preview=None)
            for watch in watches:
                try:
                    watch.on_result(seen)
                except Exception:
                    # A watcher must not stop the stream.
                    logger.exception('a watcher of %s failed', name)
        return both

    def _end(self, watch: Watch) -> None:
        self._change(watch.name, lambda found: tuple(
            item for item in found if item is not watch))

    def _change(
        self, name: str, change: Callable[[tuple[Watch, ...]], tuple[Watch, ...]],
    ) -> None:
        with self._lock:
            before = self._watches.get(name, ())
            after = self._watches[name] = change(before)
            if not after:
                del self._watches[name]
            listeners = self._listeners.get(name, ()) if bool(before) != bool(after) else ()
        for listener in listeners:
            listener()


def plain(name: str) -> str:
    """Return a stream's name without slashes around it."""
    return name.strip('/')
