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

"""The scene as the bytes of a file: GLB, PLY or npz."""

from __future__ import annotations

import io
import json
from typing import Any

from depth_anything_ros.core.pointcloud import ply_bytes as cloud_bytes
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.reconstruction.glb import glb_bytes
from depth_anything_ros.reconstruction.scene import Scene
import numpy as np
import numpy.typing as npt


def ply_bytes(scene: Scene) -> bytes:
    """
    Return the cloud as a binary PLY file: x, y, z, red, green, blue.

    In the optical frame of the first camera (x right, y down, z forward); the comments in the
    header name the unit and the model.
    """
    unit = 'metres' if scene.metadata()['unit'] else 'unknown'
    return cloud_bytes(
        scene.points, scene.colours,
        comments=(f'frame: optical frame of the first camera; unit: {unit}',
                  f'model: {scene.model}; {scene.scale_law}'))


def npz_bytes(scene: Scene) -> bytes:
    """
    Return everything as a compressed .npz file.

    Arrays ``points``, ``colours``, ``confidence`` (where there is one), ``extrinsics``,
    ``camera_to_world``, ``intrinsics``, and ``metadata``, a JSON text. The same scene gives the
    same bytes.
    """
    arrays: dict[str, npt.NDArray[Any]] = {
        'points': scene.points, 'colours': scene.colours, 'extrinsics': scene.extrinsics,
        'camera_to_world': scene.camera_to_world, 'intrinsics': scene.intrinsics,
        'metadata': np.array(json.dumps(scene.metadata()))}
    if scene.confidence is not None:
        arrays['confidence'] = scene.confidence
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


ENDINGS = ('.glb', '.ply', '.npz')
"""The files that a scene can be written as."""


def scene_bytes(scene: Scene, ending: str, *, show_cameras: bool = True) -> bytes:
    """
    Return the scene as a file of the format that an ending names.

    :param scene: what to write.
    :param ending: one of :data:`ENDINGS`.
    :param show_cameras: whether a GLB draws the cameras.
    :raises InvalidRequest: when it is another one.
    """
    check_ending(ending)
    if ending == '.glb':
        return glb_bytes(scene, show_cameras=show_cameras)
    return ply_bytes(scene) if ending == '.ply' else npz_bytes(scene)


def check_ending(ending: str) -> None:
    """
    Refuse an ending that names no format, before any work is done.

    :raises InvalidRequest: saying which ones do.
    """
    if ending not in ENDINGS:
        raise InvalidRequest(
            f'a scene cannot be written as {ending!r}; accepted: {", ".join(ENDINGS)}')
