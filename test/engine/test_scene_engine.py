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

"""The engine's reconstruction call with real network classes, tiny and on the CPU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.base import MultiViewEngine
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
from depth_anything_ros.errors import (
    InvalidImage,
    InvalidIntrinsics,
    InvalidRequest,
    NotReady,
    PayloadTooLarge,
)
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.service import DepthService
import numpy as np
import pytest
from tiny_networks import tiny_any_view, tiny_metric, tiny_nested
import torch

SMALL = FrameOptions(process_res=98)
PLENTY = 10**9


def frame_of(width: int = 128, height: int = 96, seed: int = 0, **more: Any) -> Frame:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(rgb, **more)


def any_view() -> DA3Engine:
    return DA3Engine(tiny_any_view(), find('da3-small'))


def views_of(engine: DA3Engine, frames: list[Frame], options: FrameOptions = SMALL) -> Any:
    return engine.infer_views(engine.prepare_views(frames, options, PLENTY))


def test_several_views_are_what_upstream_says() -> None:
    frames = [frame_of(seed=seed) for seed in range(3)]
    engine = any_view()
    prepared = engine.prepare_views(frames, SMALL, PLENTY)
    assert isinstance(engine, MultiViewEngine) and prepared.shape == (70, 98)
    views = engine.infer_views(prepared)
    pixels = torch.from_numpy(views.rgb).float() / 255
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    with torch.inference_mode():
        expected = tiny_any_view()(((pixels - mean) / deviation).permute(0, 3, 1, 2)[None])
    np.testing.assert_allclose(views.depth, expected.depth[0], rtol=1e-5)
    np.testing.assert_allclose(views.confidence, expected.depth_conf[0], rtol=1e-5)
    np.testing.assert_allclose(views.intrinsics, expected.intrinsics[0], rtol=1e-4)
    np.testing.assert_allclose(views.extrinsics, expected.extrinsics[0], atol=1e-5)
    assert views.kind is DepthKind.RELATIVE and views.model == 'da3-small'
    assert engine.info.multi_view and views.sky is None
    assert views.notes == ('the cameras are predicted by the model, not calibrated',)


def test_images_of_different_sizes_lose_their_margins() -> None:
    frames = [frame_of(128, 96), frame_of(96, 128, seed=1), frame_of(400, 200, seed=2)]
    views = views_of(any_view(), frames)
    assert views.depth.shape == (3, 56, 70)
    assert views.rgb.shape == (3, 56, 70, 3)
    alone = any_view().prepare_views(frames[:1], SMALL, PLENTY).payload.pixels[0]
    np.testing.assert_array_equal(views.rgb[0], alone[7:63, 14:84])
    assert any('the middle 70x56 of each' in note for note in views.notes)


def test_nested_views_are_metres_without_sky() -> None:
    engine = DA3Engine(tiny_nested(), find('da3nested-giant-large'))
    service = DepthService(engine)
    try:
        options = SceneOptions(process_res=98, remove_edges=False, conf_thresh_percentile=0.0)
        scene = service.reconstruct([frame_of(seed=seed) for seed in range(2)], options)
        everything = service.reconstruct(
            [frame_of(seed=seed) for seed in range(2)], replace(options, remove_sky=False))
    finally:
        service.close()
    assert scene.kind is DepthKind.METRIC and scene.metadata()['unit'] == 'm'
    assert 0 < scene.total_points < everything.total_points == 2 * 70 * 98


def test_one_view_of_a_metric_model_has_metres_by_its_focal_length() -> None:
    engine = DA3Engine(tiny_metric(), find('da3-tiny'))
    near, far = (
        views_of(engine, [frame_of(intrinsics=Intrinsics.from_focal(focal, 128, 96))])
        for focal in (100.0, 200.0))
    np.testing.assert_allclose(far.depth, 2 * near.depth, rtol=1e-6)
    assert near.kind is DepthKind.METRIC and near.sky is not None
    # 128 x 96 becomes 98 x 70: the law counts at that size.
    assert near.intrinsics[0, 0, 0] == pytest.approx(100 * 98 / 128)
    assert near.intrinsics[0, 1, 1] == pytest.approx(100 * 70 / 96)
    assert near.scale_law.factor == pytest.approx((98 / 128 + 70 / 96) * 100 / 2 / 300)
    np.testing.assert_array_equal(near.extrinsics[0], np.eye(4)[:3])
    with pytest.raises(InvalidIntrinsics):
        views_of(engine, [frame_of()])


def test_one_view_of_an_any_view_model_takes_a_given_camera() -> None:
    camera = Intrinsics(90.0, 95.0, 60.0, 50.0, 128, 96)
    given = views_of(any_view(), [frame_of(intrinsics=camera)])
    predicted = views_of(any_view(), [frame_of()])
    assert given.intrinsics[0, 0, 2] == pytest.approx(60.0 * 98 / 128)
    assert predicted.intrinsics[0, 0, 2] == 49.0
    several = views_of(any_view(), [frame_of(intrinsics=camera), frame_of(seed=1)])
    assert any('given intrinsics are not used' in note for note in several.notes)


def test_a_crop_moves_the_principal_point() -> None:
    options = FrameOptions(process_res=100, process_res_method='lower_bound_crop')
    camera = Intrinsics.from_focal(100.0, 140, 100)
    engine = DA3Engine(tiny_metric(), find('da3-tiny'))
    views = views_of(engine, [frame_of(140, 100, intrinsics=camera)], options)
    assert views.depth.shape == (1, 98, 140)
    assert views.intrinsics[0, :2, 2].tolist() == [70.0, 49.0]


def test_an_impossible_camera_leaves_its_image_out() -> None:
    network = tiny_any_view()
    network.cam_dec.fc_fov[0].bias.data.fill_(-100.0)
    service = DepthService(DA3Engine(network, find('da3-small')))
    try:
        with pytest.raises(InvalidImage, match='image 0 is left out: its predicted camera is imp'):
            service.reconstruct([frame_of(), frame_of(seed=1)], SceneOptions(process_res=98))
    finally:
        service.close()


def test_what_cannot_be_served_is_refused_before_the_network() -> None:
    engine = DA3Engine(tiny_metric(), find('da3metric-large'))
    with pytest.raises(InvalidRequest, match='da3metric-large predicts no camera poses .* seen 2'):
        engine.prepare_views([frame_of(), frame_of()], SMALL, PLENTY)
    with pytest.raises(PayloadTooLarge, match='2 images of 98x70 .* so 1 of this size'):
        any_view().prepare_views([frame_of(), frame_of()], SMALL, 98 * 70 * 2 - 1)
    with pytest.raises(InvalidImage, match='at least 14 pixels'):
        any_view().prepare_views([frame_of(1000, 20)], SMALL, PLENTY)
    closed = any_view()
    prepared = closed.prepare_views([frame_of()], SMALL, PLENTY)
    closed.close()
    with pytest.raises(NotReady):
        closed.infer_views(prepared)
