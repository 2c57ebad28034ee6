"""Recordings in, recordings out: rosbag2 files without a ROS installation."""
