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

"""A known room comes back from its views: in place, in metres, the same each time."""

from __future__ import annotations

from dataclasses import replace
from typing import Sequence

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.errors import InvalidImage, InvalidRequest
from depth_anything_ros.reconstruction.fusion import fuse
from depth_anything_ros.reconstruction.options import scene_options, SceneOptions
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from scene_world import CAMERA, COUNT, distance_to_room, exact_views, seen


def in_the_room(points: np.ndarray) -> np.ndarray:
    """Return points of a scene, which stands in the first camera's frame, in the room's frame."""
    pose = seen()[2][0]
    return points @ pose[:3, :3].T + pose[:3, 3]


def given(frames: Sequence[Frame] | None = None) -> Views:
    return exact_views(seen()[0] if frames is None else frames)


def test_the_cloud_lies_on_the_rooms_surfaces_and_the_cameras_where_they_were() -> None:
    scene = fuse(given(), SceneOptions())
    distances = distance_to_room(in_the_room(scene.points))
    assert np.percentile(distances, 95) < 0.005
    assert distances.max() < 0.01
    truth = np.linalg.inv(seen()[2][0]) @ seen()[2]
    np.testing.assert_allclose(scene.camera_to_world, truth, atol=1e-9)
    np.testing.assert_array_equal(scene.camera_to_world[0], np.eye(4))
    assert scene.kind is DepthKind.METRIC
    assert 0.9 * COUNT * CAMERA.width * CAMERA.height < len(scene.points) == scene.total_points
    # The cloud is as large as the room, so it was not merely empty where it is wrong.
    extent = np.ptp(in_the_room(scene.points), axis=0)
    assert (extent > (3.0, 3.0, 1.5)).all()


def test_points_wear_the_colours_of_their_pixels() -> None:
    views = given(seen()[0][:1])
    scene = fuse(views, SceneOptions())
    z = scene.points[:, 2]
    u = np.rint(scene.points[:, 0] / z * CAMERA.fx + CAMERA.cx).astype(int)
    v = np.rint(scene.points[:, 1] / z * CAMERA.fy + CAMERA.cy).astype(int)
    np.testing.assert_array_equal(scene.colours, views.rgb[0][v, u])


def test_the_same_views_give_the_same_points() -> None:
    options = SceneOptions(num_max_points=1000, voxel_size=0.02)
    first, second = fuse(given(), options), fuse(given(), options)
    assert first.points.tobytes() == second.points.tobytes()
    assert first.colours.tobytes() == second.colours.tobytes()
    assert len(first.points) == 1000


def test_a_subset_is_spread_over_all_views() -> None:
    scene = fuse(given(), SceneOptions(num_max_points=4000))
    whole = fuse(given(), SceneOptions())
    for few, many in zip(*(np.percentile(each.points, (5, 50, 95), axis=0)
                           for each in (scene, whole))):
        np.testing.assert_allclose(few, many, atol=0.15)


def test_statistics_are_those_of_the_depth_maps() -> None:
    depth = seen()[1]
    scene = fuse(given(), SceneOptions(remove_edges=False))
    for index, statistics in enumerate(scene.depths):
        assert statistics.minimum == depth[index].min()
        assert statistics.maximum == depth[index].max()
        assert statistics.median == pytest.approx(np.median(depth[index]))
    metadata = scene.metadata()
    assert metadata['depth_min'] == depth.min() and metadata['depth_max'] == depth.max()
    assert np.shape(metadata['extrinsics']) == (COUNT, 3, 4)
    assert np.shape(metadata['camera_to_world']) == (COUNT, 4, 4)
    assert np.shape(metadata['intrinsics']) == (COUNT, 3, 3)
    assert metadata['unit'] == 'm' and metadata['num_frames'] == COUNT
    assert metadata['num_points'] == len(scene.points)


def doubted() -> Views:
    """Return views whose confidence falls from left to right and whose upper half is sky."""
    views = given(seen()[0][:2])
    confidence = np.broadcast_to(
        np.linspace(2, 1, CAMERA.width, dtype=np.float32), views.depth.shape).copy()
    sky = np.zeros(views.depth.shape, np.bool_)
    sky[:, :CAMERA.height // 2] = True
    return replace(views, confidence=confidence, sky=sky)


def test_confidence_sky_and_invalid_pixels_are_left_out() -> None:
    everything = SceneOptions(
        conf_thresh_percentile=0, remove_sky=False, remove_edges=False)
    count = doubted().depth.size
    assert len(fuse(doubted(), everything).points) == count
    assert len(fuse(doubted(), replace(everything, remove_sky=True)).points) == count // 2
    surest = fuse(doubted(), replace(everything, conf_thresh_percentile=75.0))
    assert len(surest.points) == pytest.approx(count / 4, rel=0.02)
    assert surest.confidence is not None and surest.confidence.min() >= 1.75 - 0.01
    broken = doubted()
    broken.depth[0, :, :10] = (np.nan, np.inf, 0, -1, np.nan, np.inf, 0, -1, 0, 0)
    assert len(fuse(broken, everything).points) == count - 10 * CAMERA.height


def test_pixels_between_two_surfaces_are_left_out() -> None:
    views = given(seen()[0][:1])
    depth = np.full(views.depth.shape, 3.0, np.float32)
    depth[:, :, 50:] = 1.0
    depth[:, :, 49] = 2.0
    flying = replace(views, depth=depth)
    assert len(fuse(flying, SceneOptions(remove_edges=False)).points) == depth.size
    scene = fuse(flying, SceneOptions())
    assert len(scene.points) == depth.size - CAMERA.height
    assert set(np.unique(scene.points[:, 2])) == {1.0, 3.0}


def test_voxels_keep_one_point_each() -> None:
    scene = fuse(given(), SceneOptions(voxel_size=0.1))
    voxels = np.unique(np.floor(scene.points / np.float32(0.1)), axis=0)
    assert len(voxels) == len(scene.points) < scene.total_points / 4
    assert np.percentile(distance_to_room(in_the_room(scene.points)), 95) < 0.005


def test_a_relative_scene_has_no_unit() -> None:
    views = replace(given(), scale_law=ScaleLaw(DepthKind.RELATIVE))
    scene = fuse(views, SceneOptions())
    assert scene.kind is DepthKind.RELATIVE
    assert scene.metadata()['unit'] is None
    assert 'unknown scale' in scene.metadata()['scale_law']


def test_nothing_but_sky_is_refused() -> None:
    views = given()
    with pytest.raises(InvalidImage, match='no pixel of 8 image'):
        fuse(replace(views, sky=np.ones(views.depth.shape, np.bool_)), SceneOptions())


@pytest.mark.parametrize(('values', 'words'), [
    ({'conf_thresh_percentile': 100.0}, 'conf_thresh_percentile'),
    ({'conf_thresh_percentile': float('nan')}, 'conf_thresh_percentile'),
    ({'num_max_points': 0}, 'num_max_points'), ({'num_max_points': 10**9}, 'num_max_points'),
    ({'voxel_size': -1.0}, 'voxel_size'), ({'process_res_method': 'best'}, 'accepted'),
    ({'process_res': -1}, 'process_res'), ({'fov_deg': 200.0}, 'fov_deg')])
def test_options_that_cannot_be_meant_are_refused(values: dict, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        SceneOptions(**values)


def test_views_whose_parts_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidRequest, match='confidence of 8 views of 112x84'):
        replace(given(), confidence=np.ones((8, 84, 113), np.float32))
    broken = given()
    broken.extrinsics[3, 0, 0] = np.nan
    with pytest.raises(InvalidRequest, match='not finite'):
        replace(broken)


@pytest.mark.parametrize(('name', 'value'), [
    ('conf_thresh_percentile', 60.0), ('num_max_points', 100), ('voxel_size', 0.3),
    ('remove_sky', False), ('remove_edges', False)])
def test_each_setting_changes_the_scene(name: str, value: object) -> None:
    usual = fuse(doubted(), scene_options(Settings()))
    settings = changed(Settings(), {f'reconstruction.{name}': value})
    assert len(fuse(doubted(), scene_options(settings)).points) != len(usual.points)


def test_the_rooms_of_the_depth_and_camera_settings_are_kept() -> None:
    settings = changed(Settings(), {
        'depth.process_res': 140, 'depth.maximum': 7.0, 'camera.fov_deg': 80.0,
        'reconstruction.show_cameras': False})
    options = scene_options(settings)
    assert (options.process_res, options.maximum, options.fov_deg) == (140, 7.0, 80.0)
    assert not options.show_cameras
