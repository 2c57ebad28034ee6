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

"""Whether ROS 2 and our generated interfaces are here, and what to do where they are not."""

from __future__ import annotations

from glob import glob
import importlib
import importlib.util
import sys

from depth_anything_ros.errors import MissingDependency

_MESSAGES = ('sensor_msgs', 'std_msgs', 'std_srvs', 'diagnostic_msgs', 'lifecycle_msgs',
             'geometry_msgs', 'rcl_interfaces')


def ros_problem() -> str | None:
    """
    Say what keeps the ROS node from starting in this Python.

    rclpy is really imported: one that was built for another Python is found, and does not load.

    :returns: what is missing and what to do, or None where all is there.
    """
    python = f'Python {sys.version_info.major}.{sys.version_info.minor} ({sys.executable})'
    if importlib.util.find_spec('rclpy') is None:
        return f'rclpy was not found by {python}: {_how_to_get_ros()}'
    try:
        importlib.import_module('rclpy')
    except ImportError as error:
        return (f'rclpy was found but does not load in {python}: {error}. A ROS 2 runs with the '
                'Python that it was built for: make the virtual environment with that one')
    missing = [name for name in _MESSAGES if importlib.util.find_spec(name) is None]
    if missing:
        wheels = ' '.join(f'ros-{name.replace("_", "-")}' for name in missing)
        return (f'message packages are missing: {", ".join(missing)}; apt: '
                f'ros-<distro>-common-interfaces; from pip on x86_64 Linux: {wheels}')
    try:
        importlib.import_module('depth_anything_ros.srv')
    except ImportError as error:
        return (f'the interfaces of depth_anything_ros are not installed ({error}): colcon build '
                'and source install/setup.bash, or install again with a C++ compiler at hand and '
                'DEPTH_ANYTHING_INTERFACES=require pip install .')
    return None


def require_ros() -> None:
    """
    Go on only where the ROS node can start.

    :raises MissingDependency: with the sentence of :func:`ros_problem`.
    """
    problem = ros_problem()
    if problem is not None:
        raise MissingDependency(problem)


def _how_to_get_ros() -> str:
    """Return the advice that fits what is installed on this machine."""
    version = f'python{sys.version_info.major}.{sys.version_info.minor}'
    found = sorted(glob('/opt/ros/*/setup.bash'))
    fitting = [path for path in found
               if glob(f'{path.removesuffix("setup.bash")}**/{version}/**/rclpy', recursive=True)]
    if fitting:
        return f'source {fitting[-1]} first'
    if found:
        return (f'{", ".join(found)} is for another Python; make the virtual environment with '
                'the Python of that ROS 2 (/usr/bin/python3)')
    return ('source a ROS 2 installation, or on x86_64 Linux: '
            'pip install "depth_anything_ros[ros]"')
