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

"""What the real ``ros2`` command shows of a running node."""

import re
import subprocess
import sys

from depth_anything_ros.ros.parameters import parameters
from launch_parts import needs_launch
import pytest
from ros_parts import HERE, Process
import yaml

pytestmark = [pytest.mark.ros, needs_launch]
NODE = '/robot/depth_anything'
OWN = {  # a metric model without confidence and sky, as in exact_node.py
    'color/camera_info': 'sensor_msgs/msg/CameraInfo', 'color/image': 'sensor_msgs/msg/Image',
    'depth/camera_info': 'sensor_msgs/msg/CameraInfo', 'depth/image': 'sensor_msgs/msg/Image',
    'depth/image_raw': 'sensor_msgs/msg/Image', 'depth/points': 'sensor_msgs/msg/PointCloud2',
    'depth/preview': 'sensor_msgs/msg/Image', 'depth/scan': 'sensor_msgs/msg/LaserScan'}
SERVICES = {
    'enable': 'std_srvs/srv/SetBool', 'estimate_depth': 'depth_anything_ros/srv/EstimateDepth',
    'reconstruct': 'depth_anything_ros/srv/ReconstructScene',
    'record_scene': 'std_srvs/srv/SetBool', 'reset_statistics': 'std_srvs/srv/Trigger',
    'save_snapshot': 'std_srvs/srv/Trigger', 'set_model': 'depth_anything_ros/srv/SetModel'}


def ros2(*words):
    program = 'import sys; from ros2cli.cli import main; sys.exit(main())'
    done = subprocess.run(
        [sys.executable, '-c', program, *words, '--no-daemon', '--spin-time', '3'], text=True,
        capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def running():
    with Process(str(HERE / 'exact_node.py'), '--ros-args', '-r', '__ns:=/robot',
                 '-r', 'image:=/cam/image_raw') as node:
        assert node.says('active:'), node.lines
        yield node


def test_node_info(running):
    out = ros2('node', 'info', NODE)
    publishers = out.partition('Publishers:')[2].partition('Service Servers:')[0]
    services = out.partition('Service Servers:')[2].partition('Service Clients:')[0]
    for name, kind in OWN.items():
        assert f'/robot/{name}: {kind}\n' in publishers
    ours = set(re.findall(r'/robot/([a-z]+/[a-z_]+): ', publishers)) - {
        'depth_anything/transition_event'}
    assert ours == set(OWN), 'and nothing that nobody fills'
    for name, kind in SERVICES.items():
        assert f'{NODE}/{name}: {kind}\n' in services
    assert 'lifecycle_msgs/srv/ChangeState' in services
    # Nobody reads, so the camera is left alone.
    assert '/cam/image_raw' not in out.partition('Publishers:')[0]


def test_topic_list(running):
    lines = ros2('topic', 'list', '-t').splitlines()
    assert {f'/robot/{name} [{kind}]' for name, kind in OWN.items()} <= set(lines)
    assert '/diagnostics [diagnostic_msgs/msg/DiagnosticArray]' in lines


def test_param_describe(running):
    out = ros2('param', 'describe', NODE, *(item.name for item in parameters()))
    shown = dict(re.findall(
        r'Parameter name: (\S+)\n(.*?)(?=Parameter name: |\Z)', out, re.DOTALL))
    for item in parameters():
        text = shown[item.name]
        assert item.text in text
        assert ('Read only: true' in text) == item.read_only
        assert ('Min value' in text) == (item.low is not None)
        assert all(choice in text for choice in item.choices)
    assert '[deg]' in shown['camera.fov_deg']
    assert 'one of: nan, inf, far' in shown['sky.mode']


def test_what_param_dump_writes_starts_the_same_node_again(running, tmp_path):
    path = tmp_path / 'dumped.yaml'
    ros2('param', 'set', NODE, 'points.stride', '3')
    path.write_text(ros2('param', 'dump', NODE))
    dumped = yaml.safe_load(path.read_text())[NODE]['ros__parameters']
    assert dumped['points']['stride'] == 3 and dumped['cameras'] == []
    path.write_text(path.read_text().replace(NODE, '/robot/again'))
    with Process(str(HERE / 'exact_node.py'), '--ros-args', '-r', '__ns:=/robot',
                 '-r', 'image:=/cam/image_raw', '-r', '__node:=again',
                 '--params-file', str(path)) as node:
        assert node.says('active:'), node.lines
        assert 'Integer value is: 3' in ros2('param', 'get', '/robot/again', 'points.stride')
