"""``depth-anything zmq``: the ZMQ bridge alone, with the seed's flags."""

from __future__ import annotations

import argparse

from depth_anything_ros.bridges import launcher

HELP = 'Serve depth over ZMQ, for programs without ROS.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    launcher.add_zmq_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal and return the exit code."""
    return launcher.zmq_program(arguments)
