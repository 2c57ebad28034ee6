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

"""``depth-anything serve``: several bridges on one engine."""

from __future__ import annotations

import argparse

from depth_anything_ros.bridges import launcher
from depth_anything_ros.bridges.base import Bridge
from depth_anything_ros.bridges.rest import program
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.settings import ModelSettings

HELP = 'Serve depth over several protocols with one model in memory.'

ZMQ_PORT, TCP_PORT = 5555, 9000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('--zmq', action='store_true', help='serve ZMQ')
    parser.add_argument('--tcp', action='store_true', help='serve raw TCP')
    parser.add_argument('--rest', action='store_true', help='serve HTTP')
    for name, port in (('zmq', ZMQ_PORT), ('tcp', TCP_PORT)):
        parser.add_argument(f'--{name}-port', type=launcher.port_number, default=port,
                            help='0 for any (default: %(default)s)')
    program.add_http_arguments(parser)
    launcher.add_model_arguments(parser, ModelSettings.name, ModelSettings.device)
    parser.add_argument('--log-level', choices=launcher.LEVELS, default='INFO')
    launcher.add_access_arguments(parser)
    launcher.add_curve_arguments(parser)
    parser.add_argument('--ray', action='store_true',
                        help='run the model in replicas of Ray Serve; HTTP where nothing else is '
                             'said')
    parser.add_argument('--replicas', type=int, default=1, metavar='N',
                        help='how many, on a Ray of this machine alone (default: %(default)s)')
    parser.add_argument('--ray-address', default='', metavar='HOST:PORT',
                        help='use the replicas that deploy/ray_serve.yaml has on the Ray there')


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal and return the exit code."""
    ending = launcher.Ending()
    bridges: dict[str, Bridge] = {}
    if arguments.zmq:
        bridges['zmq'] = launcher.zmq_bridge(arguments, arguments.zmq_port)
    if arguments.tcp:
        bridges['tcp'] = launcher.tcp_bridge(arguments, arguments.tcp_port, ending)
    if arguments.ray and not bridges:
        arguments.rest = True
    rest = program.rest_bridge(arguments) if arguments.rest else None
    if rest is not None:
        bridges['rest'] = rest
    elif arguments.also_model:
        raise ConfigError('--also-model needs --rest: the other protocols have one model')
    if not bridges:
        raise ConfigError('nothing to serve: say --zmq, --tcp, --rest or several of them')
    if not arguments.ray:
        if arguments.ray_address or arguments.replicas != 1:
            raise ConfigError('--replicas and --ray-address need --ray')
        return launcher.serve(bridges, arguments, ending, rest)
    if arguments.replicas < 1 or arguments.replicas > 1 and arguments.ray_address:
        raise ConfigError('--replicas is 1 or more, and nothing where --ray-address has replicas')
    if arguments.engine_url or arguments.devices:
        raise ConfigError('--ray goes with neither --engine-url nor --devices')
    from depth_anything_ros import ray_serve
    with ray_serve.cluster(
            arguments.ray_address, arguments.replicas, 1 + len(arguments.also_model)) as opened:
        return launcher.serve(bridges, arguments, ending, rest, opened)
