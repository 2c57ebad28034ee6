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

"""The device's frame path gives what the numpy reference gives, for every output."""

from __future__ import annotations

import array
from dataclasses import replace
from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.finish import finish, NetworkDepth
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, SkyMode
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.frame_path import DeviceDepth, FramePath
from depth_anything_ros.engine.native import load
from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import pytest
import torch

EVERYTHING = frozenset(Output)
GPU = pytest.param('cuda', marks=[
    pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA')])


def network_depth(width: int, height: int, kind: DepthKind, seed: int = 0) -> NetworkDepth:
    """Return a scene with edges, sky and every number that is not a depth."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(1, 5, height, dtype=np.float32)[:, None] * np.ones(width, np.float32)
    depth[:, width // 2:] *= 3
    depth += rng.normal(0, 0.02, depth.shape).astype(np.float32)
    for value in (np.nan, np.inf, -np.inf, 0.0, -1.0):
        depth[rng.integers(0, height, 3), rng.integers(0, width, 3)] = value
    sky = rng.uniform(0, 0.25, depth.shape).astype(np.float32)
    sky[:height // 4] += 0.3
    sky[0, 0] = np.nan
    confidence = rng.uniform(1, 9, depth.shape).astype(np.float32)
    return NetworkDepth(depth, kind, confidence, sky)


def path_on(device: str) -> FramePath:
    """Return a path: 'torch' is what a GPU runs, on the CPU, 'native' the compiled one there."""
    if device == 'torch':
        return FramePath(torch.device('cpu'), on_host=False)
    if device == 'native':
        kernels, missing = load()
        assert kernels is not None, missing
        return FramePath(torch.device('cpu'), kernels=kernels)
    return FramePath(torch.device(device))


def on_device(raw: NetworkDepth, device: str) -> DeviceDepth:
    def move(values: Any) -> Any:
        place = 'cpu' if device in ('torch', 'native') else device
        return None if values is None else torch.from_numpy(values).to(place)
    return DeviceDepth(
        move(raw.depth), raw.kind, move(raw.confidence), move(raw.sky), raw.predicted,
        raw.resized, raw.offset)


def compare(found: DepthResult, expected: DepthResult) -> None:
    # OpenCV rounds the positions between two pixels to float32.
    tight: Any = {'rtol': 1e-5, 'atol': 0}
    np.testing.assert_allclose(found.depth, expected.depth, **tight)
    assert found.depth.dtype == np.float32
    for name in ('confidence', 'sky', 'preview'):
        one, other = getattr(found, name), getattr(expected, name)
        assert (one is None) == (other is None), name
        if one is not None:
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    assert (found.cloud is None) == (expected.cloud is None)
    if found.cloud is not None and expected.cloud is not None:
        np.testing.assert_allclose(found.cloud[..., :3], expected.cloud[..., :3], **tight)
        np.testing.assert_array_equal(
            found.cloud.view(np.uint32)[..., 3], expected.cloud.view(np.uint32)[..., 3])
    assert (found.scan is None) == (expected.scan is None)
    if found.scan is not None and expected.scan is not None:
        np.testing.assert_allclose(found.scan.ranges, expected.scan.ranges, **tight)
        assert replace(found.scan, ranges=None) == replace(expected.scan, ranges=None)
    assert (found.processed is None) == (expected.processed is None)
    assert found.estimated == expected.estimated
    assert found.notes == expected.notes
    assert found.scale_law == expected.scale_law
    assert found.intrinsics == expected.intrinsics
    assert found.model == expected.model


def frame_of(width: int, height: int, known: bool = True) -> Frame:
    rgb = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    camera = Intrinsics(0.9 * width, 0.8 * width, 0.45 * width, 0.55 * height, width, height)
    return Frame(rgb, frame_id='cam_optical_frame', intrinsics=camera if known else None)


@pytest.mark.parametrize('device', ['cpu', 'native', 'torch', GPU])
@pytest.mark.parametrize('kind', list(DepthKind))
@pytest.mark.parametrize('size', [(84, 56), (160, 120), (161, 97), (40, 30), (5, 3)])
def test_sizes_and_kinds(size: tuple[int, int], kind: DepthKind, device: str) -> None:
    raw = network_depth(84, 56, kind)
    options = FrameOptions(minimum=0.5, maximum=12.0, outputs=EVERYTHING)
    path = path_on(device)
    for _ in range(2):
        found = path.finish(on_device(raw, device), frame_of(*size), options, 'm')
        compare(found, finish(raw, frame_of(*size), options, 'm'))
    assert np.isnan(found.depth).any() and np.isfinite(found.depth).any()


@pytest.mark.parametrize('device', ['cpu', 'native', 'torch', GPU])
@pytest.mark.parametrize(('resized', 'offset'), [
    ((84, 56), (0, 0)), ((90, 56), (3, 0)), ((84, 67), (0, 5)), ((96, 60), (6, 2))])
def test_crops(resized: tuple[int, int], offset: tuple[int, int], device: str) -> None:
    raw = replace(network_depth(84, 56, DepthKind.CANONICAL), resized=resized, offset=offset)
    options = FrameOptions(outputs=EVERYTHING)
    path = path_on(device)
    found = path.finish(on_device(raw, device), frame_of(200, 130), options, 'm')
    compare(found, finish(raw, frame_of(200, 130), options, 'm'))


@pytest.mark.parametrize('output', [None, *Output])
def test_only_what_is_asked_for(output: Output | None) -> None:
    raw = replace(network_depth(84, 56, DepthKind.METRIC),
                  predicted=Intrinsics(70, 75, 42, 28, 84, 56))
    options = FrameOptions(outputs=frozenset() if output is None else frozenset({output}))
    path = FramePath(torch.device('cpu'))
    found = path.finish(on_device(raw, 'cpu'), frame_of(100, 70), options, 'm')
    compare(found, finish(raw, frame_of(100, 70), options, 'm'))
    names = {Output.POINTS: 'cloud', Output.INTRINSICS: 'estimated'}
    present = {name for name in (
        'cloud', 'confidence', 'sky', 'preview', 'scan', 'estimated', 'processed')
        if getattr(found, name) is not None}
    asked = '' if output is None else names.get(output, output.value)
    assert present == {asked} - {'', 'depth'}


@pytest.mark.parametrize('device', ['cpu', 'native', 'torch', GPU])
@pytest.mark.parametrize('kind', list(DepthKind))
@pytest.mark.parametrize('known', [True, False])
def test_raw_depth_is_the_networks_own_at_its_own_size(
        kind: DepthKind, known: bool, device: str) -> None:
    raw = network_depth(84, 56, kind)
    options = FrameOptions(
        raw=True, minimum=2.0, outputs=frozenset({Output.CONFIDENCE, Output.SKY}))
    path, frame = path_on(device), frame_of(168, 112, known)
    found = path.finish(on_device(raw, device), frame, options, 'm')
    compare(found, finish(raw, frame, options, 'm'))
    np.testing.assert_array_equal(found.depth, raw.depth)
    np.testing.assert_array_equal(found.confidence, raw.confidence)
    assert found.raw and found.kind is kind and found.scale_law.factor == 1
    assert found.sky.shape == (56, 84) and found.depth.flags.c_contiguous
    if known:
        assert found.intrinsics == frame.intrinsics.resized(84, 56)
    focal = found.intrinsics.focal if known and kind is DepthKind.CANONICAL else 0.0
    assert found.scale_law.focal == focal


def test_raw_depth_of_a_crop_has_the_camera_of_the_crop() -> None:
    raw = replace(network_depth(84, 56, DepthKind.CANONICAL), resized=(96, 60), offset=(6, 2))
    path, options = FramePath(torch.device('cpu')), FrameOptions(raw=True)
    found = path.finish(on_device(raw, 'cpu'), frame_of(192, 120), options, 'm')
    compare(found, finish(raw, frame_of(192, 120), options, 'm'))
    whole = frame_of(192, 120).intrinsics.resized(96, 60)
    assert found.intrinsics == whole.cropped(6, 2, 84, 56)


def test_a_predicted_camera_is_used_only_where_no_other_is_known() -> None:
    predicted = Intrinsics(70, 75, 42, 28, 84, 56)
    raw = replace(network_depth(84, 56, DepthKind.METRIC), predicted=predicted,
                  resized=(90, 60), offset=(3, 2))
    path = FramePath(torch.device('cpu'))
    for known in (True, False):
        for options in (FrameOptions(outputs=EVERYTHING), FrameOptions(fov_deg=70.0)):
            frame = frame_of(180, 120, known)
            found = path.finish(on_device(raw, 'cpu'), frame, options, 'm')
            compare(found, finish(raw, frame, options, 'm'))
    found = path.finish(
        on_device(raw, 'cpu'), frame_of(180, 120, False), FrameOptions(), 'm')
    assert found.intrinsics == Intrinsics(140, 150, 90, 60, 180, 120)
    assert any('predicted' in note for note in found.notes)


def test_metres_need_a_focal_length() -> None:
    raw = on_device(network_depth(84, 56, DepthKind.CANONICAL), 'cpu')
    path = FramePath(torch.device('cpu'))
    with pytest.raises(InvalidIntrinsics, match='focal length'):
        path.finish(raw, frame_of(84, 56, False), FrameOptions(), 'm')


def test_without_confidence_and_sky_the_notes_say_so() -> None:
    raw = replace(network_depth(84, 56, DepthKind.METRIC), confidence=None, sky=None)
    path, options = FramePath(torch.device('cpu')), FrameOptions(outputs=EVERYTHING)
    found = path.finish(on_device(raw, 'cpu'), frame_of(84, 56), options, 'm')
    compare(found, finish(raw, frame_of(84, 56), options, 'm'))
    assert found.confidence is None and found.sky is None
    assert len(found.notes) == 2


def test_results_do_not_share_memory_and_frames_may_be_read_only_views() -> None:
    path, options = FramePath(torch.device('cpu')), FrameOptions(outputs=EVERYTHING)
    frame = frame_of(100, 70)
    wide = np.zeros((70, 120, 3), np.uint8)
    wide[:, :100] = frame.rgb
    view = wide[:, :100]
    view.flags.writeable = False
    raw = network_depth(84, 56, DepthKind.METRIC)
    first = path.finish(on_device(raw, 'cpu'), frame, options, 'm')
    kept = first.depth.copy()
    second = path.finish(on_device(raw, 'cpu'), replace(frame, rgb=view), options, 'm')
    compare(second, first)
    second.depth[:] = 0
    np.testing.assert_array_equal(first.depth, kept)


def test_tables_are_kept_until_cleared() -> None:
    path, options = FramePath(torch.device('cpu')), FrameOptions(outputs=EVERYTHING)
    for _ in range(3):
        path.finish(
            on_device(network_depth(84, 56, DepthKind.METRIC), 'cpu'), frame_of(100, 70),
            options, 'm')
    caches = (path._sampler, path._grid, path._writer)
    assert [cache.cache_info().misses for cache in caches] == [1, 1, 1]
    path.clear()
    assert [cache.cache_info().currsize for cache in caches] == [0, 0, 0]


@pytest.mark.parametrize('device', ['cpu', 'native', 'torch', GPU])
@pytest.mark.parametrize(('resized', 'offset'), [(None, (0, 0)), ((70, 84), (7, 28))])
def test_what_the_image_does_not_show_has_no_depth(
    resized: tuple[int, int] | None, offset: tuple[int, int], device: str,
) -> None:
    raw = replace(network_depth(56, 28, DepthKind.METRIC), resized=resized, offset=offset)
    seen = np.ones((90, 110), bool)
    seen[:, :30] = seen[80:] = False
    frame = replace(frame_of(110, 90), seen=seen)
    options = FrameOptions(outputs=EVERYTHING, sky_mode=SkyMode.INF)
    found = path_on(device).finish(on_device(raw, device), frame, options, 'm')
    compare(found, finish(raw, frame, options, 'm'))
    assert np.isnan(found.depth[:, :28]).all() and np.isfinite(found.depth[30:60, 40:]).any()
    assert found.sky is not None and not found.sky[:, :28].any()
    assert np.isnan(found.cloud[:, :28, :3]).all()


def places(kept: dict[Output, Any]) -> Any:
    """Return a giver of memory like that of messages, which remembers what it gave."""
    def memory(output: Output, shape: tuple[int, ...], kind: type) -> Any:
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        kept[output] = np.frombuffer(array.array('B', bytes(size)), kind).reshape(shape)
        return None if output is Output.SKY else kept[output]
    return memory


@pytest.mark.parametrize('device', ['cpu', 'native', 'torch', GPU])
@pytest.mark.parametrize('raw_numbers', [False, True])
def test_outputs_are_written_where_they_are_wanted(device: str, raw_numbers: bool) -> None:
    raw, kept = network_depth(84, 56, DepthKind.METRIC), {}
    wanted = {Output.CONFIDENCE, Output.SKY}
    wanted |= set() if raw_numbers else {Output.POINTS, Output.PREVIEW}
    options = FrameOptions(outputs=frozenset(wanted), raw=raw_numbers)
    found = path_on(device).finish(
        on_device(raw, device), frame_of(100, 70), replace(options, memory=places(kept)), 'm')
    compare(found, finish(raw, frame_of(100, 70), options, 'm'))
    assert found.depth is kept[Output.DEPTH]
    assert found.confidence is kept[Output.CONFIDENCE]
    assert found.sky is not kept[Output.SKY]
    assert found.cloud is kept.get(Output.POINTS)


def test_memory_is_no_part_of_what_makes_options_equal() -> None:
    assert replace(FrameOptions(), memory=places({})) == FrameOptions()
    assert hash(replace(FrameOptions(), memory=places({}))) == hash(FrameOptions())
