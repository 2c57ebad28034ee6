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

"""``depth-anything export``: a model as an ONNX file for one camera size."""

from __future__ import annotations

import argparse
from pathlib import Path

from depth_anything_ros.core.options import PROCESS_RES_METHODS
from depth_anything_ros.core.processed_size import plan
from depth_anything_ros.errors import ConfigError

HELP = 'Write a model as an ONNX file for images of one size (model.engine: onnxruntime).'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('--onnx', metavar='FILE', required=True, help='file to write')
    parser.add_argument('--model', default='da3metric-large',
                        help='model name, or a local directory or .safetensors file')
    parser.add_argument('--architecture', default='',
                        help='model name whose network fits a .safetensors file')
    parser.add_argument('--width', type=int, default=640, help="of the camera's images, pixels")
    parser.add_argument('--height', type=int, default=480, help="of the camera's images, pixels")
    parser.add_argument('--process-res', type=int, default=0,
                        help="side of the processed image; 0: the model's own")
    parser.add_argument('--process-res-method', default='upper_bound_resize',
                        choices=PROCESS_RES_METHODS)
    parser.add_argument('--download', action='store_true', help='fetch the weights from the hub')
    parser.add_argument('--random-weights', type=int, metavar='SEED',
                        help='without any weights, to measure speed')


def run(arguments: argparse.Namespace) -> int:
    """Load, export, compare and say how near the file is."""
    path = Path(arguments.onnx)
    if path.suffix != '.onnx' or not path.absolute().parent.is_dir():
        raise ConfigError(f'--onnx is {arguments.onnx}; accepted: a file name ending in .onnx in '
                          'a folder that is there')
    from depth_anything_ros.engine.loading import load_network
    from depth_anything_ros.engine.onnx_files import export, import_runtime
    import_runtime()
    loaded = load_network(
        arguments.model, 'cpu', 'fp32', download=arguments.download,
        architecture=arguments.architecture, random_weights=arguments.random_weights)
    width, height = plan(
        arguments.width, arguments.height, arguments.process_res or loaded.model.process_res,
        arguments.process_res_method).size
    error = export(loaded.network, loaded.model, height, width, path)
    print(f'{path}: {loaded.model.name} for images of {arguments.width}x{arguments.height}, '
          f'processed at {width}x{height}; licence of the weights: {loaded.model.licence}; ONNX '
          f'Runtime differs from PyTorch by {error:.1e} of the depth at most')
    return 0
