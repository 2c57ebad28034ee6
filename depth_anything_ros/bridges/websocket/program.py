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

"""The reconstruction server as a program, with the flags of its seed (rule G5)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Sequence

from depth_anything_ros.bridges import launcher
from depth_anything_ros.bridges.rest import program

MODEL = 'depth-anything/DA3NESTED-GIANT-LARGE-1.1'
OLDER = {'depth-anything/DA3NESTED-GIANT-LARGE': MODEL}
"""Names of weights that have a successor of the same architecture."""


def add_ws_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of the reconstruction program."""
    parser.add_argument('--model-dir', dest='model', type=model_dir, default=MODEL, metavar='DIR',
                        help='model name, hub repository, or folder with its weights '
                             '(default: %(default)s)')
    launcher.add_device_arguments(parser, 'cuda')
    program.add_http_arguments(parser)
    parser.add_argument('--log-level', choices=launcher.LEVELS, default='INFO')
    launcher.add_access_arguments(parser)


def model_dir(text: str) -> str:
    """Return what the engine calls a model that is named as in the seed."""
    return text if Path(text).exists() else OLDER.get(text, text)


def ws_program(arguments: argparse.Namespace) -> int:
    """Serve as the flags of :func:`add_ws_arguments` say and return the exit code."""
    bridge = program.rest_bridge(arguments)
    return launcher.serve({'ws': bridge}, arguments, launcher.Ending(), bridge)


def run_ws(argv: Sequence[str] | None = None) -> int:
    """Run the reconstruction program and return its exit code."""
    return launcher.run_program('WebSocket', argv, add_ws_arguments, ws_program)
