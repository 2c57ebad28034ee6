"""``depth-anything serve``: several bridges on one engine."""

from __future__ import annotations

import argparse

from depth_anything_ros.bridges import launcher
from depth_anything_ros.bridges.base import Bridge
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.settings import ModelSettings

HELP = 'Serve depth over several protocols with one model in memory.'

ZMQ_PORT, TCP_PORT = 5555, 9000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('--zmq', action='store_true', help='serve ZMQ')
    parser.add_argument('--tcp', action='store_true', help='serve raw TCP')
    for name, port in (('zmq', ZMQ_PORT), ('tcp', TCP_PORT)):
        parser.add_argument(f'--{name}-port', type=launcher.port_number, default=port,
                            help='0 for any (default: %(default)s)')
    launcher.add_model_arguments(parser, ModelSettings.name, ModelSettings.device)
    parser.add_argument('--log-level', choices=launcher.LEVELS, default='INFO')
    launcher.add_access_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal and return the exit code."""
    ending = launcher.Ending()
    bridges: dict[str, Bridge] = {}
    if arguments.zmq:
        bridges['zmq'] = launcher.zmq_bridge(arguments, arguments.zmq_port)
    if arguments.tcp:
        bridges['tcp'] = launcher.tcp_bridge(arguments, arguments.tcp_port, ending)
    if not bridges:
        raise ConfigError('nothing to serve: say --zmq, --tcp or both')
    return launcher.serve(bridges, arguments, ending)
