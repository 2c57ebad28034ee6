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

import importlib.util
import os
from pathlib import Path
import subprocess
import sys

from depth_anything_ros.errors import MissingDependency
from depth_anything_ros.interfaces import require_ros, ros_problem
import pytest

ROOT = Path(__file__).resolve().parents[1]


def in_bare_python(tmp_path, **modules):
    """Ask a Python without any installed package, with a few fake packages on its path."""
    for name, source in modules.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / '__init__.py').write_text(source)
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('LD_LIBRARY_PATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')}
    environment['PYTHONPATH'] = os.pathsep.join([str(ROOT), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, '-S', '-c',
         'from depth_anything_ros.interfaces import ros_problem; print(ros_problem())'],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_no_ros_says_which_python_and_what_to_do(tmp_path):
    said = in_bare_python(tmp_path)
    assert said.startswith('rclpy was not found by Python 3.') and sys.executable in said
    assert 'source' in said


def test_rclpy_of_another_python_is_named(tmp_path):
    said = in_bare_python(tmp_path, rclpy='raise ImportError("built for another Python")')
    assert 'does not load' in said and 'built for another Python' in said


def test_missing_message_packages_are_listed(tmp_path):
    said = in_bare_python(tmp_path, rclpy='', sensor_msgs='', std_msgs='', std_srvs='')
    assert 'diagnostic_msgs, lifecycle_msgs, geometry_msgs, rcl_interfaces' in said
    assert 'ros-diagnostic-msgs' in said and 'sensor' not in said


def test_left_out_interfaces_are_named(tmp_path):
    said = in_bare_python(tmp_path, rclpy='', sensor_msgs='', std_msgs='', std_srvs='',
                          diagnostic_msgs='', lifecycle_msgs='', geometry_msgs='',
                          rcl_interfaces='')
    assert 'interfaces of depth_anything_ros are not installed' in said
    assert 'DEPTH_ANYTHING_INTERFACES=require' in said


@pytest.mark.parametrize('program', ['depth_node', 'demo_camera'])
def test_the_programs_say_it_and_end_with_2(tmp_path, program):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('LD_LIBRARY_PATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')}
    done = subprocess.run(
        [sys.executable, '-S', ROOT / 'scripts/nodes' / program], cwd=tmp_path,
        env={**environment, 'PYTHONPATH': str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert f'{program} cannot start: rclpy was not found' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='rclpy is not here')
def test_nothing_is_missing_where_the_ros_tests_run():
    assert ros_problem() is None
    require_ros()


def test_require_ros_raises(monkeypatch):
    monkeypatch.setattr('depth_anything_ros.interfaces.ros_problem', lambda: 'no ROS')
    with pytest.raises(MissingDependency, match='no ROS'):
        require_ros()
