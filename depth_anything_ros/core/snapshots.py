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

"""One frame as files in a folder: picture, depth, cloud and camera, none of them outside it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
import io
import os
import re
import secrets
from typing import Any, Iterable, Iterator, Mapping

import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, millimetres
from depth_anything_ros.core.pointcloud import ply_bytes
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import ConfigError, LimitExceeded
import numpy as np
import numpy.typing as npt


def snapshot_files(result: DepthResult) -> dict[str, bytes]:
    """
    Return the files of one frame by name.

    ``color.png`` (rgb8), ``depth.npy`` (float32, NaN where invalid), ``depth.png`` (16 bit
    millimetres, 0 where invalid; not for a relative model, which has no metres), ``cloud.ply``
    and ``camera_info.yaml`` (where the camera is known), all of one size.

    :param result: of the frame; its arrays are only read.
    """
    rgb = np.ascontiguousarray(result.color)
    depth = io.BytesIO()
    np.save(depth, result.depth, allow_pickle=False)
    files = {'color.png': _png(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)),
             'depth.npy': depth.getvalue()}
    if result.kind is not DepthKind.RELATIVE:
        files['depth.png'] = _png(millimetres(result.depth))
    if result.intrinsics is not None:
        unit = 'unknown' if result.kind is DepthKind.RELATIVE else 'metres'
        files['cloud.ply'] = ply_bytes(
            result.points(), rgb, comments=(f'unit {unit}', f'model {result.model}'))
        files['camera_info.yaml'] = camera_yaml(result.intrinsics).encode()
    return files


def camera_yaml(camera: Intrinsics, name: str = 'camera') -> str:
    """Return a camera without distortion as camera_calibration_parsers reads it."""
    k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    p = [camera.fx, 0.0, camera.cx, 0.0, 0.0, camera.fy, camera.cy, 0.0, 0.0, 0.0, 1.0, 0.0]

    def matrix(rows: int, values: list[float]) -> str:
        numbers = ', '.join(repr(float(value)) for value in values)
        return f'\n  rows: {rows}\n  cols: {len(values) // rows}\n  data: [{numbers}]\n'

    return (f'image_width: {camera.width}\nimage_height: {camera.height}\ncamera_name: {name}\n'
            f'camera_matrix:{matrix(3, k)}distortion_model: plumb_bob\n'
            f'distortion_coefficients:{matrix(1, [0.0] * 5)}'
            f'rectification_matrix:{matrix(3, [1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0])}'
            f'projection_matrix:{matrix(3, p)}')


def write_snapshot(directory: str, name: str, files: Mapping[str, bytes], most: int) -> str:
    """
    Write files into a new folder of a directory and return the folder's path.

    The folder appears whole or not at all, readable by its owner only. It is reached through the
    opened directory, never by following a link inside it, and nothing that is there is
    overwritten: a name that is taken gets a number.

    :param directory: an existing folder.
    :param name: of the new one; what is no letter, digit, dot, dash or underscore becomes a dash.
    :param files: contents by file name.
    :param most: entries that the directory may hold.
    :raises ConfigError: when the directory is not there.
    :raises LimitExceeded: when it is full, or nothing can be written to it.
    """
    plain = re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('.-') or 'snapshot'
    if not os.path.isdir(directory):
        raise ConfigError(f'snapshot.directory {directory} is not an existing folder')
    try:
        with _opened(directory) as root:
            if len(os.listdir(root)) >= most:
                raise LimitExceeded(
                    f'{directory} holds {most} entries already (snapshot.max_count)')
            return os.path.join(directory, _write(root, plain, files))
    except OSError as error:
        raise LimitExceeded(f'cannot write to {directory}: {error.strerror}') from None


def _write(root: int, name: str, files: Mapping[str, bytes]) -> str:
    partial = f'.{name}.{secrets.token_hex(8)}'
    os.mkdir(partial, 0o700, dir_fd=root)
    try:
        with _opened(partial, root) as folder:
            for file, content in files.items():
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with open(os.open(file, flags, 0o600, dir_fd=folder), 'wb') as out:
                    out.write(content)
        taken = set(os.listdir(root))
        number, final = 1, name
        while final in taken:
            number += 1
            final = f'{name}-{number}'
        os.rename(partial, final, src_dir_fd=root, dst_dir_fd=root)
    except BaseException:
        _remove(root, partial, files)
        raise
    return final


def _remove(root: int, folder: str, files: Iterable[str]) -> None:
    with _opened(folder, root) as handle:
        for file in files:
            with suppress(FileNotFoundError):
                os.unlink(file, dir_fd=handle)
    os.rmdir(folder, dir_fd=root)


@contextmanager
def _opened(path: str, root: int | None = None) -> Iterator[int]:
    flags = os.O_RDONLY | os.O_DIRECTORY | (os.O_NOFOLLOW if root is not None else 0)
    handle = os.open(path, flags, dir_fd=root)
    try:
        yield handle
    finally:
        os.close(handle)


def _png(image: npt.NDArray[Any]) -> bytes:
    done, data = cv2.imencode('.png', image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return data.tobytes()
