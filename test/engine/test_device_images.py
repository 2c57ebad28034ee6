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

"""What a GPU does with an image is what OpenCV does; here PyTorch does it on the CPU."""

from __future__ import annotations

import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.distortion import Rectification, rectification
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize, PROCESS_RES_METHODS
from depth_anything_ros.core.processed_size import plan
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.device_images import (
    DeviceImages,
    ROWS_AT_ONCE,
    sampling_grid,
    undistorted,
)
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.preprocess import process
from depth_anything_ros.errors import InvalidImage
import numpy as np
import pytest
from tiny_networks import tiny_metric
import torch

CPU = torch.device('cpu')
PLACES = ['cpu', pytest.param('cuda', marks=[
    pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')])]
WIDTH, HEIGHT = 160, 120
K = [110.0, 0.0, 82.5, 0.0, 112.0, 57.5, 0.0, 0.0, 1.0]
P = [100.0, 0.0, 79.0, 0.0, 0.0, 101.0, 61.0, 0.0, 0.0, 0.0, 1.0, 0.0]
TURNED = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
LENSES = [
    ('plumb_bob', [-0.21, 0.06, 0.004, -0.003]),
    ('rational_polynomial', [0.3, -0.05, 0.001, -0.002, 0.01, 0.55, 0.02, 0.005]),
    ('equidistant', [-0.02, 0.006, -0.002, 0.0004]),
]
EVERYTHING = frozenset(Output)
REMAP = 1 if int(cv2.__version__.partition('.')[0]) >= 5 else 9
"""Grey levels on noise: OpenCV 4 looks between two pixels in steps of 1/32."""


def noise(width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> np.ndarray:
    """Return what makes every error of a position or of a weight largest."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def lens_of(model: str, d: list[float]) -> Rectification:
    maps = rectification(model, d, K, TURNED, P, WIDTH, HEIGHT)
    assert maps is not None
    return maps


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('model, d', LENSES)
def test_a_lens_is_taken_out_as_remap_does(place: str, model: str, d: list[float]) -> None:
    maps, rgb, device = lens_of(model, d), noise(), torch.device(place)
    expected = maps.rectify(rgb)
    found = undistorted(torch.from_numpy(rgb).to(device), sampling_grid(maps, device))
    assert found.dtype == torch.uint8
    assert distance(found.cpu().numpy(), expected) <= REMAP
    assert distance(rgb, expected) > 100, 'the lens makes a difference'


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('method', PROCESS_RES_METHODS)
@pytest.mark.parametrize('size', [
    (640, 480), (641, 479), (322, 243), (97, 211), (56, 56), (ROWS_AT_ONCE + 1, 70)])
def test_an_image_is_resized_as_upstream_does(
    place: str, method: str, size: tuple[int, int],
) -> None:
    steps = plan(*size, 252, method)
    rgb = noise(*size)
    found = DeviceImages(torch.device(place)).put(Frame(rgb), steps)
    expected = process(rgb, steps)
    assert found.pixels.shape == expected.shape
    assert distance(found.pixels.cpu().numpy(), expected) <= 1
    np.testing.assert_array_equal(found.rgb.cpu().numpy(), rgb)


def test_a_large_image_is_resized_as_upstream_does() -> None:
    steps, rgb = plan(1920, 1080, 504, 'upper_bound_resize'), noise(1920, 1080)
    assert distance(
        DeviceImages(CPU).put(Frame(rgb), steps).pixels.numpy(), process(rgb, steps)) <= 1


def test_what_depends_on_the_camera_is_made_once() -> None:
    images, maps = DeviceImages(CPU), lens_of(*LENSES[0])
    steps = plan(WIDTH, HEIGHT, 98, 'upper_bound_resize')
    for seed in range(3):
        images.put(Frame(noise(seed=seed), lens=maps), steps)
    assert images._grid.cache_info().misses == images._matrices.cache_info().misses == 1
    images.clear()
    assert images._grid.cache_info().currsize == images._matrices.cache_info().currsize == 0


def engine_on(*, host: bool) -> DA3Engine:
    return DA3Engine(tiny_metric(), find('da3metric-large'), on_host=host)


def run(engine: DA3Engine, frame: Frame, options: FrameOptions) -> DepthResult:
    return engine.finish(engine.infer([engine.prepare(frame, options)])[0])


def frame_with_a_lens() -> Frame:
    maps = lens_of(*LENSES[0])
    return Frame(noise(), intrinsics=maps.intrinsics, lens=maps, seen=maps.inside)


def test_the_mask_of_a_camera_is_made_once() -> None:
    engine, options = engine_on(host=False), FrameOptions(process_res=98)
    frame, other = frame_with_a_lens(), frame_with_a_lens()
    for each in (frame, frame, other, frame):
        assert np.isnan(run(engine, each, options).depth[~each.seen]).mean() > 0.8
    assert engine._path._unseen.cache_info().misses == 2


@pytest.mark.parametrize('output_size', list(OutputSize))
def test_a_frame_with_a_lens_gives_on_the_device_what_it_gives_on_the_host(
    output_size: OutputSize,
) -> None:
    frame = frame_with_a_lens()
    options = FrameOptions(process_res=98, outputs=EVERYTHING, output_size=output_size)
    device = run(engine_on(host=False), frame, options)
    host = run(engine_on(host=True), frame, options)
    assert device.intrinsics == host.intrinsics
    assert device.frame.lens is None and host.frame.lens is None
    # OpenCV 4 rectifies by 32nds of a pixel: 3 of 1000 differ at the edges of sky and lens.
    both = np.isfinite(device.depth) & np.isfinite(host.depth)
    assert (np.isnan(device.depth) == np.isnan(host.depth)).mean() > 0.99
    np.testing.assert_allclose(device.depth[both], host.depth[both], rtol=0.02)
    assert np.isnan(host.depth).any() and both.any()
    assert distance(device.frame.rgb, host.frame.rgb) <= REMAP
    assert (device.processed is None) == (host.processed is None)
    if device.processed is not None and host.processed is not None:
        assert distance(device.processed, host.processed) <= REMAP + 1
    assert device.cloud is not None and host.cloud is not None
    colours = [each.cloud.view(np.uint8)[..., 12:15] for each in (device, host)]
    assert distance(*colours) <= REMAP + 1
    assert distance(device.frame.rgb, frame.rgb) > 100


def test_a_batch_mixes_lenses_and_none() -> None:
    engine, options = engine_on(host=False), FrameOptions(process_res=98, fov_deg=60.0)
    frames = [frame_with_a_lens(), Frame(noise(seed=3)), frame_with_a_lens()]
    batch = engine.infer([engine.prepare(frame, options) for frame in frames])
    for frame, inferred in zip(frames, batch, strict=True):
        alone = run(engine, frame, options)
        np.testing.assert_allclose(engine.finish(inferred).depth, alone.depth, rtol=1e-5)


def test_a_frame_goes_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError('uploaded twice')
    engine = engine_on(host=False)
    monkeypatch.setattr(engine._path, '_uploaded', never)
    options = FrameOptions(process_res=98, outputs=EVERYTHING, fov_deg=60.0)
    assert run(engine, Frame(noise()), options).cloud is not None


def test_the_frame_may_change_once_it_is_prepared() -> None:
    engine, options = engine_on(host=False), FrameOptions(process_res=98, fov_deg=60.0)
    rgb = noise()
    expected = run(engine, Frame(rgb.copy()), options).depth
    prepared = engine.prepare(Frame(rgb), options)
    rgb[:] = 0
    np.testing.assert_array_equal(engine.finish(engine.infer([prepared])[0]).depth, expected)


def test_maps_of_another_size_are_refused_before_anything_is_uploaded() -> None:
    with pytest.raises(InvalidImage, match='40x30, the rectification is for 160x120'):
        Frame(noise(40, 30), lens=lens_of(*LENSES[0]))


def test_a_frame_takes_its_lens_out_by_itself() -> None:
    maps, rgb = lens_of(*LENSES[0]), noise()
    camera = Intrinsics(100.0, 101.0, 79.0, 61.0, WIDTH, HEIGHT)
    frame = Frame(rgb, 7, 'camera', camera, lens=maps)
    np.testing.assert_array_equal(frame.rectified().rgb, maps.rectify(rgb))
    assert frame.rectified().lens is None and frame.rectified().stamp_ns == 7
    assert frame.rectified().rectified().intrinsics == camera


def test_engines_say_where_the_lens_is_taken_out() -> None:
    assert engine_on(host=False).info.rectifies
    assert not engine_on(host=True).info.rectifies
