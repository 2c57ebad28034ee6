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

"""A scene as ROS messages: the cloud, the poses and the cameras."""

from __future__ import annotations

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.placement import quaternion
from depth_anything_ros.core.pointcloud import pack_rgb
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.ros.buffers import CloudBuffer
from depth_anything_ros.ros.camera_info import fill_camera_info
from geometry_msgs.msg import Point, Pose, Quaternion
import numpy as np
from sensor_msgs.msg import CameraInfo, PointCloud2
from std_msgs.msg import Header


def cloud_of(scene: Scene, header: Header) -> PointCloud2:
    """
    Return the cloud of a scene.

    :param scene: what was reconstructed.
    :param header: that of the first image: its optical frame is the frame of the points.
    """
    cloud = np.empty((len(scene.points), 4), np.float32)
    cloud[:, :3] = scene.points
    cloud.view(np.uint32)[:, 3] = pack_rgb(scene.colours)
    return CloudBuffer().fill(header, cloud)


def poses_of(scene: Scene) -> list[Pose]:
    """Return the pose of every camera's optical frame in that of the first one."""
    poses = []
    for matrix in scene.camera_to_world:
        x, y, z = (float(value) for value in matrix[:3, 3])
        qx, qy, qz, qw = quaternion(matrix[:3, :3])
        poses.append(Pose(
            position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw)))
    return poses


def infos_of(scene: Scene, headers: list[Header]) -> list[CameraInfo]:
    """Return the camera of every image at the size that the network saw."""
    return [
        fill_camera_info(CameraInfo(), header, Intrinsics.from_matrix(matrix, *scene.size))
        for header, matrix in zip(headers, scene.intrinsics, strict=True)]
