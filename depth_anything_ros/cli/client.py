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
from typing import Any

from depth_anything_ros.bridges.access import KEY_VARIABLE
from depth_anything_ros.bridges.launcher import port_number
from depth_anything_ros.bridges.rest.options import PORT as REST_PORT
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
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.process import find_shared
from depth_anything_ros.wire.results import DepthReply
import numpy as np
import numpy.typing as npt

HELP = 'Ask a server for depth, or for the model of several pictures, and write it to files.'

DEPTH = ('rest', 'zmq', 'tcp')
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
                        help=f'default: {REST_PORT} for rest, {ZMQ_PORT} for zmq, '
                             f'{TCP_PORT} for tcp')
    parser.add_argument('--server', default='', metavar='NAME',
                        help='rest: a server of config/servers.yaml, or of --servers')
    parser.add_argument('--servers', type=Path, metavar='FILE', help='rest: servers by name')
    parser.add_argument('--timeout', type=float, default=TIMEOUT_S, help='seconds')
    parser.add_argument('--tls-ca', type=Path, metavar='PEM',
                        help='rest, tcp: certificate, or its authority, of a server with TLS')
    parser.add_argument('--server-key', default='', metavar='KEY',
                        help='zmq: public CURVE key of a server that encrypts, or its '
                             '.key file')
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
    if arguments.protocol == 'rest':
        return rest_client(arguments, key)
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


def rest_client(arguments: argparse.Namespace, key: str) -> Client:
    """
    Return the REST client that the flags describe.

    :raises ConfigError: when the server is not in the list.
    """
    from depth_anything_ros.clients.v1 import RestClient
    port = REST_PORT if arguments.port is None else arguments.port
    url = f'{"https" if arguments.tls_ca else "http"}://{arguments.host}:{port}'
    if arguments.server:
        listed = read_servers(arguments.servers)
        if arguments.server not in listed:
            raise ConfigError(
                f'no server {arguments.server!r}; known: {", ".join(listed) or "none"}')
        entry = listed[arguments.server]
        url, key = str(entry['base_url']), key or str(entry.get('api_key') or '')
    return RestClient(url, timeout=arguments.timeout, api_key=key, ca=arguments.tls_ca)


def read_servers(path: Path | None) -> dict[str, dict[str, Any]]:
    """
    Return the servers of a file (rule R13): base_url, api_key, model, description by name.

    :param path: the file; default: the installed config/servers.yaml.
    :raises ConfigError: when it cannot be read.
    """
    import yaml
    path = path or find_shared('config/servers.yaml')
    try:
        found = yaml.safe_load(path.read_text(encoding='utf-8')) if path else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f'cannot read servers from {path}: {error}') from None
    if not isinstance(found, dict) or not all(
            isinstance(entry, dict) and entry.get('base_url') for entry in found.values()):
        raise ConfigError(f'{path} must hold servers by name, each with a base_url')
    return found


def result_of(reply: DepthReply, rgb: npt.NDArray[np.uint8]) -> DepthResult:
    """Return a reply as what the engine would have returned here."""
    return DepthResult(
        Frame(rgb), reply.depth, reply.scale_law, reply.model, reply.intrinsics,
        notes=reply.notes)
