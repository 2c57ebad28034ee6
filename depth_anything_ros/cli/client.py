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

"""``depth-anything client``: depth of one picture from a server, as files."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from depth_anything_ros.bridges.access import KEY_VARIABLE
from depth_anything_ros.bridges.launcher import port_number
from depth_anything_ros.cli.estimate import (
    check_output,
    read_rgb,
    summary,
    write_depth,
    write_picture,
)
from depth_anything_ros.cli.serve import TCP_PORT, ZMQ_PORT
from depth_anything_ros.clients.base import Client, TIMEOUT_S
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.pointcloud import write_ply
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.wire.results import DepthReply
import numpy as np
import numpy.typing as npt

HELP = 'Ask a server for the depth of a picture and write it as .npy, .npz, .png or .ply.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('protocol', choices=('zmq', 'tcp'), help='what the server speaks')
    parser.add_argument('image', type=Path, help='picture that OpenCV reads (JPEG, PNG, ...)')
    parser.add_argument('--host', default='127.0.0.1',
                        help='where the server is (default: %(default)s)')
    parser.add_argument('--port', type=port_number,
                        help=f'default: {ZMQ_PORT} for zmq, {TCP_PORT} for tcp')
    parser.add_argument('--timeout', type=float, default=TIMEOUT_S, help='seconds')
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument('--fov', type=float, default=0.0, help='horizontal field of view, degrees')
    camera.add_argument('--focal', type=float, default=0.0, help='focal length, pixels')
    camera.add_argument('--intrinsics', type=float, nargs=4, metavar=('FX', 'FY', 'CX', 'CY'))
    parser.add_argument('--process-res', type=int, help="default: the model's own")
    parser.add_argument('--max-depth', type=float, help='metres')
    parser.add_argument('-o', '--output', type=Path,
                        help='depth as .npy or .npz (float32) or .png (16 bit millimetres)')
    parser.add_argument('--preview', type=Path, help='depth as a colour picture')
    parser.add_argument('--ply', type=Path, help='coloured point cloud')


def run(arguments: argparse.Namespace) -> int:
    """Ask, write the files and say what was done."""
    check_output(arguments.output)
    rgb = read_rgb(arguments.image)
    height, width = rgb.shape[:2]
    matrix = None
    if arguments.intrinsics:
        fx, fy, cx, cy = arguments.intrinsics
        matrix = Intrinsics(fx, fy, cx, cy, width, height).matrix()
    with connect(arguments) as client:
        reply = client.estimate(
            rgb, matrix, process_res=arguments.process_res, fov_deg=arguments.fov,
            focal_length=arguments.focal, maximum=arguments.max_depth)
    result = result_of(reply, rgb)
    print(f'model       {reply.model}')
    print(f'scale law   {reply.scale_law}')
    print(f'depth       {summary(result)}')
    for note in reply.notes:
        print(f'note        {note}')
    if arguments.output:
        write_depth(arguments.output, result)
        print(f'wrote       {arguments.output}')
    if arguments.preview:
        write_picture(arguments.preview, result.picture())
        print(f'wrote       {arguments.preview}')
    if arguments.ply:
        count = write_ply(arguments.ply, result.points(), rgb)
        print(f'wrote       {arguments.ply} ({count} points)')
    return 0


def connect(arguments: argparse.Namespace) -> Client:
    """Return the client that the flags describe; the key comes from the environment."""
    key = os.environ.get(KEY_VARIABLE, '')
    if arguments.protocol == 'zmq':
        from depth_anything_ros.clients.zeromq import ZmqClient
        port = ZMQ_PORT if arguments.port is None else arguments.port
        return ZmqClient(
            f'tcp://{arguments.host}:{port}', timeout=arguments.timeout, api_key=key)
    from depth_anything_ros.clients.tcp import TcpClient
    port = TCP_PORT if arguments.port is None else arguments.port
    return TcpClient(arguments.host, port, timeout=arguments.timeout, api_key=key)


def result_of(reply: DepthReply, rgb: npt.NDArray[np.uint8]) -> DepthResult:
    """Return a reply as what the engine would have returned here."""
    return DepthResult(
        Frame(rgb), reply.depth, reply.scale_law, reply.model, reply.intrinsics,
        notes=reply.notes)
