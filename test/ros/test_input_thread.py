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

"""Cameras are heard in a thread of their own, whatever the node's executor does."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Iterator

from depth_anything_ros.ros.input_thread import InputThread
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks


@pytest.fixture
def node() -> Iterator[Any]:
    """Yield a node in a context of its own."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('inputs', context=context)
    yield node
    node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def heard(node: Any) -> Iterator[InputThread]:
    """Yield a thread of the node."""
    thread = InputThread(node.context, 'test-input')
    yield thread
    thread.close()


def until(condition: Callable[[], Any]) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + 10.0
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def say(node: Any, topic: str) -> Callable[[str], None]:
    """Return what publishes a word on a topic that somebody hears already."""
    publisher = node.create_publisher(String, topic, 10)
    until(publisher.get_subscription_count)
    return lambda word: publisher.publish(String(data=word))


def test_messages_come_while_a_service_of_the_node_takes_long(
    node: Any, heard: InputThread,
) -> None:
    """The node's own executor is stuck in a callback, and never hears what this thread hears."""
    words: list[tuple[str, str]] = []
    heard.hear([node.create_subscription(
        String, 'word', lambda message: words.append(
            (message.data, threading.current_thread().name)), 10, callback_group=heard.group)])
    speak = say(node, 'word')
    stuck, go_on = threading.Event(), threading.Event()
    guard = node.create_guard_condition(lambda: (stuck.set(), go_on.wait(10.0)))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    try:
        guard.trigger()
        assert stuck.wait(10.0)
        speak('first')
        until(lambda: words)
        go_on.set()
        for word in ('second', 'third'):
            speak(word)
        until(lambda: len(words) == 3)
    finally:
        go_on.set()
        executor.shutdown()
        spinning.join(10.0)
    assert words == [(word, 'test-input') for word in ('first', 'second', 'third')]


def test_what_fails_does_not_end_it(
    node: Any, heard: InputThread, caplog: pytest.LogCaptureFixture,
) -> None:
    """A callback that raises is said in the log, and the next message is heard."""
    words: list[str] = []

    def take(message: Any) -> None:
        if message.data == 'bad':
            raise ValueError('a bad word')
        words.append(message.data)

    heard.hear([node.create_subscription(
        String, 'word', take, 10, callback_group=heard.group)])
    speak = say(node, 'word')
    speak('bad')
    speak('good')
    until(lambda: words == ['good'])
    assert 'a bad word' in caplog.text


def test_subscriptions_come_and_go_while_messages_come(node: Any, heard: InputThread) -> None:
    """They are made in one thread and destroyed in the other; the node's executor looks on."""
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    publisher = node.create_publisher(String, 'word', 10)
    count, destroyed = [0], threading.Semaphore(0)

    def take(message: Any) -> None:
        count[0] += 1

    def destroy(subscription: Any) -> None:
        node.destroy_subscription(subscription)
        destroyed.release()

    try:
        for _ in range(30):
            subscription = node.create_subscription(
                String, 'word', take, 10, callback_group=heard.group)
            heard.hear([subscription])
            before, end = count[0], time.monotonic() + 10.0
            while count[0] == before and time.monotonic() < end:
                publisher.publish(String(data='word'))
                time.sleep(0.001)
            assert count[0] > before
            heard.hear([])
            heard.soon(lambda gone=subscription: destroy(gone))
            publisher.publish(String(data='word'))
        for _ in range(30):
            assert destroyed.acquire(timeout=10.0)
        assert spinning.is_alive() and not list(node.subscriptions)
    finally:
        executor.shutdown()
        spinning.join(10.0)


def test_its_events_come_too(node: Any, heard: InputThread) -> None:
    """That nobody can be heard who offers less than is asked for."""
    events: list[tuple[int, str]] = []
    heard.hear([node.create_subscription(
        String, 'word', lambda message: None, QoSProfile(depth=1), callback_group=heard.group,
        event_callbacks=SubscriptionEventCallbacks(incompatible_qos=lambda event: events.append(
            (event.total_count, threading.current_thread().name))))])
    node.create_publisher(String, 'word', QoSProfile(
        depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    until(lambda: events)
    assert events == [(1, 'test-input')]


def test_its_end(node: Any) -> None:
    """After ``close`` nothing is heard, what was to be called is; it may be closed again."""
    thread = InputThread(node.context, 'test-input')
    words: list[str] = []
    thread.hear([node.create_subscription(
        String, 'word', lambda message: words.append(message.data), 10,
        callback_group=thread.group)])
    speak = say(node, 'word')
    called: list[int] = []
    thread.soon(lambda: called.append(1))
    thread.close()
    thread.soon(lambda: called.append(2))
    thread.close()
    speak('late')
    time.sleep(0.2)
    assert called == [1, 2] and not words


def test_it_ends_with_the_context(node: Any) -> None:
    """Also when nobody closes it."""
    thread = InputThread(node.context, 'test-end-of-context')
    node.context.shutdown()
    until(lambda: all(each.name != 'test-end-of-context' for each in threading.enumerate()))
    thread.close()


def test_many_call_after_its_end(node: Any) -> None:
    """Each call is made once, and nobody waits for one that another thread has taken."""
    thread = InputThread(node.context, 'test-input')
    thread.close()
    called: list[int] = []

    def call(first: int) -> None:
        for number in range(first, first + 500):
            thread.soon(lambda number=number: called.append(number))

    callers = [threading.Thread(target=call, args=(500 * index,), daemon=True)
               for index in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10.0)
    assert not any(caller.is_alive() for caller in callers) and sorted(called) == [*range(2000)]
