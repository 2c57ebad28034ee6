"""Servers over plain sockets: the same engine for programs without ROS."""
