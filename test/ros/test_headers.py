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

"""Headers in Python's own objects say what a message's say."""

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.ros.headers import frame_header, header_of, light, OwnHeader
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header

pytestmark = pytest.mark.ros

RGB = np.zeros((2, 2, 3), np.uint8)


@pytest.mark.parametrize('stamp', [0, 1, 999_999_999, 1_234_567_890_123_456_789, -1])
def test_the_header_of_a_frame(stamp):
    frame = Frame(RGB, stamp, 'camera')
    for frame_id, name in ((None, 'camera'), ('map', 'map'), ('', '')):
        header = frame_header(frame, frame_id)
        assert header.stamp.sec * 10 ** 9 + header.stamp.nanosec == stamp
        assert header.frame_id == name
        message = header_of(frame, frame_id)
        assert deserialize_message(serialize_message(message), Header) == message
        assert light(message) == header == light(header)
        for written in (header, message):
            other = Header(frame_id='other')
            own = OwnHeader(other)
            for before in (Header(frame_id='before'), written):
                own.write(before)
            assert other == message and other.stamp is not message.stamp


def test_headers_are_compared_by_all_they_say():
    header = frame_header(Frame(RGB, 5, 'camera'))
    assert header not in (
        frame_header(Frame(RGB, 6, 'camera')), frame_header(Frame(RGB, 5 + 10 ** 9, 'camera')),
        frame_header(Frame(RGB, 5, 'map')))
