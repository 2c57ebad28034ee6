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

"""ROS tests keep to this machine and to a domain of their own, and need ROS."""

import importlib.util
import os
from pathlib import Path

os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
os.environ.setdefault('ROS_PYTHON_CHECK_FIELDS', '1')

if importlib.util.find_spec('rclpy') is None:
    # test_ros_is_here.py says so.
    collect_ignore = [path.name for path in Path(__file__).parent.glob('test_*.py')
                      if 'pytest.mark.ros' in path.read_text()]
else:
    from depth_anything_ros.process import set_up_process
    set_up_process()
