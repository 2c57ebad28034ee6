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

"""GLB by rule W14, read back by others; PLY and npz."""

from __future__ import annotations

from dataclasses import replace
import io
import json
from pathlib import Path
import struct
from typing import Any

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.reconstruction.export import npz_bytes, ply_bytes
from depth_anything_ros.reconstruction.files import save_scene, written
from depth_anything_ros.reconstruction.fusion import fuse
from depth_anything_ros.reconstruction.glb import alignment, glb_bytes
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.reconstruction.scene import Scene
from gltf_validator import report
import numpy as np
import pytest
from scene_world import CAMERA, COUNT, exact_views, seen
import trimesh


def room() -> Scene:
    return fuse(exact_views(seen()[0]), SceneOptions())


def document(glb: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the JSON and the buffer of a GLB, read by the letter of its specification."""
    magic, version, total = struct.unpack_from('<4sII', glb)
    assert (magic, version, total) == (b'glTF', 2, len(glb))
    size, kind = struct.unpack_from('<I4s', glb, 12)
    assert kind == b'JSON' and size % 4 == 0
    text = json.loads(glb[20:20 + size])
    length, kind = struct.unpack_from('<I4s', glb, 20 + size)
    assert kind == b'BIN\0' and length == text['buffers'][0]['byteLength']
    return text, glb[28 + size:]


def loaded(glb: bytes) -> trimesh.Scene:
    return trimesh.load(io.BytesIO(glb), file_type='glb')


@pytest.mark.parametrize('options', [
    {}, {'show_cameras': False}, {'confidence': True}], ids=str)
def test_w14_the_khronos_validator_finds_nothing(options: dict[str, bool]) -> None:
    views = exact_views(seen()[0])
    sure = np.random.default_rng(0).random(views.depth.shape, np.float32) + 1
    scene = fuse(replace(views, confidence=sure), SceneOptions(num_max_points=5000))
    found = report(glb_bytes(scene, **options))
    assert found['issues']['numErrors'] == found['issues']['numWarnings'] == 0, found['issues']
    assert found['info']['version'] == '2.0'
    assert found['info']['drawCallCount'] == (1 if 'show_cameras' in options else 1 + COUNT)


def test_the_validator_would_say_so() -> None:
    glb = bytearray(glb_bytes(room()))
    at = glb.index(b'"VEC3"')
    glb[at:at + 6] = b'"VEC4"'
    assert report(bytes(glb))['issues']['numErrors'] > 0


def test_w14_form() -> None:
    scene = room()
    text, buffer = document(glb_bytes(scene))
    primitives = [mesh['primitives'] for mesh in text['meshes']]
    assert [[item['mode'] for item in each] for each in primitives] == [[0]] + [[1]] * COUNT
    points = primitives[0][0]['attributes']
    position, colour = (text['accessors'][points[key]] for key in ('POSITION', 'COLOR_0'))
    assert (position['type'], position['componentType']) == ('VEC3', 5126)
    assert (colour['type'], colour['componentType'], colour['normalized']) == ('VEC4', 5121, True)
    assert position['count'] == colour['count'] == len(scene.points)
    views = [text['bufferViews'][each['bufferView']] for each in (position, colour)]
    assert sum(view['byteLength'] for view in views) == 16 * len(scene.points)
    for each in primitives[1:]:
        count = text['accessors'][each[0]['attributes']['POSITION']]['count']
        assert count == 16  # 8 segments
    rgba = np.frombuffer(buffer, np.uint8, views[1]['byteLength'], views[1]['byteOffset'])
    np.testing.assert_array_equal(rgba.reshape(-1, 4)[:, :3], scene.colours)
    assert (rgba.reshape(-1, 4)[:, 3] == 255).all()
    hint = np.array(text['scenes'][0]['extras']['hf_alignment'])
    np.testing.assert_allclose(hint, alignment(scene))


def test_w14_the_same_scene_gives_the_same_bytes() -> None:
    few = SceneOptions(num_max_points=777)
    first, second = (glb_bytes(fuse(exact_views(seen()[0]), few)) for _ in range(2))
    assert first == second
    assert len(loaded(first).geometry['points'].vertices) == 777


def test_trimesh_reads_points_colours_and_cameras() -> None:
    scene = room()
    back = loaded(glb_bytes(scene))
    cloud = back.geometry['points']
    align = alignment(scene)
    expected = scene.points @ align[:3, :3].T + align[:3, 3]
    np.testing.assert_allclose(cloud.vertices, expected, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(cloud.colors)[:, :3], scene.colours)
    np.testing.assert_allclose(np.median(cloud.vertices, axis=0), 0, atol=1e-4)
    poses = scene.camera_to_world
    cameras = [name for name in back.geometry if name.startswith('camera_')]
    assert len(cameras) == COUNT
    for index in range(COUNT):
        vertices = np.asarray(back.geometry[f'camera_{index}'].vertices)
        centre = align[:3, :3] @ poses[index, :3, 3] + align[:3, 3]
        # The tip of the frustum stands where the camera was, its corners in front of it.
        assert np.linalg.norm(vertices - centre, axis=1).min() < 1e-4
        ahead = (vertices - centre) @ (align[:3, :3] @ poses[index, :3, 2])
        corners = vertices[ahead > 1e-3]
        assert len(np.unique(corners.round(5), axis=0)) == 4
        down = align[:3, :3] @ poses[index, :3, 1]
        height = np.ptp((corners - centre) @ down)
        assert height / ahead.max() == pytest.approx(CAMERA.height / CAMERA.fy, rel=1e-3)


def test_the_axes_are_those_of_gltf() -> None:
    # Red on the right, green at the top, blue far away: none of it is symmetric.
    depth = np.full((1, 30, 40), 2.0, np.float32)
    rgb = np.zeros((1, 30, 40, 3), np.uint8)
    rgb[:, :, 30:] = (255, 0, 0)
    rgb[:, :10, :30] = (0, 255, 0)
    depth[:, 20:, :10] = 5.0
    rgb[:, 20:, :10] = (0, 0, 255)
    camera = np.array([[[40.0, 0, 20], [0, 40, 15], [0, 0, 1]]])
    views = Views(rgb, depth, camera, np.eye(4)[None, :3], ScaleLaw(DepthKind.METRIC), 'exact')
    cloud = loaded(glb_bytes(fuse(views, SceneOptions(remove_edges=False)))).geometry['points']
    colours = np.asarray(cloud.colors)[:, :3]
    red, green, blue = (
        np.asarray(cloud.vertices)[colours[:, channel] == 255].mean(axis=0)
        for channel in range(3))
    assert red[0] > 0.5 > green[0]  # x points right
    assert green[1] > 0.25 > red[1]  # y points up
    assert blue[2] < -2.5 < red[2]  # z points backward


def test_a_single_point_is_a_scene() -> None:
    views = exact_views(seen()[0][:1])
    depth = np.full_like(views.depth, np.nan)
    depth[0, 40, 50] = 2.0
    scene = fuse(replace(views, depth=depth), SceneOptions())
    assert report(glb_bytes(scene))['issues']['numErrors'] == 0
    np.testing.assert_allclose(loaded(glb_bytes(scene)).geometry['points'].vertices, [[0, 0, 0]])


def test_trimesh_reads_the_ply() -> None:
    scene = room()
    cloud = trimesh.load(io.BytesIO(ply_bytes(scene)), file_type='ply')
    np.testing.assert_array_equal(cloud.vertices.astype(np.float32), scene.points)
    np.testing.assert_array_equal(np.asarray(cloud.colors)[:, :3], scene.colours)
    assert b'unit: metres' in ply_bytes(scene)[:400]
    relative = replace(scene, kind=DepthKind.RELATIVE)
    assert b'unit: unknown' in ply_bytes(relative)[:400]


def test_npz_has_everything_and_the_same_bytes() -> None:
    scene = replace(room(), confidence=np.ones(len(room().points), np.float32))
    assert npz_bytes(scene) == npz_bytes(scene)
    with np.load(io.BytesIO(npz_bytes(scene)), allow_pickle=False) as back:
        for name in ('points', 'colours', 'confidence', 'extrinsics', 'intrinsics'):
            np.testing.assert_array_equal(back[name], getattr(scene, name))
        assert back['camera_to_world'].shape == (COUNT, 4, 4)
        assert json.loads(str(back['metadata']))['num_points'] == len(scene.points)


def test_files_of_a_scene_are_new_ones(tmp_path: Path) -> None:
    scene = room()
    first = save_scene(scene, str(tmp_path / 'new'), 'scene_5', show_cameras=False)
    second = save_scene(scene, str(tmp_path / 'new'), 'scene_5', show_cameras=False)
    assert [path.name for path in first + second] == [
        'scene_5.glb', 'scene_5.ply', 'scene_5_1.glb', 'scene_5_1.ply']
    for one, other in zip(first, second):
        assert one.read_bytes() == other.read_bytes()


def test_no_part_of_a_file_is_left(tmp_path: Path) -> None:
    wrong: Any = 'not bytes'
    with pytest.raises(TypeError):
        written(tmp_path, 'scene', '.glb', wrong)
    assert list(tmp_path.iterdir()) == []
