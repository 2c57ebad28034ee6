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

"""The bytes of a glTF 2.0 binary (GLB): coloured vertices as points and lines."""

from __future__ import annotations

import json
import struct
from typing import Any, Sequence

import numpy as np
import numpy.typing as npt

FLOAT, UNSIGNED_BYTE = 5126, 5121
POINTS, LINES = 0, 1
ARRAY_BUFFER = 34962
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942


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

    def finished(
        self, extras: dict[str, Any] | None = None, remarks: Sequence[str] = (),
    ) -> bytes:
        """
        Return the file.

        :param extras: those of its scene.
        :param remarks: texts for the extras of its asset.
        """
        asset: dict[str, Any] = {'version': '2.0', 'generator': 'depth_anything_ros'}
        if remarks:
            asset['extras'] = {'remarks': [*remarks]}
        scene: dict[str, Any] = {'extras': extras} if extras else {}
        document: dict[str, Any] = {'asset': asset, 'scene': 0, 'scenes': [scene]}
        binary: tuple[bytes, ...] = ()
        # No list of glTF may be empty, and no buffer.
        if self._nodes:
            scene['nodes'] = list(range(len(self._nodes)))
            document |= {
                'nodes': self._nodes, 'meshes': self._meshes, 'accessors': self._accessors,
                'bufferViews': self._views, 'buffers': [{'byteLength': self._size}]}
            binary = (struct.pack('<II', self._size, BINARY_CHUNK), *self._parts)
        text = json.dumps(document, separators=(',', ':'), allow_nan=False).encode('utf-8')
        text += b' ' * (-len(text) % 4)
        total = 12 + 8 + len(text) + sum(map(len, binary))
        return b''.join((
            b'glTF', struct.pack('<II', 2, total), struct.pack('<II', len(text), JSON_CHUNK), text,
            *binary))
