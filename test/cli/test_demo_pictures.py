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

from depth_anything_ros.cli.demo_cloud import BACKGROUND, draw_cloud, open_side, side_view, splat
from depth_anything_ros.cli.demo_pictures import (
    depth_scale,
    error_colours,
    PANEL_HEIGHT,
    side_by_side,
)
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.preview import colourise
import numpy as np
import pytest

SIZE = (120, 90)


def one_point(depth):
    return np.array([3.5]), np.array([2.5]), np.array([depth]), np.array([0.5])


def test_the_nearest_point_of_a_pixel_is_drawn():
    u, v, _, radius = (np.repeat(item, 3) for item in one_point(0.0))
    depth = np.array([2.0, 1.0, 3.0])
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    picture = splat(u, v, depth, radius, colours, (8, 6))
    assert picture[2, 3].tolist() == [0, 255, 0]
    assert (picture.reshape(-1, 3) == BACKGROUND).all(axis=1).sum() == 8 * 6 - 1


def test_a_near_large_point_covers_a_far_small_one():
    u, v = np.array([3.5, 4.5]), np.array([2.5, 2.5])
    colours = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)
    picture = splat(u, v, np.array([1.0, 2.0]), np.array([1.5, 0.5]), colours, (8, 6))
    assert picture[2, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize('distance', [0.5, 3.0, 50.0])
def test_the_whole_cloud_and_the_camera_are_in_the_picture(distance):
    camera = Intrinsics.from_fov(70, 64, 48)
    points = unproject(np.full((48, 64), distance, np.float32), camera)
    pose = side_view(points.reshape(-1, 3), SIZE[0] / SIZE[1])
    seen = np.vstack([points.reshape(-1, 3), np.zeros((1, 3))]) @ pose[:3, :3].T + pose[:3, 3]
    view = Intrinsics.from_fov(55, *SIZE)
    u, v = seen[:, 0] / seen[:, 2] * view.fx + view.cx, seen[:, 1] / seen[:, 2] * view.fy + view.cy
    assert (seen[:, 2] > 0).all()
    inside = (u >= 0) & (u < SIZE[0]) & (v >= 0) & (v < SIZE[1])
    assert inside.mean() > 0.98 and inside[-1]


def test_the_viewpoint_is_on_the_side_where_less_is_in_the_way():
    camera = Intrinsics.from_fov(70, 64, 48)
    depth = np.full((48, 64), 4.0, np.float32)
    depth[:, 40:] = 1.5
    points = unproject(depth, camera).reshape(-1, 3)
    mirrored = points * np.float32([-1, 1, 1])
    assert (open_side(points), open_side(mirrored)) == (-1, 1)
    for cloud, side in ((points, -1), (mirrored, 1)):
        pose = side_view(cloud, 1.5)
        assert np.sign((-pose[:3, :3].T @ pose[:3, 3])[0]) == side


def test_the_cloud_is_drawn_and_invalid_points_are_not():
    camera = Intrinsics.from_fov(70, 64, 48)
    depth = np.full((48, 64), 2.0, np.float32)
    depth[:, :32] = np.nan
    colours = np.full((48, 64, 3), (255, 0, 0), np.uint8)
    colours[:, :32] = (0, 255, 0)
    points = unproject(depth, camera)
    pose = side_view(points[np.isfinite(points[..., 2])], SIZE[0] / SIZE[1])
    picture = draw_cloud(points, colours, camera, pose, SIZE)
    assert picture.shape == (90, 120, 3)
    red = (picture == (255, 0, 0)).all(axis=-1)
    assert red.mean() > 0.05
    assert not (picture == (0, 255, 0)).all(axis=-1).any()


def test_panels_are_image_depth_and_error():
    rgb = np.full((60, 80, 3), 90, np.uint8)
    depth = np.full((60, 80), 2.0, np.float32)
    two = side_by_side(rgb, depth)
    three = side_by_side(rgb, depth, depth)
    relative = side_by_side(rgb, depth, depth, metric=False)
    assert two.shape[0] > PANEL_HEIGHT
    assert three.shape[1] > 1.4 * two.shape[1] and relative.shape == two.shape


def test_the_bar_has_the_colours_of_the_depth_panel():
    bar, ticks = depth_scale(1.0, 4.0, True)
    place, text = ticks[3]
    assert text == '3 m'
    depth = np.array([[1.0, 3.0, 4.0]], np.float32)
    colour = colourise(depth, nearest=1.0, farthest=4.0)[0, 1].astype(int)
    assert np.abs(bar[0, round(place * 255)].astype(int) - colour).max() <= 6


def test_errors_get_brighter_and_unknown_ones_are_black():
    colours = error_colours(np.array([[0.0, 0.2, 0.5, 3.0, np.nan]], np.float32))[0].astype(int)
    brightness = colours.sum(axis=1)
    assert brightness[0] < brightness[1] < brightness[2] == brightness[3]
    assert brightness[4] == 0
