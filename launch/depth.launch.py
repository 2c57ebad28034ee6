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

"""Start the depth node on a camera: ros2 launch depth_anything_ros depth.launch.py --show-args."""

from __future__ import annotations

import os
from typing import Any

from depth_anything_ros.process import find_shared, variables_for_children
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

PACKAGE = 'depth_anything_ros'

ARGUMENTS = {
    'image_topic': ('image', 'Camera image to subscribe to.'),
    'camera_info_topic': ('', 'Its CameraInfo; empty: camera_info beside the image topic.'),
    'namespace': ('', 'Namespace of the node and of its depth/... topics.'),
    'params_file': (
        str(find_shared('config/depth_anything.yaml')),
        'Parameter file. The other arguments win over it.'),
    'model': ('', 'Model name or path (parameter model.name); empty: as the file says.'),
    'device': ('', 'auto, cuda, cuda:N or cpu (model.device); empty: as the file says.'),
    'process_res': (
        '', 'Processed size in pixels (depth.process_res); empty: as the file says.'),
    'autostart': ('', 'true or false (node.autostart); empty: as the file says.'),
    'rviz': ('false', 'Start rviz2 with the image, the depth and the cloud.'),
    'respawn': ('false', 'Start the node again, after 2 s, when it ends by itself.'),
    'log_level': ('info', 'debug, info, warn, error or fatal.'),
    'use_sim_time': ('false', 'Take the time from /clock.'),
}

PARAMETERS = {
    'model': ('model.name', str), 'device': ('model.device', str),
    'process_res': ('depth.process_res', int), 'autostart': ('node.autostart', bool),
}


def sim_time() -> dict[str, Any]:
    """Return the parameter that lets a node take its time from /clock, or not."""
    return {'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)}


def depth_node(context: LaunchContext) -> list[Any]:
    """Return the node with those remappings and parameters that were asked for."""
    given: dict[str, Any] = {
        parameter: ParameterValue(LaunchConfiguration(argument), value_type=kind)
        for argument, (parameter, kind) in PARAMETERS.items()
        if LaunchConfiguration(argument).perform(context)}
    remappings = [('image', LaunchConfiguration('image_topic'))]
    if LaunchConfiguration('camera_info_topic').perform(context):
        remappings.append(('camera_info', LaunchConfiguration('camera_info_topic')))
    return [Node(
        package=PACKAGE, executable='depth_node', name='depth_anything',
        namespace=LaunchConfiguration('namespace'),
        parameters=[LaunchConfiguration('params_file'), {**given, **sim_time()}],
        remappings=remappings, output='screen', respawn=LaunchConfiguration('respawn'),
        respawn_delay=2.0,
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')])]


def large_images() -> list[Any]:
    """Return what lets every process of this launch send large images through Fast DDS."""
    variables, text = variables_for_children(os.environ)
    return [SetEnvironmentVariable(name, value) for name, value in variables.items()] \
        or [LogInfo(msg=text)]


def generate_launch_description() -> LaunchDescription:
    """Return the depth node, and rviz where it is wanted."""
    # The file names its topics from the root: move them to where the node has them.
    topics = [('/image', LaunchConfiguration('image_topic'))]
    topics += [(f'/{name}', name) for name in (
        'depth/image', 'depth/camera_info', 'depth/points', 'depth/preview')]
    rviz = Node(
        package='rviz2', executable='rviz2', name='rviz2', output='screen',
        namespace=LaunchConfiguration('namespace'), remappings=topics, parameters=[sim_time()],
        arguments=['-d', str(find_shared('config/depth_anything.rviz'))],
        condition=IfCondition(LaunchConfiguration('rviz')))
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text)
          for name, (default, text) in ARGUMENTS.items()),
        *large_images(), OpaqueFunction(function=depth_node), rviz])
