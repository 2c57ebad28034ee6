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
import importlib.util
import os
from pathlib import Path
import re
import signal
import subprocess
import sys

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LAUNCH = ROOT / 'launch' / 'depth.launch.py'
ARGUMENTS = {
    'image_topic', 'camera_info_topic', 'namespace', 'params_file', 'model', 'device',
    'process_res', 'rviz', 'log_level', 'use_sim_time', 'autostart'}
needs_launch = pytest.mark.skipif(
    importlib.util.find_spec('launch_ros') is None,
    reason='launch_ros is not installed (it has no wheel)')


def launch(*arguments, **options):
    program = 'import sys; from ros2cli.cli import main; sys.exit(main())'
    return subprocess.Popen(
        [sys.executable, '-c', program, 'launch', str(LAUNCH), *arguments], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **options)


def test_the_file_declares_the_promised_arguments():
    tree = ast.parse(LAUNCH.read_text())
    table = next(node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
                 and node.targets[0].id == 'ARGUMENTS')
    assert {key.value for key in table.keys} == ARGUMENTS
    used = set(re.findall(r"LaunchConfiguration\('(\w+)'\)", LAUNCH.read_text()))
    renamed = set(re.findall(r"'(\w+)': \('[\w.]+', \w+\)", LAUNCH.read_text()))
    assert used | renamed == ARGUMENTS, 'every argument has an effect'


def test_the_parameters_it_sets_exist():
    from depth_anything_ros.settings import lookup
    for name, kind in re.findall(r"\('(\w+\.\w+)', (\w+)\)", LAUNCH.read_text()):
        assert type(lookup(name).default).__name__ == kind


@needs_launch
def test_show_args():
    out, _ = launch('--show-args').communicate(timeout=60)
    for name in ARGUMENTS:
        assert f"'{name}':" in out


@needs_launch
@pytest.mark.parametrize('interrupts', [1, 2])
def test_a_launched_node_works_and_ends_cleanly(interrupts):
    import rclpy
    from ros_parts import ros_context, wait_until
    from sensor_msgs.msg import PointCloud2
    process = launch(
        'model:=da3-tiny', 'device:=cpu', 'namespace:=robot', 'image_topic:=/front/image_raw',
        'process_res:=140', f'params_file:={ROOT / "config" / "depth_anything.yaml"}')
    try:
        with ros_context() as context:
            node = rclpy.create_node('looker', context=context)
            # The camera is subscribed to while somebody reads an output.
            node.create_subscription(PointCloud2, '/robot/depth/points', print, 1)
            assert wait_until(lambda: node.count_subscribers('/front/image_raw') == 1, 60)
            assert wait_until(lambda: node.count_subscribers('/front/camera_info') == 1)
            assert wait_until(lambda: node.count_publishers('/robot/depth/points') == 1)
    finally:
        for _ in range(interrupts):
            os.killpg(process.pid, signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert 'process has finished cleanly' in out, out


def test_the_rviz_view_shows_what_the_node_publishes():
    view = yaml.safe_load((ROOT / 'config' / 'depth_anything.rviz').read_text())
    manager = view['Visualization Manager']
    assert manager['Global Options']['Fixed Frame'] == 'camera_optical_frame'
    displays = {item['Topic']['Value']: item for item in manager['Displays'] if 'Topic' in item}
    assert set(displays) == {'/depth/points', '/image', '/depth/image', '/depth/preview'}
    cloud = displays['/depth/points']
    assert cloud['Class'] == 'rviz_default_plugins/PointCloud2'
    assert cloud['Color Transformer'] == 'RGB8'
    for topic, item in displays.items():
        reliable = 'Best Effort' if topic == '/image' else 'Reliable'
        assert item['Topic']['Reliability Policy'] == reliable
    outputs = (ROOT / 'depth_anything_ros' / 'ros' / 'outputs.py').read_text()
    for topic in set(displays) - {'/image'}:
        assert f"'{topic[1:]}'" in outputs
