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

"""``depth-anything reconstruct``: several pictures of one scene become a model in 3D."""

from __future__ import annotations

import argparse
from pathlib import Path

from depth_anything_ros.cli.picture import read_rgb
from depth_anything_ros.core.options import PROCESS_RES_METHODS
from depth_anything_ros.reconstruction.export import check_ending, scene_bytes
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.reconstruction.scene import Scene

HELP = 'Reconstruct a scene from pictures and write it as .glb, .ply or .npz.'

DEFAULT_MODEL = 'da3-small'
"""Knows poses, runs on a CPU, and its weights are Apache-2.0."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    usual = SceneOptions()
    parser.add_argument('images', nargs='+', type=Path, help='pictures of one scene')
    parser.add_argument('-o', '--output', type=Path, action='append', required=True,
                        help='file to write: .glb, .ply or .npz; may be repeated')
    parser.add_argument('--model', default=DEFAULT_MODEL,
                        help='model name, directory or .safetensors file (default: %(default)s)')
    parser.add_argument('--device', default='auto', help='auto, cuda, cuda:N or cpu')
    parser.add_argument('--download', action='store_true', help='fetch missing weights')
    parser.add_argument('--process-res', type=int, default=0, help="default: the model's own")
    parser.add_argument('--process-res-method', default=PROCESS_RES_METHODS[0],
                        choices=PROCESS_RES_METHODS)
    parser.add_argument('--conf-thresh-percentile', type=float, metavar='PERCENT',
                        default=usual.conf_thresh_percentile,
                        help='the least sure part that is left out (default: %(default)g)')
    parser.add_argument('--num-max-points', type=int, default=usual.num_max_points)
    parser.add_argument('--voxel-size', type=float, default=usual.voxel_size,
                        help='one point per cube of this side, in the unit of the scene')
    parser.add_argument('--max-depth', type=float, default=usual.maximum, help='metres')
    parser.add_argument('--keep-sky', action='store_true')
    parser.add_argument('--keep-edges', action='store_true',
                        help='keep pixels between two surfaces')
    parser.add_argument('--no-cameras', action='store_true', help='draw no cameras into the .glb')
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument('--fov', type=float, default=0.0,
                        help='horizontal field of view of a single picture, degrees')
    camera.add_argument('--focal', type=float, default=0.0,
                        help='focal length of a single picture, pixels')


def run(arguments: argparse.Namespace) -> int:
    """Reconstruct, write the files and say what was done."""
    from depth_anything_ros.api import DepthEstimator

    for path in arguments.output:
        check_ending(path.suffix)
    options = SceneOptions(
        process_res=arguments.process_res, process_res_method=arguments.process_res_method,
        conf_thresh_percentile=arguments.conf_thresh_percentile,
        num_max_points=arguments.num_max_points, voxel_size=arguments.voxel_size,
        maximum=arguments.max_depth, remove_sky=not arguments.keep_sky,
        remove_edges=not arguments.keep_edges, show_cameras=not arguments.no_cameras,
        fov_deg=arguments.fov, focal_length=arguments.focal)
    images = [read_rgb(path) for path in arguments.images]
    with DepthEstimator(arguments.model, device=arguments.device,
                        download=arguments.download) as estimator:
        info = estimator.info
        print(f'model       {info.model} on {info.device}, {info.precision}; '
              f'licence of the weights: {info.licence}')
        scene = estimator.reconstruct(
            images, options=options,
            progress=lambda step, share: print(f'{share:4.0%}        {step}', flush=True))
    say(scene)
    for path in arguments.output:
        data = scene_bytes(scene, path.suffix, show_cameras=options.show_cameras)
        path.write_bytes(data)
        print(f'wrote       {path} ({len(data) / 1e6:.1f} MB)')
    return 0


def say(scene: Scene) -> None:
    """Print what a scene is."""
    metadata = scene.metadata()
    unit = metadata['unit'] or '(no unit)'
    print(f'scale law   {scene.scale_law}')
    print(f'scene       {len(scene.points)} of {scene.total_points} points from '
          f'{len(scene.extrinsics)} picture(s) of {scene.size[0]}x{scene.size[1]}, depth '
          f'{metadata["depth_min"]:.2f} to {metadata["depth_max"]:.2f} {unit}')
    for note in scene.notes:
        print(f'note        {note}')
