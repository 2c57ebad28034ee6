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

"""The scene as a glTF 2.0 binary (GLB): one cloud, one frustum per camera."""

from __future__ import annotations

import colorsys
import json
import struct
from typing import Any

from depth_anything_ros.reconstruction.scene import Scene
import numpy as np
import numpy.typing as npt

FLOAT, UNSIGNED_BYTE = 5126, 5121
POINTS, LINES = 0, 1
ARRAY_BUFFER = 34962
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942

FRUSTUM_SHARE = 0.03
"""Depth of a drawn frustum as a part of the diagonal of the cloud's middle 90 percent."""

TO_GLTF: npt.NDArray[np.float64] = np.diag((1.0, -1.0, -1.0, 1.0))
"""From an optical frame (x right, y down, z forward) to glTF's axes (y up, z backward)."""

EDGES = ((0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1))
"""Segments of a frustum: its tip is 0, the corners of the image 1 to 4."""


def alignment(scene: Scene) -> npt.NDArray[np.float64]:
    """
    Return the 4x4 from the scene's frame to the GLB's.

    The first camera's axes become glTF's and the median point the origin.
    """
    result: npt.NDArray[np.float64] = TO_GLTF.copy()
    result[:3, 3] = -result[:3, :3] @ np.median(scene.points, axis=0).astype(np.float64)
    return result


def frustums(scene: Scene) -> npt.NDArray[np.float32]:
    """
    Return the 8 segments of every camera, from its centre to the corners of its image and around.

    :returns: (N, 8, 2, 3) float32 in the scene's frame.
    """
    width, height = scene.size
    low, high = np.percentile(scene.points, (5, 95), axis=0)
    depth = FRUSTUM_SHARE * float(np.linalg.norm(high - low)) or 1.0
    pixels = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)], np.float64)
    rays = pixels @ np.linalg.inv(scene.intrinsics).transpose(0, 2, 1)
    local = np.concatenate([np.zeros((len(rays), 1, 3)), rays * depth], axis=1)
    poses = scene.camera_to_world
    world = local @ poses[:, :3, :3].transpose(0, 2, 1) + poses[:, None, :3, 3]
    segments: npt.NDArray[np.float32] = world[:, np.array(EDGES)].astype(np.float32)
    return segments


def glb_bytes(scene: Scene, *, show_cameras: bool = True, confidence: bool = False) -> bytes:
    """
    Return the scene as the bytes of a .glb file.

    One POINTS primitive with POSITION float32 and COLOR_0 uint8 RGBA, 16 bytes a point, and per
    camera one LINES primitive of 8 segments. The node's coordinates are those of
    :func:`alignment`, which ``extras.hf_alignment`` of the glTF scene holds row by row. The same
    scene gives the same bytes.

    :param scene: what to write.
    :param show_cameras: whether the cameras are drawn.
    :param confidence: whether the points carry theirs, as ``_CONFIDENCE`` float32, where there is
        one: 4 more bytes a point.
    """
    align = alignment(scene)
    writer = Writer()
    attributes = writer.vertices(moved(scene.points, align), scene.colours)
    if confidence and scene.confidence is not None:
        attributes['_CONFIDENCE'] = writer.add(scene.confidence[:, None], 'SCALAR', FLOAT)
    writer.node('points', attributes, POINTS)
    if show_cameras:
        count = len(scene.extrinsics)
        for index, segments in enumerate(frustums(scene)):
            ends = moved(segments.reshape(-1, 3), align)
            hue = colorsys.hsv_to_rgb((index + 0.5) / count, 1.0, 1.0)
            colour = np.round(np.array(hue) * 255).astype(np.uint8)
            attributes = writer.vertices(ends, np.tile(colour, (len(ends), 1)))
            writer.node(f'camera_{index}', attributes, LINES)
    return writer.finished({'hf_alignment': align.tolist()})


def moved(
    points: npt.NDArray[np.float32], transform: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """Return (P, 3) points under a 4x4 transform."""
    result: npt.NDArray[np.float32] = (
        points @ transform[:3, :3].T + transform[:3, 3]).astype(np.float32)
    return result


class Writer:
    """Collects meshes and their one buffer, and writes them as GLB."""

    def __init__(self) -> None:
        """Begin with an empty file."""
        self._parts: list[bytes] = []
        self._size = 0
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []
        self._meshes: list[dict[str, Any]] = []
        self._nodes: list[dict[str, Any]] = []

    def vertices(
        self, positions: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8],
    ) -> dict[str, int]:
        """
        Add coloured vertices and return their attributes.

        :param positions: (P, 3) float32, at least one.
        :param rgb: (P, 3) uint8.
        """
        rgba = np.full((len(rgb), 4), 255, np.uint8)
        rgba[:, :3] = rgb
        return {'POSITION': self.add(positions, 'VEC3', FLOAT, bounds=True),
                'COLOR_0': self.add(rgba, 'VEC4', UNSIGNED_BYTE, normalised=True)}

    def add(
        self, values: npt.NDArray[Any], kind: str, component: int, *, bounds: bool = False,
        normalised: bool = False,
    ) -> int:
        """
        Add an array to the buffer and return the index of its accessor.

        :param values: (P, C) float32 or uint8, rows of a multiple of 4 bytes.
        :param kind: glTF's name of a row, such as VEC3.
        :param component: glTF's number of the type.
        :param bounds: whether the smallest and largest row are written, as positions need it.
        :param normalised: whether integers mean 0 to 1.
        """
        little = values.astype(values.dtype.newbyteorder('<'), copy=False)
        data = np.ascontiguousarray(little).tobytes()
        self._views.append({'buffer': 0, 'byteOffset': self._size, 'byteLength': len(data),
                            'target': ARRAY_BUFFER})
        self._parts.append(data)
        self._size += len(data)
        accessor: dict[str, Any] = {
            'bufferView': len(self._views) - 1, 'componentType': component,
            'count': len(values), 'type': kind}
        if normalised:
            accessor['normalized'] = True
        if bounds:
            accessor['min'] = values.min(axis=0).tolist()
            accessor['max'] = values.max(axis=0).tolist()
        self._accessors.append(accessor)
        return len(self._accessors) - 1

    def node(self, name: str, attributes: dict[str, int], mode: int) -> None:
        """Add a named node with a mesh of one primitive."""
        self._nodes.append({'name': name, 'mesh': len(self._meshes)})
        self._meshes.append(
            {'name': name, 'primitives': [{'attributes': attributes, 'mode': mode}]})

    def finished(self, extras: dict[str, Any]) -> bytes:
        """Return the file; ``extras`` are those of its scene."""
        document = {
            'asset': {'version': '2.0', 'generator': 'depth_anything_ros'},
            'scene': 0,
            'scenes': [{'nodes': list(range(len(self._nodes))), 'extras': extras}],
            'nodes': self._nodes, 'meshes': self._meshes, 'accessors': self._accessors,
            'bufferViews': self._views, 'buffers': [{'byteLength': self._size}],
        }
        text = json.dumps(document, separators=(',', ':'), allow_nan=False).encode('utf-8')
        text += b' ' * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + self._size
        return b''.join((
            b'glTF', struct.pack('<II', 2, total), struct.pack('<II', len(text), JSON_CHUNK), text,
            struct.pack('<II', self._size, BINARY_CHUNK), *self._parts))
