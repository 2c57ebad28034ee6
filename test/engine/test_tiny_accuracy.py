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

"""What da3-tiny says about known rooms, through the whole engine, in metres, without alignment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterator

import depth_anything_ros
from depth_anything_ros.api import DepthEstimator
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.scenes import demo_rooms, make_room, random_view, render, Room
import numpy as np
import numpy.typing as npt
import pytest
from safetensors import safe_open

MODEL = Path(depth_anything_ros.__file__).parent / 'models' / 'da3-tiny'
# Other viewpoints and rooms than those of training and of training/evaluate_tiny.py.
VIEWS, ROOMS = 30_000_000, 30_000_000
CAMERA = Intrinsics.from_fov(65, 640, 480)


@pytest.fixture(scope='module')
def estimator() -> Iterator[DepthEstimator]:
    with DepthEstimator('da3-tiny', device='cpu') as tiny:
        yield tiny


def ratios(
    estimator: DepthEstimator, room: Room, index: int, camera: Intrinsics,
) -> npt.NDArray[np.float32]:
    """Return predicted over true metres of every pixel."""
    view = render(room, random_view(room, np.random.default_rng((VIEWS, index))), camera)
    ratio: npt.NDArray[np.float32] = estimator(view.rgb, K=camera.matrix()).depth / view.depth
    assert np.all(np.isfinite(ratio))
    return ratio


def mean_errors(all_ratios: list[npt.NDArray[np.float32]]) -> tuple[float, float]:
    """Return AbsRel and delta1."""
    stacked = np.stack(all_ratios)
    near = np.maximum(stacked, 1 / stacked) < 1.25
    return float(np.abs(stacked - 1).mean()), float(near.mean())


def test_unseen_viewpoints_of_the_demo_rooms(estimator: DepthEstimator) -> None:
    rooms = demo_rooms()
    abs_rel, delta1 = mean_errors([
        ratios(estimator, rooms[index % len(rooms)], index, CAMERA) for index in range(24)])
    assert abs_rel <= 0.12
    assert delta1 >= 0.85


def test_rooms_it_never_saw(estimator: DepthEstimator) -> None:
    abs_rel, _ = mean_errors([
        ratios(estimator, make_room(ROOMS + index), index, CAMERA) for index in range(24)])
    assert abs_rel <= 0.2


@pytest.mark.parametrize(('width', 'height', 'fov'), [
    (640, 360, 70.0), (320, 240, 55.0), (1280, 960, 80.0)])
def test_metres_hold_for_other_cameras(
    estimator: DepthEstimator, width: int, height: int, fov: float,
) -> None:
    camera = Intrinsics.from_fov(fov, width, height)
    abs_rel, _ = mean_errors([
        ratios(estimator, room, 100 + index, camera)
        for index, room in enumerate(demo_rooms())])
    assert abs_rel <= 0.15


def test_the_bundled_numbers_keep_the_promise() -> None:
    accuracy = json.loads((MODEL / 'accuracy.json').read_text())
    assert accuracy['viewpoints'] == 200
    assert accuracy['known_rooms']['abs_rel'] <= 0.12
    assert accuracy['known_rooms']['delta1'] >= 0.85
    constant = accuracy['mean_map_on_unknown_rooms']['aligned_abs_rel']
    assert accuracy['unknown_rooms']['aligned_abs_rel'] <= 0.75 * constant


def test_the_model_card_states_the_bundled_numbers() -> None:
    accuracy = json.loads((MODEL / 'accuracy.json').read_text())
    card = (MODEL / 'MODEL_CARD.md').read_text()
    for kind in ('known_rooms', 'unknown_rooms', 'mean_map_on_unknown_rooms'):
        for name in ('abs_rel', 'delta1', 'aligned_abs_rel'):
            assert f'{accuracy[kind][name]:.3f}' in card


def test_the_checkpoint_is_small_and_has_the_form_of_released_ones() -> None:
    path = MODEL / 'model.safetensors'
    assert path.stat().st_size <= 8_000_000
    assert json.loads((MODEL / 'config.json').read_text()) == {'model_name': 'da3-tiny'}
    with safe_open(str(path), framework='np') as file:
        assert all(key.startswith('model.') for key in file.keys())


def test_it_sees_no_sky_whatever_the_picture(estimator: DepthEstimator) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    for picture in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        result = estimator(picture, K=CAMERA.matrix(), outputs=['sky'])
        assert result.sky is None or not result.sky.any()
        assert np.all(np.isfinite(result.depth))
