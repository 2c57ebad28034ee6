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

"""CameraInfo in, from its bytes: one that says the same as the last is not made anew."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.ros.conversions import NANOSECONDS, stamp_ns
from depth_anything_ros.ros.serialized import AFTER_STAMP, STAMP_AT, stamp_in
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo


class InfoReader:
    """
    Reads the messages of one subscription, made with ``raw=True``.

    A camera says the same with every image but for the stamp, and rclpy takes as long to make the
    message as for the image.
    """

    def __init__(self) -> None:
        """Begin without a message."""
        self._data = b''
        self._message: Any = None
        self._stamped = False

    def read(self, data: bytes | memoryview) -> tuple[int, Any]:
        """
        Return the stamp in nanoseconds and the message, the last one where only the stamp differs.

        :param data: the serialized message.
        """
        last, self._data = self._data, bytes(data)
        data = self._data
        if not (self._stamped and data[:STAMP_AT] == last[:STAMP_AT]
                and data[AFTER_STAMP:] == last[AFTER_STAMP:]):
            self._message = deserialize_message(data, CameraInfo)
            # Other middlewares may lay it out otherwise; then every message is made.
            self._stamped = self._stamp(data) == stamp_ns(self._message.header.stamp)
            return stamp_ns(self._message.header.stamp), self._message
        return self._stamp(data), self._message

    @staticmethod
    def _stamp(data: bytes) -> int:
        seconds, nanoseconds = stamp_in(data)
        return seconds * NANOSECONDS + nanoseconds
