"""The ROS 2 edge: topics, services, parameters, life cycle and diagnostics."""
