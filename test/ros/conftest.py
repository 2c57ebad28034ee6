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
