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

"""A thread that hears what cameras send, beside the executor that serves the rest of the node."""

from __future__ import annotations

from contextlib import suppress
import logging
from queue import Empty, SimpleQueue
import threading
from typing import Any, Callable, Sequence

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

logger = logging.getLogger(__name__)


class ThreadGroup(MutuallyExclusiveCallbackGroup):  # type: ignore[misc]
    """A callback group that only one thread may execute, whatever executor has the node."""

    thread: int | None = None

    def can_execute(self, entity: Any) -> bool:
        """Return whether the calling thread is to look at something of the group."""
        return threading.get_ident() == self.thread and super().can_execute(entity)


class Part:
    """What an executor asks a node for, of some of its subscriptions."""

    timers = clients = services = guards = ()
    executor: Any = None
    subscriptions: Sequence[Any] = ()

    @property
    def waitables(self) -> list[Any]:
        """Return the events of the subscriptions."""
        return [event for each in self.subscriptions for event in each.event_handlers]


class InputThread:
    """
    Hears some subscriptions of a node in a thread of its own, all in ``group``.

    rclpy's executor gathers all that a node has for every wait: some twenty services and thirty
    events, which takes longer than to take an image of 640x480 and stands in front of it. This one
    gathers its subscriptions alone, and a service that takes long holds up no image.
    """

    def __init__(self, context: Any, name: str) -> None:
        """
        Start the thread, without subscriptions.

        :param context: of the node.
        :param name: of the thread.
        """
        self.group = ThreadGroup()
        self._part = Part()
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self._part)
        self._context = context
        self._closing = False
        self._ending = threading.Lock()
        self._calls: SimpleQueue[Callable[[], Any]] = SimpleQueue()
        self._thread = threading.Thread(target=self._spin, name=name, daemon=True)
        self._thread.start()

    def hear(self, subscriptions: Sequence[Any]) -> None:
        """
        Hear these and no others from now on.

        :param subscriptions: of ``group``.
        """
        self._part.subscriptions = tuple(subscriptions)
        self._executor.wake()

    def soon(self, call: Callable[[], Any]) -> None:
        """
        Call something in the thread: what it hears must not be destroyed in another.

        :param call: what to call; :meth:`close` calls what is left, and after it this does.
        """
        self._calls.put(call)
        with self._ending:
            if not self._closing:
                self._executor.create_task(self._catch_up)
                return
        self._catch_up()

    def close(self) -> None:
        """End the thread; nothing is heard after this returns."""
        with self._ending:
            if not self._closing:
                self._closing = True
                self._executor.create_task(self._catch_up)  # it returns only after work
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._catch_up()
        self._executor.shutdown()

    def _catch_up(self) -> None:
        with suppress(Empty):
            while True:  # others may do so at the same time
                self._calls.get_nowait()()

    def _spin(self) -> None:
        self.group.thread = threading.get_ident()
        while not self._closing and self._context.ok():
            try:
                self._executor.spin_once()
            except ExternalShutdownException:
                return
            except Exception:
                # One message must not end the thread that hears all others.
                logger.exception('a message from a camera was lost')
