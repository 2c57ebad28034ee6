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

"""Who owns the memory of messages: results are written there, never under a reader's eyes."""

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import Output
from depth_anything_ros.core.result import DepthResult, ScaleLaw
from depth_anything_ros.core.scan import Scan
from depth_anything_ros.ros.buffers import CloudBuffer, ImageBuffer, ScanBuffer
from depth_anything_ros.ros.carriers import Plain
from depth_anything_ros.ros.outputs import TOPICS
from depth_anything_ros.ros.rotation import MOST
import numpy as np
import pytest
from std_msgs.msg import Header
import torch

pytestmark = pytest.mark.ros

SHAPE = (6, 8)


def address(values):
    return values.__array_interface__['data'][0]


@pytest.mark.parametrize('buffer, shape', [
    (ImageBuffer('32FC1'), SHAPE), (CloudBuffer(), (*SHAPE, 4))])
def test_what_is_written_in_place_is_published_without_a_copy(buffer, shape):
    place = buffer.place(shape, np.float32)
    place[:] = 3.5
    message = buffer.fill(Header(frame_id='a'), place)
    assert np.frombuffer(message.data, np.float32).__array_interface__['data'][0] == address(place)
    assert (np.frombuffer(message.data, np.float32) == 3.5).all()
    assert (message.height, message.width, message.header.frame_id) == (6, 8, 'a')
    assert len(message.data) == place.nbytes


@pytest.mark.parametrize('holder', [
    lambda place: place, lambda place: place[1:, ::2], lambda place: place.view(np.uint32),
    lambda place: memoryview(place), lambda place: torch.from_numpy(place)[2]])
def test_memory_that_somebody_looks_into_is_not_given_out(holder):
    buffer = ImageBuffer('32FC1')
    place = buffer.place(SHAPE, np.float32)
    place[:] = 1.0
    held, where = holder(place), address(place)
    buffer.fill(Header(), place)
    del place
    for value in range(2, 9):
        other = buffer.place(SHAPE, np.float32)
        assert address(other) != where
        other[:] = value
        buffer.fill(Header(), np.full(SHAPE, value + 0.5, np.float32))
        del other
    assert (np.asarray(held).view(np.float32) == 1.0).all()
    del held
    addresses = [address(buffer.place(SHAPE, np.float32)) for _ in range(2)]
    assert addresses == [where, where]


def test_two_messages_are_enough_where_one_frame_is_published_and_one_is_made():
    buffer, places = ImageBuffer('32FC1'), []
    result = None
    for value in range(20):
        result = buffer.place(SHAPE, np.float32)  # the one before is held until now
        places.append(address(result))
        result[:] = value
        assert np.frombuffer(buffer.fill(Header(), result).data, np.float32)[0] == value
    assert len(set(places)) == 2


@pytest.mark.parametrize('channels', [3, 4])
def test_lists_of_any_length_are_published_without_a_copy(channels):
    buffer, random, where = CloudBuffer(), np.random.default_rng(0), set()
    names = ['x', 'y', 'z', 'rgb'][:channels]
    kept = None
    for count in (900, 880, 20, 21, 900, 1, 40_000, 39_000):
        place = buffer.place((count, channels), np.float32)
        assert place.shape == (count, channels) and place.flags.c_contiguous
        place[:] = random.random(place.shape)
        message = buffer.fill(Header(frame_id='a'), place)
        assert address(np.frombuffer(message.data, np.float32)) == address(place)
        assert bytes(message.data) == place.tobytes()
        assert (message.height, message.width, message.is_dense) == (1, count, True)
        assert (message.point_step, message.row_step) == (4 * channels, 4 * channels * count)
        assert [field.name for field in message.fields] == names
        where.add(id(message))
        if kept is not None:
            np.testing.assert_array_equal(*kept)
        kept = place, place.copy()
    assert len(where) == 2
    organised = buffer.place((3, 5, channels), np.float32)
    message = buffer.fill(Header(), organised)
    assert (message.height, message.width, message.is_dense) == (3, 5, False)


def test_a_list_without_points_is_a_message_without_data():
    buffer = CloudBuffer()
    assert buffer.place((0, 4), np.float32) is None
    message = buffer.fill(Header(), np.empty((0, 4), np.float32))
    assert (message.height, message.width, len(message.data), message.point_step) == (1, 0, 0, 16)


def test_a_message_whose_bytes_somebody_looks_into_keeps_its_size():
    buffer = CloudBuffer()
    place = buffer.place((5, 4), np.float32)
    place[:] = 2.0
    looked_into = np.frombuffer(buffer.fill(Header(), place).data, np.float32)
    del place
    buffer.place((9, 4), np.float32)[:] = 3.0
    assert (looked_into == 2.0).all() and looked_into.size == 20


def test_a_copy_is_not_given_out_while_it_is_published():
    buffer = ImageBuffer('32FC1')
    message = buffer.fill(Header(), np.ones(SHAPE, np.float32))
    buffer.place(SHAPE, np.float32)[:] = 7.0
    assert (np.frombuffer(message.data, np.float32) == 1.0).all()


def test_results_that_are_kept_take_memory_of_their_own_in_the_end():
    buffer, kept = ImageBuffer('32FC1'), []
    for value in range(MOST + 3):
        place = buffer.place(SHAPE, np.float32)
        values = np.empty(SHAPE, np.float32) if place is None else place
        values[:] = value
        message = buffer.fill(Header(), values)
        assert (np.frombuffer(message.data, np.float32) == value).all()
        kept.append(values)
    assert [values[0, 0] for values in kept] == list(range(MOST + 3))
    assert place is None
    kept.clear()
    del values
    assert buffer.place(SHAPE, np.float32) is not None


def test_arrays_from_elsewhere_are_copied():
    buffer = ImageBuffer('32FC1')
    place = buffer.place(SHAPE, np.float32)
    place[:] = 1.0
    for values in (place.copy(), place[::-1], place.astype(np.float64).astype(np.float32)):
        message = buffer.fill(Header(), values)
        assert np.frombuffer(message.data, np.float32).__array_interface__['data'][0] \
            != address(place)
    smaller = buffer.fill(Header(), place[:3])
    assert (smaller.height, len(smaller.data)) == (3, 3 * 8 * 4)
    assert (place == 1.0).all()


def test_outputs_whose_bytes_are_the_messages_are_made_in_place():
    in_place = {topic.name: topic.output for topic in TOPICS if topic.in_place}
    assert in_place == {
        'depth/image': Output.DEPTH, 'depth/relative': Output.DEPTH,
        'depth/points': Output.POINTS, 'depth/preview': Output.PREVIEW,
        'confidence/image': Output.CONFIDENCE}


@pytest.mark.parametrize('name, expected', [
    ('depth/image_raw', [[1500, 0], [65535, 2]]), ('sky/mask', [[0, 255], [0, 0]])])
def test_what_the_node_makes_of_a_result_is_made_in_a_message(name, expected):
    topic = next(topic for topic in TOPICS if topic.name == name)
    depth = np.array([[1.5, np.nan], [99, 0.002]], np.float32)
    result = DepthResult(
        Frame(np.zeros((2, 2, 3), np.uint8)), depth, ScaleLaw(DepthKind.METRIC), 'any',
        sky=np.isnan(depth))
    buffer = topic.buffer(Plain)
    held = [topic.value(result, buffer) for _ in range(MOST + 1)]
    for place, value in enumerate(held):
        assert value.tolist() == expected
        message = buffer.fill(Header(), value)
        # Where every message is held, it is made in memory of its own and copied.
        assert (np.frombuffer(message.data, value.dtype).__array_interface__['data'][0]
                == address(value)) == (place < MOST)
        assert np.frombuffer(message.data, value.dtype).reshape(2, 2).tolist() == expected


def test_a_scan_message_is_filled_again_and_grows_with_the_beams():
    buffer = ScanBuffer()
    ranges = np.array([1, np.inf, np.nan], np.float32)
    for scan in (Scan('level', ranges, -1.0, 1.0, 1.0, 0.5, 60.0),
                 Scan('level', ranges[::-1] * 2, -1.0, 1.0, 1.0, 0.5, 60.0),
                 Scan('level', np.ones(5, np.float32), -2.0, 2.0, 1.0, 0.25, 30.0)):
        message = buffer.fill(Header(frame_id=scan.frame_id), scan)
        np.testing.assert_array_equal(np.array(message.ranges, np.float32), scan.ranges)
        assert (message.angle_min, message.angle_max, message.angle_increment) == (
            scan.angle_min, scan.angle_max, scan.angle_increment)
        assert (message.range_min, message.range_max) == (scan.nearest, scan.farthest)
    assert buffer.fill(Header(), scan) is message
