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
import time
from typing import Any, Callable, Sequence

from depth_anything_ros.ros.received import take
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation as implementation

logger = logging.getLogger(__name__)

FOR_EVER = -1
"""Nanoseconds to wait, for a wait set."""


class Apart(MutuallyExclusiveCallbackGroup):  # type: ignore[misc]
    """A callback group that no executor executes."""

    def can_execute(self, entity: Any) -> bool:
        """Return False."""
        return False


class InputThread:
    """
    Hears some subscriptions of a node in a thread of its own, all in ``group``.

    rclpy's executor gathers all that a node has for every wait, some twenty services and thirty
    events, and even with two subscriptions it takes longer between two messages than to take an
    image of 640x480. This one waits for its subscriptions as ``rclpy.wait_for_message`` does, and
    a service that takes long holds up no image.
    """

    def __init__(self, context: Any, name: str) -> None:
        """
        Start the thread, without subscriptions.

        :param context: of the node.
        :param name: of the thread.
        """
        self.group = Apart()
        self._context = context
        self._subscriptions: tuple[Any, ...] = ()
        self._guard = GuardCondition(None, None, context)
        self._closing = False
        self._ending = threading.Lock()
        self._calls: SimpleQueue[Callable[[], Any]] = SimpleQueue()
        self._thread = threading.Thread(target=self._spin, name=name, daemon=True)
        context.on_shutdown(self._wake)
        self._thread.start()

    def hear(self, subscriptions: Sequence[Any]) -> None:
        """
        Hear these and no others from now on.

        :param subscriptions: of ``group``; their callbacks are plain functions of a message,
            those of raw ones of the memory in which a serialized one was received.
        """
        self._subscriptions = tuple(subscriptions)
        self._wake()

    def soon(self, call: Callable[[], Any]) -> None:
        """
        Call something in the thread: what it hears must not be destroyed in another.

        :param call: what to call; :meth:`close` calls what is left, and after it this does.
        """
        self._calls.put(call)
        with self._ending:
            if not self._closing:
                self._wake()
                return
        self._catch_up()

    def close(self) -> None:
        """End the thread; nothing is heard after this returns."""
        with self._ending:
            self._closing = True
            self._wake()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._catch_up()
        self._guard.destroy()

    def _wake(self) -> None:
        with suppress(implementation.InvalidHandle):  # closed
            self._guard.trigger()

    def _catch_up(self) -> None:
        with suppress(Empty):
            while True:  # others may do so at the same time
                self._calls.get_nowait()()

    def _spin(self) -> None:
        while not self._closing and self._context.ok():
            try:
                self._hear_these(self._subscriptions)
            except Exception:
                if self._context.ok():
                    logger.exception('cameras are not heard for a second')
                    time.sleep(1.0)

    def _hear_these(self, subscriptions: tuple[Any, ...]) -> None:
        """Hear subscriptions until there are others."""
        events = [event for each in subscriptions for event in each.event_handlers]
        entities = implementation.WaitSet(
            len(subscriptions), 1, 0, 0, 0, len(events), self._context.handle)
        while subscriptions is self._subscriptions and not self._closing:
            self._catch_up()
            entities.clear_entities()
            entities.add_guard_condition(self._guard.handle)
            for each in subscriptions:
                entities.add_subscription(each.handle)
            for event in events:
                event.add_to_wait_set(entities)
            entities.wait(FOR_EVER)
            if not self._context.ok():
                return
            ready = entities.get_ready_entities('subscription')
            for each in subscriptions:
                if each.handle.pointer in ready:
                    _attempt(_take, each)
            for event in events:
                if event.is_ready(entities):
                    _attempt(_tell, event)


def _attempt(call: Callable[[Any], None], entity: Any) -> None:
    try:
        call(entity)
    except Exception:
        # One message must not end the thread that hears all others.
        logger.exception('a message from a camera was lost')


def _take(subscription: Any) -> None:
    if subscription.raw:
        message: Any = take(subscription)
    else:
        message, _ = subscription.handle.take_message(subscription.msg_type, False) \
            or (None, None)
    if message is not None:
        subscription.callback(message)


def _tell(event: Any) -> None:
    data = event.take_data()
    if data is not None:
        event.callback(data)
