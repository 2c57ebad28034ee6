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

from bag_parts import camera_bag, convert, given_depth, HEIGHT, picture, read_bag, stamp, WIDTH
from depth_anything_ros.bags.library import STORE
from depth_anything_ros.bags.outputs import TYPES
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
import numpy as np
import pytest

pytestmark = pytest.mark.ros

CAMERA = Intrinsics(50.0, 50.0, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)


def node_messages(index):
    """Return what the node publishes for a picture, made by the node's own code."""
    from depth_anything_ros.ros.buffers import CloudBuffer, ImageBuffer
    from depth_anything_ros.ros.camera_info import fill_camera_info
    from depth_anything_ros.ros.conversions import header_of
    from sensor_msgs.msg import CameraInfo

    service = DepthService(GivenDepthEngine(given_depth))
    outputs = frozenset({Output.DEPTH, Output.POINTS, Output.PREVIEW})
    frame = Frame(picture(index), stamp(index), 'camera_optical', CAMERA)
    result = service.estimate(frame, FrameOptions(outputs=outputs))
    service.close()
    header = header_of(result.frame)
    return {
        '/depth/image': ImageBuffer('32FC1').fill(header, result.depth),
        '/depth/camera_info': fill_camera_info(CameraInfo(), header, result.intrinsics),
        '/depth/points': CloudBuffer().fill(header, result.cloud),
        '/depth/preview': ImageBuffer('rgb8').fill(header, result.preview)}


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_a_record_is_what_the_node_publishes(tmp_path, storage):
    from rclpy.serialization import deserialize_message, serialize_message

    convert(camera_bag(tmp_path / 'in', 3, storage), tmp_path / 'out')
    records = read_bag(tmp_path / 'out')
    for index in range(3):
        for topic, message in node_messages(index).items():
            _, data = records[topic][index]
            ours = deserialize_message(data, type(message))
            for name in message.get_fields_and_field_types():
                np.testing.assert_equal(getattr(ours, name), getattr(message, name), name)
            # Not byte by byte: rclpy leaves what was in memory in the gaps between fields.
            kind = TYPES[topic.strip('/')]
            theirs = STORE.deserialize_cdr(serialize_message(message), kind)
            assert bytes(STORE.serialize_cdr(theirs, kind)) == data


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
