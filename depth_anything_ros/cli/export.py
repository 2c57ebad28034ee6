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

"""``depth-anything export``: a model as an ONNX file or a Triton model, for one camera size."""

from __future__ import annotations

import argparse
from pathlib import Path

from depth_anything_ros.core.options import PROCESS_RES_METHODS
from depth_anything_ros.core.processed_size import plan
from depth_anything_ros.errors import ConfigError

HELP = 'Write a model as an ONNX file, or as a Triton model, for images of one size.'

MOST_BATCH = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--onnx', metavar='FILE', help='file to write (model.engine: onnxruntime)')
    what.add_argument('--triton', metavar='DIR',
                      help='Triton model repository in which to write the model')
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
    parser.add_argument('--max-batch', type=int, default=8,
                        help='images that Triton may put together (with --triton)')
    parser.add_argument('--download', action='store_true', help='fetch the weights from the hub')
    parser.add_argument('--random-weights', type=int, metavar='SEED',
                        help='without any weights, to measure speed')


def run(arguments: argparse.Namespace) -> int:
    """Load, export, compare and say how near what was written is."""
    _check(arguments)
    from depth_anything_ros.engine.loading import load_network
    from depth_anything_ros.engine.onnx_files import export, import_runtime
    import_runtime()
    loaded = load_network(
        arguments.model, 'cpu', 'fp32', download=arguments.download,
        architecture=arguments.architecture, random_weights=arguments.random_weights)
    width, height = plan(
        arguments.width, arguments.height, arguments.process_res or loaded.model.process_res,
        arguments.process_res_method).size
    if arguments.triton is not None:
        from depth_anything_ros.engine.triton import export_repository
        written = export_repository(
            loaded.network, loaded.model, height, width, Path(arguments.triton),
            max_batch=arguments.max_batch, warnings=loaded.warnings)
        name, said = str(written.folder), (
            f'outputs by {written.difference:.1e} at most, in batches of 1 to 3 images of noise '
            f'({written.valid:.0%} of their pixels valid)')
    else:
        error = export(loaded.network, loaded.model, height, width, Path(arguments.onnx))
        name, said = arguments.onnx, f'depth by {error:.1e} at most'
    print(f'{name}: {loaded.model.name} for images of {arguments.width}x{arguments.height}, '
          f'processed at {width}x{height}; licence of the weights: {loaded.model.licence}; ONNX '
          f'Runtime differs from PyTorch in the {said}')
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be written before anything is loaded."""
    if arguments.onnx is not None:
        path = Path(arguments.onnx)
        if path.suffix != '.onnx' or not path.absolute().parent.is_dir():
            raise ConfigError(f'--onnx is {arguments.onnx}; accepted: a file name ending in '
                              '.onnx in a folder that is there')
    elif Path(arguments.triton).exists() and not Path(arguments.triton).is_dir():
        raise ConfigError(f'--triton is {arguments.triton}; accepted: a folder, or a new name')
    if not 1 <= arguments.max_batch <= MOST_BATCH:
        raise ConfigError(
            f'--max-batch is {arguments.max_batch}; accepted: 1 to {MOST_BATCH}')
