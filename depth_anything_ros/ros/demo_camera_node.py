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

"""The node demo_camera: publishes pictures of a source as a camera driver would."""

from __future__ import annotations

import logging
import time
from typing import Any

from builtin_interfaces.msg import Time
from depth_anything_ros.ros.buffers import ImageBuffer
from depth_anything_ros.ros.camera_info import fill_camera_info
from depth_anything_ros.ros.demo_settings import demo_camera_settings, describe_demo_camera
from depth_anything_ros.ros.demo_sources import NANOSECONDS, open_source, Shot
from depth_anything_ros.ros.demo_transform import Transforms
from depth_anything_ros.ros.distro import parameter_overrides, steady_timer
from depth_anything_ros.ros.parameters import descriptor_of
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

logger = logging.getLogger(__name__)

REPORT_PERIOD = 10.0
"""Seconds between two looks at the rate."""

SETTLE = 0.5
"""Seconds to wait once the subscribers are there: they know us a little later than we them."""

LINGER = 1.0
"""Seconds that the program stays after its last image, so that reliable readers get it."""


def camera_qos() -> QoSProfile:
    """Return reliable with a short history: matches every reader, and the newest matter."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=5, reliability=ReliabilityPolicy.RELIABLE)


class DemoCamera(Node):  # type: ignore[misc]
    """
    The node ``demo_camera``.

    Topics: ``image`` (rgb8), ``camera_info``, and for a room ``ground_truth/depth`` (32FC1,
    metres). A picture that is made and not taken is made before its stamp and sent at its stamp,
    so that the age of an image says nothing about the time that rendering takes.
    """

    def __init__(self, **arguments: Any) -> None:
        """
        Open the source and begin.

        :param arguments: handed on to rclpy's node.
        :raises ConfigError: when a parameter is not accepted or the source cannot be opened.
        """
        super().__init__('demo_camera', **arguments)
        self.exit_code: int | None = None
        self.settings = settings = demo_camera_settings(parameter_overrides(self))
        for item in describe_demo_camera():
            self.declare_parameter(
                item.name, getattr(settings, item.name), descriptor_of(item),
                ignore_override=True)
        self._source = open_source(settings)
        self._image = self.create_publisher(Image, 'image', camera_qos())
        self._info = self.create_publisher(CameraInfo, 'camera_info', camera_qos())
        self._truth = self.create_publisher(Image, 'ground_truth/depth', camera_qos())
        self._image_message, self._truth_message = ImageBuffer('rgb8'), ImageBuffer('32FC1')
        self._info_message = CameraInfo()
        self._transforms = Transforms(self, settings)
        self._sent = 0
        self._next: tuple[int, Shot] | None = None
        self._looked, self._sent_before = time.monotonic(), 0
        self._busy_since = 0.0
        self._ended_at = 0.0
        self._timer = steady_timer(self, 1 / settings.rate, self._tick)
        self.get_logger().info(
            f'{settings.source} {settings.path or settings.room} at {settings.rate:g} Hz on '
            f'{self._image.topic_name}, waiting for {settings.min_subscribers} subscriber(s)')

    @property
    def sent(self) -> int:
        """Return how many images were sent."""
        return self._sent

    def _tick(self) -> None:
        if self._ended_at:
            if time.monotonic() - self._ended_at >= LINGER:
                self.exit_code = 0
            return
        if not self._wanted():
            self._next = None
            return
        if self._source.live:
            self._take()
        else:
            self._send_made()
        self._look_at_rate()

    def _wanted(self) -> bool:
        """Return whether the subscribers are there, and have been for a moment."""
        if self._image.get_subscription_count() < self.settings.min_subscribers:
            self._busy_since = 0.0
            return False
        now = time.monotonic()
        if not self._busy_since:
            self._busy_since = self._looked = now
            self._sent_before = self._sent
        return now - self._busy_since >= SETTLE

    def _take(self) -> None:
        """Send what a real camera sees now."""
        shot = self._source.read(0)
        if shot is None:
            self.get_logger().error(f'{self.settings.path} gives no more pictures')
            self.exit_code = 1
            return
        self._send(self.get_clock().now().nanoseconds, shot)

    def _send_made(self) -> None:
        """Send the picture that is due and make the next one."""
        period = round(NANOSECONDS / self.settings.rate)
        now = self.get_clock().now().nanoseconds
        following = now + period
        if self._next is not None:
            stamp, shot = self._next
            self._send(stamp, shot)
            following = max(stamp + period, now)
        self._next = None
        if not self._ended_at:
            made = self._source.read(following)
            if made is None:
                self._end('the pictures are at their end')
            else:
                self._next = following, made

    def _send(self, stamp_ns: int, shot: Shot) -> None:
        seconds, nanoseconds = divmod(stamp_ns, NANOSECONDS)
        header = Header(
            stamp=Time(sec=seconds, nanosec=nanoseconds), frame_id=self.settings.frame_id)
        self._transforms.publish(header.stamp, shot.camera_to_world)
        # First: whoever pairs by stamp then has it when the image comes.
        self._info.publish(self._camera_info(header, shot))
        self._image.publish(self._image_message.fill(header, shot.rgb))
        if shot.depth is not None and self._truth.get_subscription_count():
            self._truth.publish(self._truth_message.fill(header, shot.depth))
        self._sent += 1
        if self.settings.frames and self._sent >= self.settings.frames:
            self._end('all images asked for were sent')

    def _camera_info(self, header: Header, shot: Shot) -> CameraInfo:
        if shot.intrinsics is not None:
            return fill_camera_info(self._info_message, header, shot.intrinsics)
        # K[0] == 0 says that the camera is not calibrated (CameraInfo.msg).
        height, width = shot.rgb.shape[:2]
        return CameraInfo(header=header, width=width, height=height)

    def _end(self, reason: str) -> None:
        self._ended_at = time.monotonic()
        self.get_logger().info(f'{self._sent} images sent: {reason}')

    def _look_at_rate(self) -> None:
        """Say it when the pictures come slower than asked for."""
        passed = time.monotonic() - self._looked
        if passed < REPORT_PERIOD:
            return
        rate = (self._sent - self._sent_before) / passed
        self._looked, self._sent_before = time.monotonic(), self._sent
        if rate < 0.9 * self.settings.rate:
            self.get_logger().warning(
                f'{rate:.1f} images per second, {self.settings.rate:g} were asked for: making '
                'them takes longer; a smaller width and height help')
