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

"""The pose of the demo camera on /tf, where the message package of tf2 is installed."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.core.placement import quaternion
from depth_anything_ros.ros.demo_settings import DemoCameraSettings
from depth_anything_ros.scenes.trajectory import pose
from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
import numpy as np
import numpy.typing as npt
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header

Pose = npt.NDArray[np.float64]

LEVEL = pose(0.0, 0.0, 0.0, 0.0, 0.0)
"""Optical frame (z forward) of a camera whose body (x forward) is in the origin (REP 103)."""


def transform(header: Header, child: str, camera_to_world: Pose) -> TransformStamped:
    """
    Return a pose as a transform.

    :param header: its stamp and parent frame.
    :param child: the frame whose pose it is.
    :param camera_to_world: (4, 4), metres; the world is the parent frame.
    """
    message = TransformStamped(header=header, child_frame_id=child)
    x, y, z = (float(value) for value in camera_to_world[:3, 3])
    message.transform.translation = Vector3(x=x, y=y, z=z)
    x, y, z, w = quaternion(camera_to_world[:3, :3])
    message.transform.rotation = Quaternion(x=x, y=y, z=z, w=w)
    return message


class Transforms:
    """
    Publishes where the camera is, as a camera driver and a robot would together.

    The body of the camera (x forward) is given in the parent frame: on /tf with every image where
    it moves, else once on /tf_static. The fixed turn from the body to the optical frame goes on
    /tf_static.
    """

    def __init__(self, node: Any, settings: DemoCameraSettings) -> None:
        """
        Create the publishers.

        :param node: the node.
        :param settings: names of the frames, and which transforms somebody else sends.
        """
        self._settings = settings
        self._kind: Any = None
        self._said = False
        if not settings.parent_frame and not settings.optical_tf:
            return
        try:
            from tf2_msgs.msg import TFMessage
        except ImportError:
            node.get_logger().info('no /tf: tf2_msgs is not installed')
            return
        self._kind = TFMessage
        self._moving = node.create_publisher(TFMessage, '/tf', 10)
        self._still = node.create_publisher(
            TFMessage, '/tf_static',
            QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))

    def publish(self, stamp: Any, camera_to_world: Pose | None) -> None:
        """
        Publish the pose at a stamp.

        :param stamp: of the image.
        :param camera_to_world: (4, 4) pose of the optical frame, or None for a camera that stands
            still, level, in the origin of its parent frame.
        """
        if self._kind is None:
            return
        moving, still = transforms(self._settings, stamp, camera_to_world)
        if moving:
            self._moving.publish(self._kind(transforms=moving))
        if still and not self._said:
            # One message: who subscribes later gets the last one only.
            self._said = True
            self._still.publish(self._kind(transforms=still))


def transforms(
    settings: DemoCameraSettings, stamp: Any, camera_to_world: Pose | None,
) -> tuple[list[TransformStamped], list[TransformStamped]]:
    """
    Return what goes on /tf and what goes on /tf_static.

    :param settings: names of the frames, and which transforms somebody else sends.
    :param stamp: of the image.
    :param camera_to_world: as for :meth:`Transforms.publish`.
    """
    moving: list[TransformStamped] = []
    still: list[TransformStamped] = []
    if settings.parent_frame:
        # A pose of the optical frame, turned back by the fixed turn, is that of the body.
        body = np.eye(4) if camera_to_world is None else camera_to_world @ np.linalg.inv(LEVEL)
        header = Header(stamp=stamp, frame_id=settings.parent_frame)
        (still if camera_to_world is None else moving).append(
            transform(header, settings.link_frame, body))
    if settings.optical_tf:
        header = Header(stamp=stamp, frame_id=settings.link_frame)
        still.append(transform(header, settings.frame_id, LEVEL))
    return moving, still
