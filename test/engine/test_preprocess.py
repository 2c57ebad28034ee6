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

"""Processed images are bit for bit those of upstream's InputProcessor."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, Callable, Iterator

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.options import PROCESS_RES_METHODS
from depth_anything_ros.core.processed_size import affordable_reduction, LONGEST, plan
from depth_anything_ros.engine.network import import_upstream
from depth_anything_ros.engine.preprocess import normalised, normalised_on_host, process
from depth_anything_ros.errors import InvalidImage, InvalidRequest
import numpy as np
import pytest
import torch

SIZES = [(640, 480), (1280, 720), (848, 480), (641, 479), (322, 243), (333, 500), (97, 211)]


class ToTensor:
    """Read an image as torchvision does."""

    def __call__(self, image: Any) -> torch.Tensor:
        array = torch.from_numpy(np.array(image))
        return array.permute(2, 0, 1).contiguous().to(torch.float32).div(255)


class Normalize:
    """Normalise as torchvision does."""

    def __init__(self, mean: list[float], std: list[float]) -> None:
        self.mean, self.std = (torch.tensor(each)[:, None, None] for each in (mean, std))

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return image.clone().sub_(self.mean).div_(self.std)


@pytest.fixture(scope='module')
def upstream() -> Iterator[Callable[..., Any]]:
    """Return upstream's processor; what it imports and does not use here is empty."""
    pytest.importorskip('PIL')
    import_upstream()
    stubs = {name: ModuleType(name) for name in (
        'torchvision', 'torchvision.transforms', 'imageio', 'tqdm')}
    stubs['torchvision.transforms'].ToTensor = ToTensor
    stubs['torchvision.transforms'].Normalize = Normalize
    stubs['torchvision'].transforms = stubs['torchvision.transforms']
    stubs['tqdm'].tqdm = lambda items, **_: items
    ours = 'depth_anything_3.utils.io.input_processor'
    with pytest.MonkeyPatch.context() as patch:
        for name, module in stubs.items():
            patch.setitem(sys.modules, name, module)
        yield importlib.import_module(ours).InputProcessor()
    for name in (ours, 'depth_anything_3.utils.parallel_utils'):
        sys.modules.pop(name, None)


def compare(
    upstream: Callable[..., Any], width: int, height: int, process_res: int, method: str,
) -> None:
    rng = np.random.default_rng(width * height)
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    matrix = np.array([[500.0, 0, 300], [0, 510, 200], [0, 0, 1]], np.float32)
    expected, _, cameras = upstream(
        [rgb], intrinsics=matrix[None], process_res=process_res, process_res_method=method,
        sequential=True)
    steps = plan(width, height, process_res, method)
    found = normalised(torch.from_numpy(process(rgb, steps).copy())[None])
    assert torch.equal(found[0], expected[0]), (width, height, process_res, method)
    camera = Intrinsics.from_matrix(matrix, width, height).resized(*steps.resized)
    camera = camera.cropped(*steps.offset, *steps.size)
    np.testing.assert_allclose(camera.matrix(), cameras[0].numpy(), rtol=1e-5)


@pytest.mark.parametrize('method', PROCESS_RES_METHODS)
@pytest.mark.parametrize('size', SIZES)
def test_known_sizes_equal_upstream(
    upstream: Callable[..., Any], size: tuple[int, int], method: str,
) -> None:
    compare(upstream, *size, 168, method)


@pytest.mark.parametrize('method', PROCESS_RES_METHODS)
def test_random_sizes_equal_upstream(upstream: Callable[..., Any], method: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(40):
        width, height = (int(side) for side in rng.integers(60, 400, 2))
        compare(upstream, width, height, int(rng.integers(90, 300)), method)


@pytest.mark.parametrize(('camera', 'upper', 'lower'), [
    ((640, 480), (504, 378), (672, 504)),
    ((320, 240), (504, 378), (672, 504)),
    ((1440, 1080), (504, 378), (672, 504)),
    ((1280, 720), (504, 280), (896, 504)),
    ((1600, 900), (504, 280), (896, 504)),
    ((1920, 1080), (504, 280), (896, 504)),
    ((3840, 2160), (504, 280), (896, 504)),
    ((848, 480), (504, 280), (896, 504)),
    ((1280, 800), (504, 322), (812, 504)),
    ((1241, 376), (504, 154), (1666, 504)),
])
def test_common_cameras(
    camera: tuple[int, int], upper: tuple[int, int], lower: tuple[int, int],
) -> None:
    assert plan(*camera, 504, 'upper_bound_resize').size == upper
    assert plan(*camera, 504, 'lower_bound_resize').size == lower


def test_half_pixels_round_to_even_and_halves_of_a_patch_up() -> None:
    assert plan(640, 360, 504, 'upper_bound_crop').bounded == (504, 284)
    assert plan(100, 35, 100, 'upper_bound_resize').size == (98, 42)


def test_a_crop_keeps_the_middle() -> None:
    steps = plan(120, 100, 120, 'upper_bound_crop')
    assert (steps.resized, steps.size, steps.offset) == ((120, 100), (112, 98), (4, 1))
    rgb = np.arange(120 * 100 * 3, dtype=np.uint32).reshape(100, 120, 3).astype(np.uint8)
    assert np.array_equal(process(rgb, steps), rgb[1:99, 4:116])


@pytest.mark.parametrize(('width', 'height'), [(1000, 10), (10, 1000), (1000, 1), (2, 500)])
@pytest.mark.parametrize('method', ['upper_bound_resize', 'upper_bound_crop'])
def test_too_narrow_images_are_refused(width: int, height: int, method: str) -> None:
    with pytest.raises(InvalidImage, match='at least 14 pixels a side'):
        plan(width, height, 504, method)


@pytest.mark.parametrize(('width', 'height', 'process_res', 'method'), [
    (640, 480, LONGEST + 1, 'upper_bound_resize'),
    (640, 480, 4000, 'lower_bound_resize'),
    (10000, 10, 504, 'lower_bound_crop'),
])
def test_huge_sizes_are_refused(
    width: int, height: int, process_res: int, method: str,
) -> None:
    with pytest.raises(InvalidRequest, match='at most 4096 pixels a side'):
        plan(width, height, process_res, method)


def test_an_unknown_method_is_refused() -> None:
    for method in ('', 'resize', 'upper_bound', 'middle_bound_crop', 'upper_bound_stretch'):
        with pytest.raises(InvalidRequest, match='unknown'):
            plan(640, 480, 504, method)


@pytest.mark.parametrize('size, process_res, method, factor', [
    ((1920, 1080), 504, 'upper_bound_resize', 2), ((3840, 2160), 504, 'upper_bound_resize', 4),
    ((640, 480), 504, 'upper_bound_resize', 1), ((640, 480), 140, 'upper_bound_crop', 4),
    ((640, 480), 640, 'upper_bound_resize', 1), ((640, 480), 1008, 'upper_bound_resize', 1),
    ((1280, 720), 140, 'lower_bound_resize', 4),
    # 1001 / 2 is no whole number of pixels.
    ((1001, 500), 140, 'upper_bound_resize', 1), ((1004, 500), 140, 'upper_bound_resize', 4)])
def test_a_smaller_picture_is_seen_at_the_same_size(size, process_res, method, factor):
    assert affordable_reduction(*size, process_res, method) == factor
    small = size[0] // factor, size[1] // factor
    assert plan(*small, process_res, method) == plan(*size, process_res, method)


@pytest.mark.parametrize(('size', 'process_res'), [
    ((1920, 1080), 504), ((640, 480), 504), ((641, 363), 70), ((322, 1288), 140), ((60, 40), 280)])
@pytest.mark.parametrize('method', ['upper_bound_resize', 'upper_bound_crop'])
def test_fast_is_near_exact(size, process_res, method):
    height, width = size[::-1]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rgb = np.stack([127 + 100 * np.sin(x / 40) * np.cos(y / 30), 255 * x / width,
                    255 * y / height], -1).astype(np.uint8)
    steps = plan(width, height, process_res, method)
    exact, fast = process(rgb, steps), process(rgb, steps, fast=True)
    assert fast.shape == exact.shape and fast.dtype == np.uint8
    difference = np.abs(exact.astype(int) - fast)
    assert difference.mean() < 1.5 and difference.max() < 25
    assert (difference > 0).any()


def test_one_table_normalises_as_the_arithmetic_does():
    image = np.arange(256 * 3, dtype=np.int64).reshape(16, 16, 3).astype(np.uint8)
    padded = np.zeros((16, 20, 3), np.uint8)
    padded[:, 2:-2] = image
    expected = normalised(torch.from_numpy(image)[None])[0].permute(1, 2, 0)
    assert torch.equal(normalised_on_host(padded[:, 2:-2]), expected)
