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

from depth_anything_ros.core.glb import FLOAT, LINES, POINTS, Writer
from depth_anything_ros.reconstruction.scene import Scene
import numpy as np
import numpy.typing as npt

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
