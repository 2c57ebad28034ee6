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

"""A demo camera and the depth node: ros2 launch depth_anything_ros demo.launch.py --show-args."""

from __future__ import annotations

from typing import Any

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

PACKAGE = 'depth_anything_ros'

CAMERA_ARGUMENTS = {
    'source': ('room', 'room, image, video, folder or v4l.', str),
    'path': ('', 'File, folder or device of the source.', str),
    'room': ('3', 'Which of the rooms that da3-tiny knows, 0 to 7.', int),
    'rate': ('5.0', 'Images per second.', float),
    'fov_deg': ('0.0', 'Horizontal field of view in degrees; a room has its own.', float),
}

NODE_ARGUMENTS = {
    'model': ('da3-tiny', "Model name or path. da3-tiny knows rooms like the demo's only."),
    'device': ('', 'auto, cuda, cuda:N or cpu; empty: as the parameter file says.'),
    'rviz': ('false', 'Start rviz2 with the image, the depth and the cloud.'),
}


def demo_camera(context: LaunchContext) -> list[Any]:
    """Return the camera, with those parameters that are not empty."""
    parameters = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, (_, _, kind) in CAMERA_ARGUMENTS.items()
        if LaunchConfiguration(name).perform(context)}
    return [Node(
        package=PACKAGE, executable='demo_camera', name='demo_camera', namespace='camera',
        parameters=[parameters, {'optical_tf': not has_tf2_ros()}], output='screen')]


def optical_frame() -> Node:
    """Return what turns the body of the camera (x forward) into its optical frame (z forward)."""
    return Node(
        package='tf2_ros', executable='static_transform_publisher', name='camera_optical_frame',
        arguments=['--qx', '-0.5', '--qy', '0.5', '--qz', '-0.5', '--qw', '0.5',
                   '--frame-id', 'camera_link', '--child-frame-id', 'camera_optical_frame'])


def has_tf2_ros() -> bool:
    """Return whether static_transform_publisher is here; the ROS wheels have none."""
    try:
        get_package_prefix('tf2_ros')
    except PackageNotFoundError:
        return False
    return True


def generate_launch_description() -> LaunchDescription:
    """Return camera, depth node, and rviz where it is wanted."""
    described = {name: (default, text) for name, (default, text, _) in CAMERA_ARGUMENTS.items()}
    described.update(NODE_ARGUMENTS)
    depth = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution(
            [FindPackageShare(PACKAGE), 'launch', 'depth.launch.py'])),
        launch_arguments={
            'image_topic': '/camera/image',
            **{name: LaunchConfiguration(name) for name in NODE_ARGUMENTS}}.items())
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text)
          for name, (default, text) in described.items()),
        depth, OpaqueFunction(function=demo_camera),
        *([optical_frame()] if has_tf2_ros() else [])])
