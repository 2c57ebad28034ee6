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

"""Messages are written as they are sent: what comes is what rclpy would have published."""

from __future__ import annotations

import logging
import time
from typing import Any, Callable, Iterator

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.ros.buffers import CloudBuffer, ImageBuffer, InfoBuffer
from depth_anything_ros.ros.carriers import Plain
from depth_anything_ros.ros.serialized import carrier, handling, problem, publish, ROOM, Serialized
import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header, String

pytestmark = pytest.mark.ros

RANDOM = np.random.default_rng(0)
BUFFERS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    '32FC1': (Image, lambda carry: ImageBuffer('32FC1', carry)),
    'rgb8': (Image, lambda carry: ImageBuffer('rgb8', carry)),
    'cloud': (PointCloud2, CloudBuffer),
    'info': (CameraInfo, InfoBuffer)}


def value(name: str, height: int = 6, width: int = 8) -> Any:
    """Return something to publish."""
    if name == 'info':
        return Intrinsics.from_focal(0.7 * width, width, height)
    if name == 'rgb8':
        return RANDOM.integers(0, 256, (height, width, 3), np.uint8)
    shape = (height, width, 4) if name == 'cloud' else (height, width)
    return RANDOM.random(shape).astype(np.float32)


def header(seconds: int = 7, frame_id: str = 'camera') -> Header:
    """Return a header."""
    made = Header(frame_id=frame_id)
    made.stamp.sec, made.stamp.nanosec = seconds, 1_000_000 * abs(seconds) + 1
    return made


@pytest.mark.parametrize('name', BUFFERS)
def test_it_is_the_message_that_rclpy_would_make(name: str) -> None:
    """Whatever changes from one to the next: stamp, frame, size, values, or nothing."""
    kind, make = BUFFERS[name]
    ours, plain = make(carrier()), make(Plain)
    same = value(name)
    for head, values in (
            (header(), same), (header(8), same), (header(8), value(name)),
            (header(-9, 'a'), value(name, 5, 7)), (header(9, ''), value(name, 480, 640)),
            (header(9, 'b' * 999), value(name, 480, 640)), (header(), value(name, 1, 1)),
            (header(10, 'base_link'), same)):
        message = ours.fill(head, values)
        assert isinstance(message, Serialized)
        assert deserialize_message(bytes(message), kind) == plain.fill(head, values)


@pytest.mark.parametrize('count', [0, 1, 20, 21, 900, 40_000])
def test_lists_of_points(count: int) -> None:
    """A list of any length, also none, in a buffer that had others before."""
    ours, plain = CloudBuffer(carrier()), CloudBuffer(Plain)
    for length in (30, count, 31):
        points = RANDOM.random((length, 3)).astype(np.float32)
        assert deserialize_message(bytes(ours.fill(header(), points)), PointCloud2) \
            == plain.fill(header(), points)


def test_results_are_written_where_they_are_sent_from() -> None:
    """No copy, at the beginning of a cache line; what is held is not written into."""
    buffer, kept = ImageBuffer('32FC1', carrier()), []
    for number in range(3):
        place = buffer.place((6, 8), np.float32)
        assert place is not None and place.ctypes.data % 64 == 0
        place[:] = number
        message = buffer.fill(header(), place)
        first = message.span.buffer + message.span.length - place.nbytes
        assert first == place.ctypes.data
        kept.append(place)
    assert [place[0, 0] for place in kept] == [0, 1, 2]


def test_a_frame_id_that_is_too_long_is_published_by_rclpy() -> None:
    """There is room for any that somebody uses; a longer one costs a copy and nothing else."""
    for name, (_, make) in BUFFERS.items():
        ours, plain, values = make(carrier()), make(Plain), value(name)
        long = header(3, 'x' * ROOM)
        assert ours.fill(long, values) == plain.fill(long, values)
        assert isinstance(ours.fill(header(), values), Serialized)


@pytest.fixture
def node() -> Iterator[Any]:
    """Yield a node in a context of its own."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('serialized', context=context)
    yield node
    node.destroy_node()
    context.try_shutdown()


@pytest.mark.parametrize('name', BUFFERS)
def test_it_is_received(node: Any, name: str) -> None:
    """Over the middleware, in the order in which it is published."""
    kind, make = BUFFERS[name]
    received: list[Any] = []
    node.create_subscription(kind, 'it', received.append, QoSProfile(depth=20))
    publisher = node.create_publisher(kind, 'it', QoSProfile(depth=20))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    end = time.monotonic() + 10.0
    while not publisher.get_subscription_count() and time.monotonic() < end:
        time.sleep(0.01)
    ours, expected = make(carrier()), []
    for number in range(10):
        values, head = value(name, 60 + number, 80), header(number)
        publish(publisher, ours.fill(head, values))
        expected.append(make(Plain).fill(head, values))
    while len(received) < 10 and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
    assert received == expected


def test_a_life_cycle_publisher_that_is_not_active_says_nothing() -> None:
    """As rclpy's own ``publish``."""
    class Publisher:
        """A publisher by which nothing may be published."""

        is_activated = False

    publish(Publisher(), ImageBuffer('32FC1', carrier()).fill(header(), value('32FC1')))


def test_a_message_is_refused_as_rclpy_does(node: Any) -> None:
    """By a publisher that is gone, and after the end of the context."""
    message = ImageBuffer('32FC1', carrier()).fill(header(), value('32FC1'))
    publisher, gone = (node.create_publisher(Image, name, 1) for name in ('it', 'gone'))
    node.destroy_publisher(gone)
    node.context.handle.shutdown()  # as a signal does
    for each in (message, Image()):
        with pytest.raises(RuntimeError, match='context is invalid'):
            publish(publisher, each)
        with pytest.raises(RuntimeError, match='destruction was requested'):
            publish(gone, each)


def test_what_is_not_understood_is_left_to_rclpy(caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, with the reason."""
    assert (problem(), carrier(), handling()) == (
        '', Serialized, 'sent from where they are written')
    with caplog.at_level(logging.WARNING):
        assert problem(Image, String) and problem(Image, String)
    assert len(caplog.records) == 1 and 'takes longer' in caplog.text
