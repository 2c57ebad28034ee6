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

import ast
import os
from pathlib import Path
import re
import signal
import subprocess
import sys

from depth_anything_ros.settings import lookup
import pytest
from test_launch_and_view import needs_launch

LAUNCH = Path(__file__).parents[2] / 'launch' / 'multi_camera.launch.py'
SOURCE = LAUNCH.read_text()
ARGUMENTS = {
    'cameras', 'image_topics', 'camera_info_topics', 'image_transport', 'namespace',
    'params_file', 'model', 'device', 'process_res', 'autostart', 'log_level', 'use_sim_time'}


def functions(*names):
    """Return functions of the launch file, which need no launch to run."""
    wanted = [node for node in ast.parse(SOURCE).body
              if isinstance(node, ast.FunctionDef) and node.name in names]
    scope = {}
    exec(compile(ast.Module(wanted, []), str(LAUNCH), 'exec'), scope)
    return [scope[name] for name in names]


topics, = functions('split', 'topics')[1:]


def test_the_file_declares_the_promised_arguments_and_uses_them():
    table = next(node.value for node in ast.walk(ast.parse(SOURCE)) if isinstance(
        node, ast.Assign) and node.targets[0].id == 'ARGUMENTS')
    assert {key.value for key in table.keys} == ARGUMENTS
    used = set(re.findall(r"(?:LaunchConfiguration|text)\('(\w+)'\)", SOURCE))
    used |= set(re.findall(r"'(\w+)': \('[\w.]+', \w+\)", SOURCE))
    used |= set(re.findall(r"\('(\w+)', '(?:image|camera_info)'\)", SOURCE))
    assert used == ARGUMENTS
    for name, kind in re.findall(r"\('(\w+\.\w+)', (\w+)\)", SOURCE):
        assert type(lookup(name).default).__name__ == kind


@pytest.mark.parametrize('given, expected', [
    ('', []), ('/{camera}/image_raw', ['/front/image_raw', '/left/image_raw']),
    ('/a/image, /b/image', ['/a/image', '/b/image'])])
def test_topics_by_pattern_or_one_by_one(given, expected):
    assert topics(given, ['front', 'left'], 'image_topics') == expected


@pytest.mark.parametrize('given', ['/a/image', '/a,/b,/c', '/{camera}/a,/{camera}/b,/c'])
def test_a_wrong_number_of_topics_is_refused(given):
    with pytest.raises(ValueError, match='image_topics has .* for 2 camera.*{camera}'):
        topics(given, ['front', 'left'], 'image_topics')


def launch(*arguments):
    program = 'import sys; from ros2cli.cli import main; sys.exit(main())'
    return subprocess.Popen(
        [sys.executable, '-c', program, 'launch', str(LAUNCH), *arguments], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


@needs_launch
def test_show_args():
    out, _ = launch('--show-args').communicate(timeout=60)
    for name in ARGUMENTS:
        assert f"'{name}':" in out
    assert '{camera}' in out


@needs_launch
def test_the_cameras_are_launched_on_one_model():
    import rclpy
    from ros_parts import ros_context, wait_until
    from sensor_msgs.msg import PointCloud2
    process = launch(
        'model:=da3-tiny', 'device:=cpu', 'process_res:=140', 'namespace:=robot',
        'cameras:=front,rear', 'image_topics:=/{camera}_cam/image_raw')
    try:
        with ros_context() as context:
            node = rclpy.create_node('looker', context=context)
            for camera in ('front', 'rear'):
                node.create_subscription(PointCloud2, f'/robot/{camera}/depth/points', print, 1)
                assert wait_until(
                    lambda camera=camera: node.count_subscribers(f'/{camera}_cam/image_raw'), 60)
                assert wait_until(
                    lambda camera=camera: node.count_subscribers(f'/{camera}_cam/camera_info'))
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert out.count('loaded da3-tiny') == 1, out
    assert 'process has finished cleanly' in out, out
