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

"""``depth-anything client``: depth of a picture, a folder or a video from a server, as files."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from depth_anything_ros.bridges.access import KEY_VARIABLE
from depth_anything_ros.bridges.launcher import port_number
from depth_anything_ros.cli import client_ws
from depth_anything_ros.cli.client_many import FORMATS, run_many
from depth_anything_ros.cli.picture import (
    add_picture_arguments,
    check_output,
    hand_out,
    matrix_of,
    read_rgb,
)
from depth_anything_ros.cli.sequences import sequence_of
from depth_anything_ros.cli.serve import TCP_PORT, ZMQ_PORT
from depth_anything_ros.clients.base import Client, TIMEOUT_S
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.wire.results import DepthReply
import numpy as np
import numpy.typing as npt

HELP = 'Ask a server for depth, or for the model of several pictures, and write it to files.'

DEPTH = ('zmq', 'tcp')
"""Protocols that give depth."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    protocols = parser.add_subparsers(dest='protocol', required=True, metavar='PROTOCOL')
    for name in DEPTH:
        add_depth_arguments(protocols.add_parser(name, help=f'depth, from a {name} server'))
    scenes = protocols.add_parser('ws', help=client_ws.HELP, description=client_ws.HELP)
    client_ws.add_arguments(scenes)


def add_depth_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is asked of a server that gives depth."""
    add_picture_arguments(parser)
    parser.add_argument('--format', choices=FORMATS, default=FORMATS[0],
                        help='of the depths of a folder or video, for which -o, --preview and '
                             '--ply name folders (default: %(default)s)')
    parser.add_argument('--every', type=int, default=1, metavar='N',
                        help='take one picture of N (default: all)')
    parser.add_argument('--host', default='127.0.0.1',
                        help='where the server is (default: %(default)s)')
    parser.add_argument('--port', type=port_number,
                        help=f'default: {ZMQ_PORT} for zmq, {TCP_PORT} for tcp')
    parser.add_argument('--timeout', type=float, default=TIMEOUT_S, help='seconds')
    parser.add_argument('--tls-ca', type=Path, metavar='PEM',
                        help='tcp: certificate, or its authority, of a server that speaks TLS')
    parser.add_argument('--server-key', default='', metavar='KEY',
                        help='zmq: public CURVE key of a server that encrypts, or its .key file')
    parser.add_argument('--client-key', default='', metavar='FILE',
                        help='zmq: .key_secret file of this client, where the server asks for one')


def run(arguments: argparse.Namespace) -> int:
    """Ask, write the files and say what was done; 1 when some pictures of many have failed."""
    if arguments.protocol == 'ws':
        return client_ws.run(arguments)
    pictures = sequence_of(arguments.image, arguments.every)
    if pictures is None:
        check_output(arguments.output)
        rgb = read_rgb(arguments.image)
    with connect(arguments) as client:
        def ask(rgb: npt.NDArray[np.uint8]) -> DepthResult:
            return result_of(client.estimate(
                rgb, matrix_of(arguments, rgb), process_res=arguments.process_res,
                fov_deg=arguments.fov, focal_length=arguments.focal,
                maximum=arguments.max_depth), rgb)

        if pictures is not None:
            return run_many(arguments, pictures, ask)
        result = ask(rgb)
    print(f'model       {result.model}')
    hand_out(arguments, result)
    return 0


def connect(arguments: argparse.Namespace) -> Client:
    """Return the client that the flags describe; the key comes from the environment."""
    key = os.environ.get(KEY_VARIABLE, '')
    if arguments.protocol == 'zmq':
        from depth_anything_ros.clients.zeromq import ZmqClient
        port = ZMQ_PORT if arguments.port is None else arguments.port
        return ZmqClient(
            f'tcp://{arguments.host}:{port}', timeout=arguments.timeout, api_key=key,
            server_key=arguments.server_key, client_key=arguments.client_key)
    from depth_anything_ros.clients.tcp import TcpClient
    port = TCP_PORT if arguments.port is None else arguments.port
    return TcpClient(
        arguments.host, port, timeout=arguments.timeout, api_key=key, tls=arguments.tls_ca)


def result_of(reply: DepthReply, rgb: npt.NDArray[np.uint8]) -> DepthResult:
    """Return a reply as what the engine would have returned here."""
    return DepthResult(
        Frame(rgb), reply.depth, reply.scale_law, reply.model, reply.intrinsics,
        notes=reply.notes)
