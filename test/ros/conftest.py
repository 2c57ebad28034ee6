"""ROS tests keep to this machine and to a domain of their own."""

import importlib.util
import os

os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
os.environ.setdefault('ROS_LOCALHOST_ONLY', '1')
os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
os.environ.setdefault('ROS_PYTHON_CHECK_FIELDS', '1')

if importlib.util.find_spec('rclpy') is not None:
    from depth_anything_ros.process import set_up_process
    set_up_process()
