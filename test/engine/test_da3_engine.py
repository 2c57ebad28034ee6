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

"""The DA3 engine as a whole, on small networks with random weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from da3_parts import EVERYTHING, frame_of, METRES, metric_engine, run
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import (
    FrameOptions,
    Output,
    OutputSize,
    PROCESS_RES_METHODS,
)
from depth_anything_ros.core.processed_size import plan
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.preprocess import process
from depth_anything_ros.errors import (
    InvalidImage,
    InvalidIntrinsics,
)
from depth_anything_ros.frame_options import options_of
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from tiny_networks import tiny_any_view, tiny_metric, tiny_nested


def test_raw_depth_needs_no_camera_and_is_what_metres_are_made_of() -> None:
    engine, raw = metric_engine(), FrameOptions(process_res=98, raw=True)
    with pytest.raises(InvalidIntrinsics):
        run(engine, frame_of(), replace(raw, raw=False))
    found = run(engine, frame_of(), raw)
    assert found.depth.shape == (70, 98) and found.depth.dtype == np.float32
    assert found.raw and found.kind is DepthKind.CANONICAL and found.intrinsics is None
    # An image of the processed size is neither resized on the way in nor on the way out.
    frame = frame_of(98, 70)
    metres = run(engine, frame, replace(METRES, outputs=frozenset({Output.DEPTH})))
    expected = run(engine, frame, raw).depth * np.float32(metres.scale_law.factor)
    valid = np.isfinite(metres.depth)
    np.testing.assert_array_equal(metres.depth[valid], expected[valid])


def test_a_frame_comes_back_in_metres_at_its_own_size() -> None:
    camera = Intrinsics(150.0, 140.0, 60.0, 50.0, 128, 96)
    frame = frame_of(stamp_ns=5, frame_id='camera', intrinsics=camera)
    result = run(metric_engine(), frame)
    assert result.frame is frame
    assert result.depth.shape == (96, 128)
    assert result.kind is DepthKind.METRIC
    law = result.scale_law
    assert (law.kind, law.focal_source) == (DepthKind.CANONICAL, FocalSource.CAMERA_INFO)
    assert law.focal == pytest.approx((150 * 98 / 128 + 140 * 70 / 96) / 2)
    assert law.factor == pytest.approx(law.focal / 300)
    assert result.sky is not None and 0 < result.sky.mean() < 1
    assert np.isnan(result.depth[result.sky]).mean() > 0.9
    assert result.cloud is not None and result.preview is not None
    assert set(result.timings) == {'prepare', 'infer', 'finish'}
    assert all(seconds > 0 for seconds in result.timings.values())
    assert result.model == 'da3metric-large'


def test_metres_follow_the_focal_length() -> None:
    engine = metric_engine()
    near, far = (run(engine, frame_of(), replace(METRES, fov_deg=0, focal_length=focal))
                 for focal in (100.0, 200.0))
    np.testing.assert_allclose(far.depth, 2 * near.depth, rtol=1e-5)


def test_a_canonical_model_without_a_camera_is_refused_before_it_runs() -> None:
    with pytest.raises(InvalidIntrinsics, match='fov_deg'):
        metric_engine().prepare(frame_of(), replace(METRES, fov_deg=0.0))


def test_a_relative_model_gives_no_metres_and_no_cloud() -> None:
    engine = DA3Engine(tiny_any_view(), find('da3-small'))
    result = run(engine, frame_of(), replace(METRES, fov_deg=0.0, maximum=1e-3))
    assert result.kind is DepthKind.RELATIVE
    assert np.isfinite(result.depth).all(), 'limits in metres do not apply'
    assert result.cloud is None and result.sky is None
    assert result.confidence is not None and (result.confidence > 1).all()
    assert any('no unit' in note for note in result.notes)
    assert result.scale_law.focal_source is FocalSource.MODEL
    assert result.intrinsics is not None and result.intrinsics.size == (128, 96)


def test_the_models_own_idea_of_a_known_camera() -> None:
    camera = Intrinsics(150.0, 140.0, 60.0, 50.0, 128, 96)
    engine, frame = DA3Engine(tiny_any_view(), find('da3-small')), frame_of(intrinsics=camera)
    result = run(engine, frame, replace(METRES, outputs=frozenset({Output.INTRINSICS})))
    assert result.intrinsics == camera
    assert result.estimated is not None and result.estimated.size == (128, 96)
    guessed = run(engine, replace(frame, intrinsics=None), replace(METRES, fov_deg=0.0))
    assert result.estimated == guessed.intrinsics == guessed.estimated
    assert run(engine, frame, replace(METRES, outputs=frozenset())).estimated is None
    assert run(metric_engine(), frame).estimated is None


@pytest.mark.parametrize('method', PROCESS_RES_METHODS)
def test_the_models_size_brings_the_pixels_that_the_network_saw(method: str) -> None:
    engine, frame = metric_engine(), frame_of(130, 96)
    options = replace(METRES, process_res_method=method, output_size=OutputSize.MODEL)
    steps = plan(130, 96, 98, method)
    result = run(engine, frame, options)
    assert result.depth.shape[::-1] == steps.size
    np.testing.assert_array_equal(result.color, process(frame.rgb, steps))
    assert result.intrinsics is not None and result.intrinsics.size == steps.size
    assert result.cloud is not None and result.cloud.shape[:2] == result.depth.shape


@pytest.mark.parametrize('bias', [-1000.0, 3.13])
def test_an_impossible_predicted_camera_is_not_used(bias: float) -> None:
    network = tiny_any_view()
    network.cam_dec.fc_fov[0].bias.data.fill_(bias)
    result = run(DA3Engine(network, find('da3-small')), frame_of(),
                 replace(METRES, fov_deg=0.0))
    assert result.intrinsics is None
    assert any('impossible' in note for note in result.notes)


def test_the_nested_model_gives_metres_without_a_camera() -> None:
    engine = DA3Engine(tiny_nested(), find('da3nested-giant-large'))
    result = run(engine, frame_of(), replace(METRES, fov_deg=0.0))
    assert result.kind is DepthKind.METRIC
    assert result.scale_law.focal_source is FocalSource.MODEL
    assert result.cloud is not None and result.sky is not None
    assert np.isfinite(result.depth).any()


def test_the_nested_model_on_sky_alone_has_no_depth_and_says_so() -> None:
    network = tiny_nested()
    network.da3_metric.head.scratch.sky_output_conv2[-1].bias.data += 1000
    result = run(DA3Engine(network, find('da3nested-giant-large')), frame_of())
    assert np.isnan(result.depth).all()
    assert any('no metric scale' in note for note in result.notes)


def test_the_nested_model_without_a_believable_camera_has_no_metres() -> None:
    network = tiny_nested()
    network.da3.cam_dec.fc_fov[0].bias.data.fill_(-1000)
    result = run(DA3Engine(network, find('da3nested-giant-large')), frame_of())
    assert np.isnan(result.depth).all()
    assert len([note for note in result.notes if 'impossible' in note or 'scale' in note]) == 2


@pytest.mark.parametrize('value', [0, 128, 255])
def test_constant_images_work(value: int) -> None:
    frame = Frame(np.full((96, 128, 3), value, np.uint8))
    for engine in (metric_engine(), DA3Engine(tiny_any_view(), find('da3-small'))):
        assert run(engine, frame).depth.shape == (96, 128)


@pytest.mark.parametrize(('make', 'name'), [
    (tiny_metric, 'da3metric-large'), (tiny_any_view, 'da3-small'),
    (tiny_nested, 'da3nested-giant-large')])
def test_a_batch_gives_what_single_calls_give(make: Any, name: str) -> None:
    engine = DA3Engine(make(), find(name))
    frames = [frame_of(seed=seed) for seed in range(3)]
    options = [METRES, replace(METRES, outputs=frozenset()), replace(METRES, fov_deg=90.0)]
    prepared = [engine.prepare(*pair) for pair in zip(frames, options, strict=True)]
    assert len({item.shape for item in prepared}) == 1
    together = [engine.finish(each) for each in engine.infer(prepared)]
    for frame, option, found in zip(frames, options, together, strict=True):
        alone = run(engine, frame, option)
        assert found.frame is frame
        same = np.isfinite(found.depth) == np.isfinite(alone.depth)
        assert same.mean() > 0.999
        np.testing.assert_allclose(found.depth[same], alone.depth[same], rtol=1e-4)


@pytest.mark.parametrize('method', PROCESS_RES_METHODS)
def test_every_method_gives_depth_at_the_frames_size(method: str) -> None:
    options = replace(METRES, process_res_method=method)
    result = run(DA3Engine(tiny_any_view(), find('da3-small')), frame_of(150, 99), options)
    assert result.depth.shape == (99, 150)
    steps = plan(150, 99, 98, method)
    cut = np.isnan(result.depth[0]).all() or np.isnan(result.depth[:, 0]).all()
    assert cut == method.endswith('crop') == (steps.size != steps.resized)
    assert np.isfinite(result.depth).any()


def test_the_models_own_process_res_is_the_default() -> None:
    engine = DA3Engine.load('da3-tiny', device='cpu', random_weights=0)
    assert engine.prepare(frame_of(640, 480), replace(METRES, process_res=0)).shape == (126, 168)
    assert engine.prepare(frame_of(640, 480), METRES).shape == (70, 98)


def test_the_setting_preprocess_changes_what_the_network_sees() -> None:
    engine, frame = metric_engine(), frame_of(640, 480)
    pixels = {}
    for value in ('exact', 'fast'):
        settings = changed(Settings(), {
            'depth.preprocess': value, 'depth.process_res': 98, 'camera.fov_deg': 60.0})
        options = options_of(settings, EVERYTHING)
        pixels[value] = engine.prepare(frame, options).payload.pixels
        assert np.isfinite(run(engine, frame, options).depth).any()
    assert pixels['exact'].shape == pixels['fast'].shape
    assert (pixels['exact'] != pixels['fast']).mean() > 0.5


def test_a_flat_image_is_refused() -> None:
    with pytest.raises(InvalidImage, match='at least 14 pixels'):
        metric_engine().prepare(frame_of(200, 2), METRES)
