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

from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

PACKAGE = 'depth_anything_ros'

CAMERA_ARGUMENTS = {
    'source': ('room', 'room, image, video, folder or v4l.', str),
    'path': ('', 'File, folder or device of the source.', str),
    'room': ('3', 'Which of the rooms that da3-tiny knows, 0 to 7.', int),
    'rate': ('5.0', 'Images per second.', float),
    'fov_deg': ('0.0', 'Horizontal field of view in degrees; a room has its own.', float),
}

# Defaults and meaning in the demo; depth.launch.py has these too, and has more.
SHARED_ARGUMENTS = {
    'image_topic': ('camera/image', 'Images: the demo camera publishes them, the node reads.'),
    'camera_info_topic': ('', 'Their CameraInfo; empty: camera_info beside the image topic.'),
    'namespace': ('', 'Namespace of camera and node, and of all their topics.'),
    'model': ('da3-tiny', "Model name or path. da3-tiny knows rooms like the demo's only."),
    'log_level': ('info', 'debug, info, warn, error or fatal, of camera and node.'),
    'use_sim_time': ('false', 'Take the time from /clock, camera and node.'),
}


def demo_camera(context: LaunchContext) -> list[Any]:
    """Return the camera, with those parameters that are not empty, on the node's topics."""
    def text(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    kinds = {name: kind for name, (_, _, kind) in CAMERA_ARGUMENTS.items() if text(name)}
    kinds['use_sim_time'] = bool
    parameters: dict[str, Any] = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, kind in kinds.items()}
    image = text('image_topic')
    beside, slash, _ = image.rpartition('/')
    beside += slash
    return [Node(
        package=PACKAGE, executable='demo_camera', name='demo_camera',
        namespace=text('namespace'), output='screen',
        parameters=[parameters, {'optical_tf': not has_tf2_ros()}],
        remappings=[('image', image),
                    ('camera_info', text('camera_info_topic') or f'{beside}camera_info'),
                    ('ground_truth/depth', f'{beside}ground_truth/depth')],
        arguments=['--ros-args', '--log-level', text('log_level')])]


def optical_frame() -> Node:
    """Return what turns the body of the camera (x forward) into its optical frame (z forward)."""
    return Node(
        package='tf2_ros', executable='static_transform_publisher', name='camera_optical_frame',
        namespace=LaunchConfiguration('namespace'),
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
    described.update(SHARED_ARGUMENTS)
    # What is declared here is handed on with the demo's default, the rest of depth.launch.py's
    # arguments come straight from the command line.
    depth = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(Path(__file__).with_name('depth.launch.py'))),
        launch_arguments={
            name: LaunchConfiguration(name) for name in SHARED_ARGUMENTS}.items())
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text)
          for name, (default, text) in described.items()),
        depth, OpaqueFunction(function=demo_camera),
        *([optical_frame()] if has_tf2_ros() else [])])
