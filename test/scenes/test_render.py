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

from __future__ import annotations

from dataclasses import replace
import math

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.scenes import demo_rooms, make_room, random_view, render, Room
from depth_anything_ros.scenes.solids import Box, Cylinder, Sphere
from depth_anything_ros.scenes.trajectory import pose
import numpy as np
import numpy.typing as npt
import pytest
from scene_parts import bare_room, CAMERA, GREY, LEVEL

Array = npt.NDArray[np.float64]


def test_walls_floor_and_ceiling_of_a_bare_room_are_exact() -> None:
    depth = render(bare_room(), LEVEL, CAMERA).depth
    u, v = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    right, down = (u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy
    with np.errstate(divide='ignore'):
        expected = np.minimum.reduce([
            np.full(u.shape, 4.0), 3.0 / np.abs(right),
            np.where(down > 0, 1.0, 1.5) / np.abs(down)])
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, expected, rtol=2e-6)


@pytest.mark.parametrize(('solid', 'expected'), [
    (Box((3.0, 0.0, 1.0), (1.0, 2.0, 1.0), GREY), 2.5),
    (Box((3.0, 0.0, 1.0), (1.0, 1.0, 1.0), GREY, math.pi / 4), 3.0 - math.sqrt(0.5)),
    (Sphere((2.0, 0.0, 1.0), 0.4, GREY), 1.6),
    (Cylinder((2.0, 0.0, 1.0), 0.3, 0.8, GREY), 1.7),
])
def test_the_central_ray_meets_a_solid_where_geometry_says(
    solid: Box | Sphere | Cylinder, expected: float,
) -> None:
    depth = render(bare_room(solid), LEVEL, CAMERA).depth
    assert depth[40, 50] == pytest.approx(expected, rel=1e-6)


def test_a_sphere_is_exact_in_every_pixel() -> None:
    centre, radius = np.array([2.0, 0.3, 1.1]), 0.5
    room = bare_room(Sphere((2.0, 0.3, 1.1), radius, GREY))
    depth = render(room, LEVEL, CAMERA).depth.astype(np.float64)
    empty = render(bare_room(), LEVEL, CAMERA).depth
    u, v = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy,
                     np.ones(u.shape)], axis=-1) @ LEVEL[:3, :3].T
    offset = LEVEL[:3, 3] - centre
    a, b = (rays ** 2).sum(-1), rays @ offset
    under = b * b - a * (offset @ offset - radius ** 2)
    hit = under > 1e-3
    assert hit.sum() > 500
    np.testing.assert_allclose(depth[hit], ((-b - np.sqrt(np.abs(under))) / a)[hit], rtol=1e-5)
    missed = under < -1e-3
    np.testing.assert_array_equal(depth[missed], empty[missed])


def distances(room: Room, points: Array) -> Array:
    """Return the signed distance of (N, 3) world points to the nearest surface, < 0 inside."""
    length, width, height = room.size
    x, y, z = points.T
    result = np.minimum.reduce([length / 2 - np.abs(x), width / 2 - np.abs(y), z, height - z])
    for solid in room.solids:
        cos, sin = math.cos(solid.yaw), math.sin(solid.yaw)
        local = points - solid.centre
        local = np.stack([cos * local[:, 0] + sin * local[:, 1],
                          cos * local[:, 1] - sin * local[:, 0], local[:, 2]], axis=1)
        if isinstance(solid, Box):
            over = np.abs(local) - np.array(solid.half)
            away = np.linalg.norm(np.maximum(over, 0), axis=1) + np.minimum(over.max(1), 0)
        elif isinstance(solid, Sphere):
            away = np.linalg.norm(local, axis=1) - solid.radius
        else:
            assert isinstance(solid, Cylinder)
            away = np.maximum(np.hypot(local[:, 0], local[:, 1]) - solid.radius,
                              np.abs(local[:, 2]) - solid.height / 2)
        result = np.minimum(result, away)
    return np.asarray(result)


@pytest.mark.parametrize('seed', [3, 14, 77])
def test_depth_ends_on_the_first_surface_of_a_furnished_room(seed: int) -> None:
    room = make_room(seed)
    camera = Intrinsics.from_fov(70, 96, 72)
    for index in range(3):
        view = random_view(room, np.random.default_rng(index))
        points = unproject(render(room, view, camera).depth, camera).reshape(-1, 3)
        ends = points.astype(np.float64) @ view[:3, :3].T + view[:3, 3]
        assert np.abs(distances(room, ends)).max() < 1e-4
        for part in np.linspace(0.05, 0.98, 12):
            on_the_way = view[:3, 3] + part * (ends - view[:3, 3])
            assert distances(room, on_the_way).min() > -1e-5


def test_a_crop_of_the_camera_gives_the_crop_of_the_depth() -> None:
    room = demo_rooms()[2]
    view = random_view(room, np.random.default_rng(0))
    whole = render(room, view, CAMERA)
    window = render(room, view, CAMERA.cropped(31, 22, 40, 30))
    np.testing.assert_allclose(window.depth, whole.depth[22:52, 31:71], rtol=1e-6)
    same = np.abs(window.rgb.astype(int) - whole.rgb[22:52, 31:71]).max(axis=2) <= 1
    assert same.mean() > 0.995


def test_a_larger_image_sees_the_same_metres() -> None:
    room = demo_rooms()[4]
    view = random_view(room, np.random.default_rng(0))
    small = render(room, view, CAMERA).depth
    large = render(room, view, CAMERA.resized(CAMERA.width * 3, CAMERA.height * 2)).depth
    same = np.isclose(large[::2, ::3], small, rtol=1e-5)
    assert same.mean() > 0.998


def test_a_rolled_camera_sees_the_rolled_picture() -> None:
    room = demo_rooms()[1]
    view = random_view(room, np.random.default_rng(0))
    camera = Intrinsics(80.0, 80.0, 40.0, 40.0, 81, 81)
    upright = render(room, view, camera).depth
    rolled = view.copy()
    # Rolled by a quarter: its x axis is the upright camera's y axis (down).
    rolled[:3, 0], rolled[:3, 1] = view[:3, 1], -view[:3, 0]
    turned = render(room, rolled, camera).depth
    same = np.isclose(turned, np.rot90(upright), rtol=1e-5)
    assert same.mean() > 0.998


def test_the_same_seed_gives_the_same_picture() -> None:
    pictures = [render(room, random_view(room, np.random.default_rng(5)), CAMERA)
                for room in (make_room(21), make_room(21), make_room(22))]
    np.testing.assert_array_equal(pictures[0].rgb, pictures[1].rgb)
    np.testing.assert_array_equal(pictures[0].depth, pictures[1].depth)
    assert not np.array_equal(pictures[0].depth, pictures[2].depth)


def test_more_rays_per_pixel_smooth_the_picture_and_keep_the_depth() -> None:
    room = demo_rooms()[0]
    view = random_view(room, np.random.default_rng(2))
    plain, smooth = render(room, view, CAMERA), render(room, view, CAMERA, supersample=2)
    np.testing.assert_array_equal(plain.depth, smooth.depth)
    difference = np.abs(plain.rgb.astype(int) - smooth.rgb)
    assert 0.05 < difference.mean() < 5


def test_a_picture_has_light_texture_and_colour() -> None:
    for room in demo_rooms():
        rgb = render(room, random_view(room, np.random.default_rng(1)), CAMERA).rgb
        assert rgb.shape == (CAMERA.height, CAMERA.width, 3)
        assert 60 < rgb.mean() < 220
        assert rgb.std() > 8
        assert (rgb.max(axis=2) == 255).mean() < 0.3


def test_a_brighter_lamp_gives_a_brighter_picture() -> None:
    room = demo_rooms()[0]
    view = random_view(room, np.random.default_rng(1))
    dim = render(replace(room, brightness=0.5), view, CAMERA).rgb.mean()
    assert dim < 0.85 * render(room, view, CAMERA).rgb.mean()


def test_a_camera_outside_the_room_is_refused() -> None:
    with pytest.raises(InvalidRequest, match='outside the room'):
        render(bare_room(), pose(9.0, 0.0, 1.0, 0.0, 0.0), CAMERA)


def test_less_than_one_ray_per_pixel_is_refused() -> None:
    with pytest.raises(InvalidRequest, match='supersample'):
        render(bare_room(), LEVEL, CAMERA, supersample=0)
