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

from depth_anything_ros.scenes.trajectory import pose
from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
import numpy as np
import numpy.typing as npt
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header

Pose = npt.NDArray[np.float64]

LEVEL = pose(0.0, 0.0, 0.0, 0.0, 0.0)
"""Optical frame of a camera in the origin that looks along x (REP 103)."""


def quaternion(rotation: npt.NDArray[np.float64]) -> Quaternion:
    """
    Return a rotation matrix as a unit quaternion.

    It is the eigenvector of the largest eigenvalue of Bar-Itzhack's symmetric matrix (Journal of
    Guidance 23, 2000), which needs no case for any angle.

    :param rotation: (3, 3).
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    matrix = np.array([
        [xx - yy - zz, yx + xy, zx + xz, zy - yz],
        [yx + xy, yy - xx - zz, zy + yz, xz - zx],
        [zx + xz, zy + yz, zz - xx - yy, yx - xy],
        [zy - yz, xz - zx, yx - xy, xx + yy + zz]])
    x, y, z, w = (float(value) for value in np.linalg.eigh(matrix)[1][:, -1])
    return Quaternion(x=x, y=y, z=z, w=w)


def transform(header: Header, child: str, camera_to_world: Pose) -> TransformStamped:
    """
    Return a pose as a transform.

    :param header: its stamp and parent frame.
    :param child: the camera's optical frame.
    :param camera_to_world: (4, 4), metres; the world is the parent frame.
    """
    message = TransformStamped(header=header, child_frame_id=child)
    x, y, z = (float(value) for value in camera_to_world[:3, 3])
    message.transform.translation = Vector3(x=x, y=y, z=z)
    message.transform.rotation = quaternion(camera_to_world[:3, :3])
    return message


class Transforms:
    """Publishes where the camera is: once and for all, or with every image of a moving one."""

    def __init__(self, node: Any, parent: str, child: str) -> None:
        """
        Create the publishers.

        :param node: the node.
        :param parent: the frame the pose is given in; empty: publish nothing.
        :param child: the camera's optical frame.
        """
        self._parent, self._child = parent, child
        self._kind: Any = None
        if not parent:
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
        self._said = False

    def publish(self, stamp: Any, camera_to_world: Pose | None) -> None:
        """
        Publish the pose at a stamp.

        :param stamp: of the image.
        :param camera_to_world: (4, 4), or None for a camera that stands still, level, in the
            origin of its parent frame.
        """
        if self._kind is None:
            return
        header = Header(stamp=stamp, frame_id=self._parent)
        if camera_to_world is not None:
            self._moving.publish(
                self._kind(transforms=[transform(header, self._child, camera_to_world)]))
        elif not self._said:
            self._said = True
            self._still.publish(self._kind(transforms=[transform(header, self._child, LEVEL)]))
