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

from depth_anything_ros.scenes.materials import Material, TEXTURES
from depth_anything_ros.scenes.textures import bricks, door, line, tiles
import numpy as np
import pytest

FINE = 1e-4


def across(start: float, stop: float, count: int = 4000) -> np.ndarray[tuple[int], np.dtype[
        np.float32]]:
    return np.linspace(start, stop, count, endpoint=False, dtype=np.float32)


def constant(like: np.ndarray[tuple[int], np.dtype[np.float32]], value: float) -> np.ndarray[
        tuple[int], np.dtype[np.float32]]:
    return np.full(like.shape, value, np.float32)


def test_tiles_have_joints_at_multiples_of_their_size_and_nowhere_else() -> None:
    u = across(0.1, 2.1)
    joint, _ = tiles(u, constant(u, 0.2), constant(u, FINE), (0.4, 0.4), 0)
    offset = np.abs(u / 0.4 - np.round(u / 0.4)) * 0.4
    np.testing.assert_array_equal(joint[offset < 0.003], 1)
    np.testing.assert_array_equal(joint[offset > 0.005], 0)


def test_every_second_course_of_bricks_is_shifted_by_half_a_brick() -> None:
    u = across(0.0, 2.0)
    size = (0.25, 0.075)
    first, _ = bricks(u, constant(u, 0.0375), constant(u, FINE), size, 0)
    second, _ = bricks(u, constant(u, 0.1125), constant(u, FINE), size, 0)
    assert np.mean(first * second) == 0
    np.testing.assert_allclose(np.interp(u[:3500] + 0.125, u, first), second[:3500], atol=0.7)
    assert first.sum() == pytest.approx(second.sum(), rel=0.02)


@pytest.mark.parametrize('pixel', [1e-4, 0.004, 0.02, 0.1])
def test_a_line_keeps_its_mean_when_pixels_are_wider(pixel: float) -> None:
    position = across(-0.5, 0.5, 100_000)
    covered = line(position, 0.01, constant(position, pixel))
    assert covered.mean() == pytest.approx(0.02, rel=0.02)
    assert covered.max() <= 1


def test_a_door_has_its_handle_at_its_known_place() -> None:
    u = across(0.0, 0.9)
    at_handle, _ = door(u, constant(u, 1.05), constant(u, FINE), (1.0, 1.0), 0)
    assert 0.7 < u[at_handle == 1].mean() < 0.86


@pytest.mark.parametrize('name', sorted(TEXTURES))
def test_every_texture_gives_finite_colours(name: str) -> None:
    rng = np.random.default_rng(0)
    u, v = rng.uniform(0, 6, (2, 500)).astype(np.float32)
    pixel = rng.uniform(1e-3, 0.05, 500).astype(np.float32)
    albedo = Material(name, (0.8, 0.5, 0.3), (0.2, 0.2, 0.2), seed=4).albedo(u, v, pixel)
    assert albedo.shape == (500, 3)
    assert albedo.dtype == np.float32
    assert np.all((albedo >= 0) & (albedo < 1.5))
