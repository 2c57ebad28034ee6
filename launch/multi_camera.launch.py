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

"""One model on several cameras: ros2 launch depth_anything_ros multi_camera.launch.py -s."""

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
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

PACKAGE = 'depth_anything_ros'

ARGUMENTS = {
    'cameras': ('front,left,right', 'Names of the cameras, separated by commas; the outputs of '
                'each lie below its name (front/depth/points).'),
    'image_topics': (
        '{camera}/image', 'Image topics: a pattern with {camera} in place of the name, such as '
        '/{camera}/image_raw, or one topic for each camera in their order, separated by commas.'),
    'camera_info_topics': ('', 'Their CameraInfo, given likewise; empty: camera_info beside each '
                           'image topic.'),
    'image_transport': ('', 'raw or compressed (camera.image_transport); empty: as the file '
                        'says. Compressed images are on IMAGE_TOPIC/compressed.'),
    'namespace': ('', 'Namespace of the node and of all relative topics.'),
    'params_file': (
        str(find_shared('config/depth_anything.yaml')),
        'Parameter file. The other arguments win over it.'),
    'model': ('', 'Model name or path (parameter model.name); empty: as the file says.'),
    'device': ('', 'auto, cuda, cuda:N or cpu (model.device); empty: as the file says.'),
    'process_res': (
        '', 'Processed size in pixels (depth.process_res); empty: as the file says.'),
    'autostart': ('', 'true or false (node.autostart); empty: as the file says.'),
    'respawn': ('false', 'Start the node again, after 2 s, when it ends by itself.'),
    'log_level': ('info', 'debug, info, warn, error or fatal.'),
    'use_sim_time': ('false', 'Take the time from /clock.'),
}

PARAMETERS = {
    'image_transport': ('camera.image_transport', str), 'model': ('model.name', str),
    'device': ('model.device', str), 'process_res': ('depth.process_res', int),
    'autostart': ('node.autostart', bool),
}


def split(text: str) -> list[str]:
    """Return the parts of a list with commas, without blanks."""
    return [part.strip() for part in text.split(',')] if text.strip() else []


def topics(given: str, cameras: list[str], argument: str) -> list[str]:
    """
    Return the topic of every camera, none where none is given.

    :raises ValueError: when there are neither as many as cameras nor one with {camera} in it.
    """
    parts = split(given)
    if len(parts) == 1 and '{camera}' in parts[0]:
        return [parts[0].replace('{camera}', name) for name in cameras]
    if parts and len(parts) != len(cameras):
        raise ValueError(
            f'{argument} has {len(parts)} topic(s) for {len(cameras)} camera(s); accepted: one '
            'for each, separated by commas, or one pattern with {camera} in it')
    return parts


def depth_node(context: LaunchContext) -> list[Any]:
    """Return the node with one remapping for every camera."""
    def text(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    cameras = split(text('cameras'))
    if not cameras:
        raise ValueError('cameras is empty; accepted: names separated by commas')
    remappings = []
    for argument, topic in (('image_topics', 'image'), ('camera_info_topics', 'camera_info')):
        for camera, target in zip(cameras, topics(text(argument), cameras, argument)):
            remappings.append((f'{camera}/{topic}', target))
    given: dict[str, Any] = {
        parameter: ParameterValue(LaunchConfiguration(argument), value_type=kind)
        for argument, (parameter, kind) in PARAMETERS.items() if text(argument)}
    given['cameras'] = cameras
    given['use_sim_time'] = ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)
    return [Node(
        package=PACKAGE, executable='depth_node', name='depth_anything',
        namespace=LaunchConfiguration('namespace'),
        parameters=[LaunchConfiguration('params_file'), given], remappings=remappings,
        output='screen', respawn=LaunchConfiguration('respawn'), respawn_delay=2.0,
        arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')])]


def large_images() -> list[Any]:
    """Return what lets every process of this launch send large images through Fast DDS."""
    variables, text = variables_for_children(os.environ)
    return [SetEnvironmentVariable(name, value) for name, value in variables.items()] \
        or [LogInfo(msg=text)]


def generate_launch_description() -> LaunchDescription:
    """Return the depth node for all cameras."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text)
          for name, (default, text) in ARGUMENTS.items()),
        *large_images(), OpaqueFunction(function=depth_node)])
