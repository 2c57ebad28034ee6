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

"""What the verbs about one picture share: its camera's flags, the files, what is printed."""

from __future__ import annotations

import argparse
from pathlib import Path

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, millimetres
from depth_anything_ros.core.pointcloud import write_ply
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import ConfigError, InvalidImage
import numpy as np
import numpy.typing as npt


def add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the picture, its camera, how it is processed and the files to write."""
    parser.add_argument('image', type=Path, help='picture that OpenCV reads (JPEG, PNG, ...)')
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


def matrix_of(
    arguments: argparse.Namespace, rgb: npt.NDArray[np.uint8],
) -> npt.NDArray[np.float64] | None:
    """
    Return the 3x3 K that ``--intrinsics`` gives for a picture, None where it is not given.

    :raises InvalidIntrinsics: when the four numbers are no camera.
    """
    if not arguments.intrinsics:
        return None
    fx, fy, cx, cy = arguments.intrinsics
    height, width = rgb.shape[:2]
    return Intrinsics(fx, fy, cx, cy, width, height).matrix()


def hand_out(arguments: argparse.Namespace, result: DepthResult) -> None:
    """Print what a result is and write the files that were asked for."""
    print(f'scale law   {result.scale_law}')
    print(f'depth       {summary(result)}')
    for note in result.notes:
        print(f'note        {note}')
    if arguments.output:
        write_depth(arguments.output, result)
        print(f'wrote       {arguments.output}')
    if arguments.preview:
        write_picture(arguments.preview, result.picture())
        print(f'wrote       {arguments.preview}')
    if arguments.ply:
        count = write_ply(arguments.ply, result.points(), result.frame.rgb)
        print(f'wrote       {arguments.ply} ({count} points)')


def read_rgb(path: Path) -> npt.NDArray[np.uint8]:
    """
    Return a picture as (H, W, 3) uint8 RGB, turned as its EXIF orientation says.

    :raises InvalidImage: when it is not there or not a picture.
    """
    import cv2

    if not path.is_file():
        raise InvalidImage(f'no such file: {path}')
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InvalidImage(f'{path} is not a picture that OpenCV can read')
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def check_output(path: Path | None) -> None:
    """Refuse an output whose format is unknown, before any work is done."""
    if path is not None and path.suffix not in ('.npy', '.npz', '.png'):
        raise ConfigError(f'cannot write depth as {path.suffix!r}; accepted: .npy, .npz, .png')


def write_depth(path: Path, result: DepthResult) -> None:
    """Write depth in the format that the file's ending names."""
    check_output(path)
    if path.suffix == '.npy':
        np.save(path, result.depth)
    elif path.suffix == '.npz':
        arrays = {'depth': result.depth}
        if result.confidence is not None:
            arrays['confidence'] = result.confidence
        if result.intrinsics is not None:
            arrays['K'] = result.intrinsics.matrix().astype(np.float32)
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    elif result.kind is DepthKind.RELATIVE:
        raise ConfigError("a .png holds millimetres, and this model's depth is relative; "
                          'write .npy or .npz')
    else:
        write_picture(path, millimetres(result.depth))


def write_picture(path: Path, picture: npt.NDArray[np.generic]) -> None:
    """Write an RGB or single-channel picture; the ending names the format."""
    import cv2

    bgr = picture[..., ::-1] if picture.ndim == 3 else picture
    try:
        written = cv2.imwrite(str(path), np.ascontiguousarray(bgr))
    except cv2.error:
        written = False
    if not written:
        raise ConfigError(f'cannot write a picture to {path}: unknown ending or no such folder')


def summary(result: DepthResult) -> str:
    """Return size, range and validity of a depth map as text."""
    height, width = result.depth.shape
    valid = result.depth[np.isfinite(result.depth)]
    unit = ' m' if result.kind is DepthKind.METRIC else ' (no unit)'
    if valid.size == 0:
        return f'{width}x{height}, no valid pixel'
    low, middle, high = np.percentile(valid, (1, 50, 99))
    return (f'{width}x{height}, p1 {low:.2f}, median {middle:.2f}, p99 {high:.2f}{unit}; '
            f'{100 * valid.size / result.depth.size:.1f} % valid')
