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

"""A point cloud as one file: PLY, PCD, GLB, or the bare bytes of its points."""

from __future__ import annotations

from typing import Callable, Mapping, Sequence

from depth_anything_ros.core.glb import POINTS, Writer
from depth_anything_ros.wire.arrays import little_endian, raw_bytes
import numpy as np
import numpy.typing as npt

Cloud = npt.NDArray[np.float32]
"""(N, 4) or (H, W, 4): x, y, z in the optical frame and the bits of 0x00RRGGBB."""


def listed(cloud: Cloud) -> Cloud:
    """Return the valid points as a list (N, 4), in row order."""
    valid = np.isfinite(cloud[..., :3]).all(axis=-1)
    # By integers: copied as floats, the bits of a colour may change.
    return cloud.view(np.uint32)[valid].view(np.float32)


def colours(points: Cloud) -> npt.NDArray[np.uint8]:
    """Return the colours of points, (N, 3) uint8 RGB."""
    packed = points.view(np.uint32)[:, 3]
    return np.stack([packed >> 16, packed >> 8, packed], axis=1).astype(np.uint8)


def raw_cloud(cloud: Cloud, remarks: Sequence[str]) -> bytes | memoryview:
    """Return the points as they are: float32 x, y, z and uint32 0x00RRGGBB, 16 bytes each."""
    return raw_bytes(little_endian(cloud))


def ply_cloud(cloud: Cloud, remarks: Sequence[str]) -> bytes:
    """
    Return a binary PLY of the valid points.

    :param cloud: the points.
    :param remarks: lines of ASCII text for its header: unit, frame, model.
    """
    points = listed(cloud)
    vertices = np.empty(len(points), np.dtype([('xyz', '<f4', 3), ('rgb', 'u1', 3)]))
    vertices['xyz'], vertices['rgb'] = points[:, :3], colours(points)
    lines = ['ply', 'format binary_little_endian 1.0', *(f'comment {text}' for text in remarks),
             f'element vertex {len(points)}', *(f'property float {axis}' for axis in 'xyz'),
             *(f'property uchar {colour}' for colour in ('red', 'green', 'blue')), 'end_header\n']
    return '\n'.join(lines).encode('ascii', 'replace') + vertices.tobytes()


def pcd_cloud(cloud: Cloud, remarks: Sequence[str]) -> bytes:
    """
    Return a binary PCD, organised where the cloud is.

    :param cloud: the points; NaN where there is none.
    :param remarks: lines of ASCII text for its header.
    """
    height, width = cloud.shape[:2] if cloud.ndim == 3 else (1, len(cloud))
    lines = ['# .PCD v0.7 - Point Cloud Data file format', *(f'# {text}' for text in remarks),
             'VERSION 0.7', 'FIELDS x y z rgb', 'SIZE 4 4 4 4', 'TYPE F F F U', 'COUNT 1 1 1 1',
             f'WIDTH {width}', f'HEIGHT {height}', 'VIEWPOINT 0 0 0 1 0 0 0',
             f'POINTS {width * height}', 'DATA binary\n']
    data = raw_bytes(little_endian(np.ascontiguousarray(cloud)))
    return '\n'.join(lines).encode('ascii', 'replace') + bytes(data)


def glb_cloud(cloud: Cloud, remarks: Sequence[str]) -> bytes:
    """
    Return a binary glTF 2.0 of the valid points, turned to its axes: x right, y up, z backward.

    :param cloud: the points.
    :param remarks: texts for its ``asset.extras``.
    """
    points = listed(cloud)
    writer = Writer()
    if len(points):
        positions = points[:, :3] * np.array([1, -1, -1], np.float32)
        writer.node('points', writer.vertices(positions, colours(points)), POINTS)
    return writer.finished(remarks=remarks)


FORMS: Mapping[str, tuple[str, Callable[[Cloud, Sequence[str]], bytes | memoryview]]] = {
    'ply': ('application/x-ply', ply_cloud),
    'pcd': ('application/x-pcd', pcd_cloud),
    'glb': ('model/gltf-binary', glb_cloud),
    'raw': ('application/octet-stream', raw_cloud),
}
"""Media type and writer of each form, by its short name; the first is the default."""
