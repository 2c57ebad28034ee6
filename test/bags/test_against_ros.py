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

"""Our records are the node's messages, field by field."""

from dataclasses import replace

from bag_parts import camera_bag, convert, given_depth, HEIGHT, picture, read_bag, stamp, WIDTH
from depth_anything_ros.bags.library import STORE
from depth_anything_ros.bags.outputs import TOPICS
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud_options import CloudOptions
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, SkyMode
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
import numpy as np
import pytest

pytestmark = pytest.mark.ros

CAMERA = Intrinsics(50.0, 50.0, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)


EVERY_TOPIC = tuple(name for name in TOPICS if name != 'depth/relative')
CLOUDS = {
    'plain': FrameOptions(),
    'list': FrameOptions(points=CloudOptions(dense=True, voxel_size=0.1), sky_mode=SkyMode.FAR),
    'bare': FrameOptions(points=CloudOptions(color=False, stride=2), sky_mode=SkyMode.INF)}


def engine():
    """Return an engine that gives everything that a model can."""
    return GivenDepthEngine(
        given_depth, sky_of=lambda frame: (given_depth(frame) > 3).astype(np.float32),
        confidence_of=given_depth, camera_of=lambda frame: CAMERA)


def node_messages(index, options):
    """Return what the node publishes for a picture, made by the node's own code."""
    from depth_anything_ros.ros.carriers import Plain
    from depth_anything_ros.ros.headers import header_of
    from depth_anything_ros.ros.outputs import TOPICS as ROS_TOPICS

    service = DepthService(engine())
    frame = Frame(picture(index), stamp(index), 'camera_optical', CAMERA)
    result = service.estimate(frame, replace(options, outputs=frozenset(Output)))
    service.close()
    messages = {}
    for topic in ROS_TOPICS:
        if topic.name in EVERY_TOPIC:
            buffer = topic.buffer(Plain)
            messages[f'/{topic.name}'] = buffer.fill(
                header_of(frame, topic.frame_id(result) if topic.frame_id else None),
                topic.value(result, buffer))
    return messages


@pytest.mark.parametrize('storage, options', [
    ('sqlite3', 'plain'), ('mcap', 'list'), ('sqlite3', 'bare')])
def test_a_record_is_what_the_node_publishes(tmp_path, storage, options):
    from rclpy.serialization import deserialize_message, serialize_message

    convert(camera_bag(tmp_path / 'in', 3, storage), tmp_path / 'out', engine=engine(),
            topics=EVERY_TOPIC, options=CLOUDS[options])
    records = read_bag(tmp_path / 'out')
    for index in range(3):
        messages = node_messages(index, CLOUDS[options])
        assert set(messages) == set(records)
        for topic, message in messages.items():
            _, data = records[topic][index]
            ours, theirs = (deserialize_message(each, type(message)) for each in (
                data, serialize_message(message)))
            for name in message.get_fields_and_field_types():
                np.testing.assert_equal(getattr(ours, name), getattr(theirs, name), name)
            # Not byte by byte: rclpy leaves what was in memory in the gaps between fields.
            kind = TOPICS[topic.strip('/')].kind
            again = STORE.deserialize_cdr(serialize_message(message), kind)
            assert bytes(STORE.serialize_cdr(again, kind)) == data


def test_a_recording_made_by_ros_is_read(tmp_path):
    """Records serialised by rclpy, not by rosbags, go in."""
    from bag_parts import camera_info, image, Message, write_bag
    from rclpy.serialization import deserialize_message, serialize_message
    from sensor_msgs.msg import CameraInfo, Image

    again = []
    for item, kind in ((image(0), Image), (camera_info(0), CameraInfo)):
        data = serialize_message(deserialize_message(item.data, kind))
        again.append(Message(item.topic, item.kind, item.time_ns, data))
    summary = convert(write_bag(tmp_path / 'in', again), tmp_path / 'out')
    assert (summary.written, summary.exact) == (1, 1)
