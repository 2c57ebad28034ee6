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

"""Images are read where they were received, and go out from there where nothing has changed."""

from __future__ import annotations

import gc
import time
from typing import Any, Callable, Iterator

from depth_anything_ros.ros.buffers import ImageBuffer
from depth_anything_ros.ros.conversions import rgb_of
from depth_anything_ros.ros.frames import Frame
from depth_anything_ros.ros.headers import header_of
from depth_anything_ros.ros.rcl import take_serialized
from depth_anything_ros.ros.received import (
    Forwarded,
    ImageReader,
    ReceivedImage,
    take,
    take_by_rclpy,
)
from depth_anything_ros.ros.serialized import carrier, handling, publish, Serialized
import numpy as np
import pytest
import rclpy
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

pytestmark = pytest.mark.ros


def image(second: int = 1, width: int = 40, **fields: Any) -> Image:
    """Return an image of 30 rows; no two pixels beside each other are the same."""
    fields = {'encoding': 'rgb8', 'step': 3 * width, **fields}
    made = Image(height=30, width=width, **fields)
    made.header.frame_id = 'camera'
    made.header.stamp.sec, made.header.stamp.nanosec = second, 5
    made.data.frombytes(bytes((second + each) % 251 for each in range(30 * made.step)))
    return made


def read(reader: ImageReader, message: Image) -> Any:
    """Return what a reader makes of a message."""
    return reader.read(memoryview(bytearray(serialize_message(message))))


def same(found: Any, message: Image) -> bool:
    """Return whether an image that was read says what the message says."""
    return bytes(found.data) == bytes(message.data) and said(found) == said(message)


def said(image: Any) -> tuple[Any, ...]:
    """Return what an image says of its pixels."""
    return (image.header.stamp.sec, image.header.stamp.nanosec, image.header.frame_id,
            image.height, image.width, image.encoding, image.is_bigendian, image.step)


@pytest.mark.parametrize('change', (
    {}, {'width': 41}, {'width': 1}, {'encoding': 'bgr8'}, {'step': 131}, {'is_bigendian': 1},
    {'width': 40, 'encoding': 'mono8', 'step': 40}))
def test_it_says_what_the_message_says(change: dict[str, Any]) -> None:
    """Whatever changes from one to the next, and when it changes back."""
    reader = ImageReader()
    for message in (image(1), image(-2), image(3, **change), image(4, **change), image(5)):
        found = read(reader, message)
        assert isinstance(found, ReceivedImage) and same(found, message)


@pytest.mark.parametrize('frame_id', ['', 'a', 'camera_optical_frame', 'b' * 500])
def test_another_frame(frame_id: str) -> None:
    """The frame is in front of everything else."""
    reader, other = ImageReader(), image(2)
    other.header.frame_id = frame_id
    for message in (image(1), other, image(3)):
        assert same(read(reader, message), message)


def test_an_image_of_one_value_and_one_without_data() -> None:
    """Nothing in the data says where it begins."""
    reader = ImageReader()
    for value in (0, 1, 255):
        message = Image(height=16, width=16, encoding='mono8', step=16)
        message.data.frombytes(bytes([value]) * 256)
        assert same(read(reader, message), message)
    assert same(read(reader, Image()), Image())


def test_what_is_cut_off_is_refused() -> None:
    """Also when it begins as the one before."""
    reader, data = ImageReader(), bytearray(serialize_message(image(1)))
    reader.read(memoryview(data))
    for size in (0, 3, 4, 11, 12, 40, len(data) - 1):
        with pytest.raises((RuntimeError, MemoryError)):
            reader.read(memoryview(data[:size]))
    assert same(reader.read(memoryview(data)), image(1))


def test_a_layout_that_is_not_known_is_left_to_rclpy(caplog: pytest.LogCaptureFixture) -> None:
    """Bytes that no middleware puts behind an image; it is said once."""
    reader, data = ImageReader(), bytearray(serialize_message(image(1))) + b'something'
    for _ in range(2):
        assert reader.read(memoryview(data)) == image(1)
    assert len(caplog.records) == 1 and 'not serialized as expected' in caplog.text
    assert handling(reader.strange) == f'copied by rclpy: {reader.strange}'
    assert 'copied' not in handling(ImageReader().strange)


class Line:
    """A publisher and a subscription of images, between which nothing is lost."""

    def __init__(self, node: Any) -> None:
        """Connect them."""
        quality = QoSProfile(depth=10)
        self.subscription = node.create_subscription(
            Image, 'it', lambda data: None, quality, raw=True)
        self.publisher = node.create_publisher(Image, 'it', quality)
        end = time.monotonic() + 10.0
        while not self.publisher.get_subscription_count() and time.monotonic() < end:
            time.sleep(0.01)

    def received(self, how: Callable[[Any], memoryview | None] = take) -> memoryview:
        """Return what was received, when it is here."""
        end = time.monotonic() + 10.0
        while (data := how(self.subscription)) is None:
            assert time.monotonic() < end
            time.sleep(0.001)
        return data


@pytest.fixture
def line() -> Iterator[Line]:
    """Yield a line in a context of its own."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('received', context=context)
    yield Line(node)
    node.destroy_node()
    context.try_shutdown()


def test_what_is_received_is_in_memory_of_its_own(line: Line) -> None:
    """While somebody looks into it, and no longer."""
    assert take_serialized(line.subscription) is None
    reader, pixels = ImageReader(), []
    for second in range(8):
        line.publisher.publish(image(second))
        found = reader.read(line.received())
        assert same(found, image(second))
        pixels.append(rgb_of(found)[1:, ::2])
        del found
        gc.collect()
    for second, each in enumerate(pixels):
        assert np.array_equal(each, rgb_of(image(second))[1:, ::2])


def test_rclpy_does_the_same(line: Line) -> None:
    """Where serialized messages cannot be had otherwise: pixels can be written to, too."""
    line.publisher.publish(image(1))
    found = ImageReader().read(line.received(take_by_rclpy))
    assert same(found, image(1)) and rgb_of(found).flags.writeable
    message = ImageBuffer('rgb8', carrier()).fill(image(1).header, rgb_of(found))
    assert deserialize_message(bytes(message), Image) == image(1)


def test_memory_is_freed(line: Line) -> None:
    """Images of 1.4 MB each, one at a time, are not there at the end."""
    message = image(1, width=16_000)
    for count in range(300):
        line.publisher.publish(message)
        line.received()
        if count == 50:
            before = resident()
    assert resident() - before < 100 << 20


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    with open('/proc/self/statm') as status:
        return int(status.read().split()[1]) * 4096


def test_a_received_picture_goes_out_as_it_came(line: Line) -> None:
    """Without a copy, and the receiver cannot tell."""
    buffer, reader = ImageBuffer('rgb8', carrier()), ImageReader()
    for second, width in ((1, 40), (2, 40), (3, 16)):
        line.publisher.publish(image(second, width))
        found = reader.read(line.received())
        rgb = rgb_of(found)
        message = buffer.fill(header_of(Frame(rgb, second * 10 ** 9 + 5, 'camera')), rgb)
        assert isinstance(message, Forwarded)
        assert deserialize_message(bytes(message), Image) == image(second, width)
        del found, rgb
        publish(line.publisher, message)
        assert same(reader.read(line.received()), image(second, width))


@pytest.mark.parametrize('encoding, step, crop, frame_id', [
    ('bgr8', 120, slice(None), 'camera'), ('rgb8', 126, slice(None), 'camera'),
    ('rgb8', 120, slice(5, 20), 'camera'), ('rgb8', 120, slice(None, None, -1), 'camera'),
    ('rgb8', 120, slice(None), 'level')])
def test_what_is_not_all_of_a_received_picture_is_copied(
    line: Line, encoding: str, step: int, crop: slice, frame_id: str,
) -> None:
    """Other colours, padded rows, a part, another order, another frame."""
    line.publisher.publish(image(1, encoding=encoding, step=step))
    rgb = rgb_of(ImageReader().read(line.received()))[crop]
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = 1, 5
    message = ImageBuffer('rgb8', carrier()).fill(header, rgb)
    assert isinstance(message, Serialized)
    found = deserialize_message(bytes(message), Image)
    assert found.header == header and bytes(found.data) == rgb.tobytes()
    assert (found.height, found.step, found.encoding) == (len(rgb), 120, 'rgb8')
