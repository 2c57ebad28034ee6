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

"""A CameraInfo that says the same as the last is not made anew; no other is taken for it."""

from __future__ import annotations

import struct
from typing import Any

from depth_anything_ros.ros.info_reader import InfoReader
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo


def info(sec: int, nanosec: int, **fields: Any) -> CameraInfo:
    """Return a CameraInfo with a stamp."""
    message = CameraInfo(
        width=640, height=480, distortion_model='plumb_bob', d=[0.1, 0.0, 0.0, 0.0, 0.0],
        k=[400.0, 0.0, 320.0, 0.0, 400.0, 240.0, 0.0, 0.0, 1.0])
    message.header.frame_id = 'camera'
    message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def test_only_the_stamp_changes() -> None:
    """The stamp is the message's own, the rest is the same object."""
    reader = InfoReader()
    stamp, first = reader.read(serialize_message(info(-3, 999_999_999)))
    assert stamp == -3 * 10 ** 9 + 999_999_999 and first == info(-3, 999_999_999)
    stamp, second = reader.read(serialize_message(info(1_700_000_000, 5)))
    assert stamp == 1_700_000_000_000_000_005 and second is first


@pytest.mark.parametrize('change', (
    {'width': 641}, {'d': [0.1, 0.0, 0.0, 0.0, 1e-9]}, {'d': []},
    {'distortion_model': 'equidistant'}, {'binning_y': 2},
    {'k': [401.0, 0.0, 320.0, 0.0, 400.0, 240.0, 0.0, 0.0, 1.0]}))
def test_whatever_else_changes_is_read(change: dict[str, Any]) -> None:
    """And read again when it changes back."""
    reader = InfoReader()
    for message in (info(1, 0), info(2, 0, **change), info(3, 0)):
        stamp, found = reader.read(serialize_message(message))
        assert found == message and stamp == message.header.stamp.sec * 10 ** 9


def test_another_frame() -> None:
    """The frame is beside the stamp, and part of what is said."""
    reader = InfoReader()
    reader.read(serialize_message(info(1, 0)))
    other = info(2, 0)
    other.header.frame_id = 'camerb'
    assert reader.read(serialize_message(other))[1].header.frame_id == 'camerb'


def test_both_byte_orders() -> None:
    """A big-endian camera is read by its own order."""
    reader = InfoReader()
    big = bytes((0, 0, 0, 0)) + struct.pack('>iI', 7, 8)
    assert reader._stamp(big) == 7_000_000_008
    assert reader._stamp(bytes((0, 1, 0, 0)) + struct.pack('<iI', 7, 8)) == 7_000_000_008


def test_a_layout_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the stamp is elsewhere every message is made, and right."""
    reader = InfoReader()
    monkeypatch.setattr(reader, '_stamp', lambda data: 42)
    for sec in (1, 2):
        message = info(sec, 0)
        stamp, found = reader.read(serialize_message(message))
        assert stamp == sec * 10 ** 9 and found == message
