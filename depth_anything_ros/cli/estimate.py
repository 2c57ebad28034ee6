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

"""``depth-anything estimate``: depth of one picture, as files."""

from __future__ import annotations

import argparse

from depth_anything_ros.cli.picture import (
    add_picture_arguments,
    check_output,
    hand_out,
    matrix_of,
    read_rgb,
)
from depth_anything_ros.core.options import Output, PROCESS_RES_METHODS
from depth_anything_ros.settings import ModelSettings

HELP = 'Estimate the depth of a picture and write it as .npy, .npz, .png or .ply.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    add_picture_arguments(parser)
    parser.add_argument('--process-res-method', default=PROCESS_RES_METHODS[0],
                        choices=PROCESS_RES_METHODS)
    parser.add_argument('--model', default=ModelSettings.name,
                        help='model name, directory or .safetensors file (default: %(default)s)')
    parser.add_argument('--device', default='auto', help='auto, cuda, cuda:N or cpu')
    parser.add_argument('--download', action='store_true', help='fetch missing weights')


def run(arguments: argparse.Namespace) -> int:
    """Estimate, write the files and say what was done."""
    from depth_anything_ros.api import DepthEstimator

    check_output(arguments.output)
    rgb = read_rgb(arguments.image)
    farthest = float('inf') if arguments.max_depth is None else arguments.max_depth
    with DepthEstimator(arguments.model, device=arguments.device,
                        download=arguments.download) as estimator:
        info = estimator.info
        outputs = {Output.DEPTH, *([Output.CONFIDENCE] if info.has_confidence else [])}
        result = estimator(
            rgb, matrix_of(arguments, rgb), fov_deg=arguments.fov, focal_length=arguments.focal,
            process_res=arguments.process_res or 0, maximum=farthest,
            process_res_method=arguments.process_res_method, outputs=outputs)
    print(f'model       {info.model} on {info.device}, {info.precision}; '
          f'licence of the weights: {info.licence}')
    hand_out(arguments, result)
    return 0
