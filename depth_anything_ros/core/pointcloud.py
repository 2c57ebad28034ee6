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

"""The bytes of a coloured point cloud: x, y, z float32 and packed rgb, 16 bytes a point."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.errors import InvalidImage
import numpy as np
import numpy.typing as npt

POINT_STEP = 16
"""Bytes of one point: x, y, z, rgb as little-endian float32 each (no padding to 32)."""


def pack_rgb(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """
    Return colours packed as 0x00RRGGBB, the bits that PCL and rviz read from field ``rgb``.

    :param rgb: (..., 3) uint8.
    :returns: (...) uint32.
    """
    bgrx = np.zeros((*rgb.shape[:-1], 4), np.uint8)
    bgrx[..., :3] = rgb[..., ::-1]
    return bgrx.view('<u4')[..., 0]


def organised_cloud(
    depth: npt.NDArray[np.float32], intrinsics: Intrinsics, rgb: npt.NDArray[np.uint8],
) -> npt.NDArray[np.float32]:
    """
    Return an organised XYZRGB cloud, ready to be a PointCloud2's data.

    :param depth: (H, W) float32 metres, NaN where invalid.
    :param intrinsics: the camera of this depth map, in pixels.
    :param rgb: (H, W, 3) uint8, the colour of every depth pixel.
    :returns: (H, W, 4) float32, optical frame; the 4th value holds 0x00RRGGBB bits.
    :raises InvalidImage: when colour and depth have different sizes.
    """
    if rgb.shape[:2] != depth.shape:
        raise InvalidImage(f'colour is {rgb.shape[:2]}, depth is {depth.shape}')
    cloud = np.empty((*depth.shape, 4), np.float32)
    cloud[..., :3] = unproject(depth, intrinsics)
    cloud.view(np.uint32)[..., 3] = pack_rgb(rgb)
    return cloud


def ply_bytes(
    points: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8], *, comments: Iterable[str] = (),
) -> bytes:
    """
    Return a cloud as a binary little-endian PLY file; points that are not finite are left out.

    :param points: (..., 3) float32 metres.
    :param rgb: (..., 3) uint8, same leading shape.
    :param comments: lines for people in the file's header.
    """
    flat = points.reshape(-1, 3)
    keep = np.isfinite(flat).all(axis=1)
    vertices = np.empty(
        int(keep.sum()),
        np.dtype([('xyz', '<f4', 3), ('rgb', 'u1', 3)]))
    vertices['xyz'] = flat[keep]
    vertices['rgb'] = rgb.reshape(-1, 3)[keep]
    said = ''.join(f'comment {line}\n' for line in comments)
    names = ''.join(f'property float {axis}\n' for axis in 'xyz')
    names += ''.join(f'property uchar {colour}\n' for colour in ('red', 'green', 'blue'))
    header = (f'ply\nformat binary_little_endian 1.0\n{said}'
              f'element vertex {len(vertices)}\n{names}end_header\n')
    return header.encode('ascii', 'replace') + vertices.tobytes()


def write_ply(
    path: str | Path, points: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8],
) -> int:
    """
    Write a PLY file, see :func:`ply_bytes`, and return the number of points in it.

    :param path: file to write.
    :param points: (..., 3) float32 metres.
    :param rgb: (..., 3) uint8, same leading shape.
    """
    Path(path).write_bytes(ply_bytes(points, rgb))
    return int(np.isfinite(points.reshape(-1, 3)).all(axis=1).sum())
