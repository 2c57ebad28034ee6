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

"""The last step of a frame by the numpy reference, and the choice of camera and scale law."""

from __future__ import annotations

from dataclasses import replace

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.finish import finish, NetworkDepth
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.result import choose_intrinsics, choose_law
from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import pytest

WIDTH, HEIGHT = 128, 96
CAMERA = Intrinsics(120.0, 110.0, 60.0, 50.0, WIDTH, HEIGHT)
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
EVERYTHING = FrameOptions(outputs=frozenset(Output))


def raw_of(kind: DepthKind, width: int = 56, height: int = 42) -> NetworkDepth:
    depth = np.full((height, width), 2.0, np.float32)
    return NetworkDepth(depth, kind)


def test_a_wall_comes_back_at_its_distance_whatever_the_processed_size() -> None:
    frame = Frame(RGB, intrinsics=CAMERA)
    for width, height in ((56, 42), (112, 84), (128, 96), (70, 42)):
        focal = CAMERA.resized(width, height).focal
        raw = NetworkDepth(
            np.full((height, width), 3.0 * 300 / focal, np.float32), DepthKind.CANONICAL)
        result = finish(raw, frame, FrameOptions(), 'm')
        assert result.depth.shape == (HEIGHT, WIDTH)
        np.testing.assert_allclose(result.depth, 3.0, rtol=1e-6)
        assert result.scale_law.focal == pytest.approx(focal)
        assert 'canonical: metres = network *' in str(result.scale_law)


def test_the_camera_comes_from_frame_then_focal_length_then_fov_then_model() -> None:
    predicted = Intrinsics(30.0, 31.0, 28.0, 21.0, 56, 42)
    options = FrameOptions(focal_length=90.0, fov_deg=80.0)
    known, unknown = Frame(RGB, intrinsics=CAMERA), Frame(RGB)
    assert choose_intrinsics(known, options, predicted) == (CAMERA, FocalSource.CAMERA_INFO)
    camera, source = choose_intrinsics(unknown, options, predicted)
    assert camera == Intrinsics.from_focal(90.0, WIDTH, HEIGHT)
    assert source is FocalSource.FOCAL_LENGTH
    camera, source = choose_intrinsics(unknown, FrameOptions(fov_deg=80.0), predicted)
    assert camera == Intrinsics.from_fov(80.0, WIDTH, HEIGHT)
    assert source is FocalSource.FIELD_OF_VIEW
    camera, source = choose_intrinsics(unknown, FrameOptions(), predicted)
    assert camera == predicted.resized(WIDTH, HEIGHT) and source is FocalSource.MODEL
    assert choose_intrinsics(unknown, FrameOptions()) == (None, FocalSource.NONE)


def test_only_a_canonical_model_needs_a_focal_length() -> None:
    with pytest.raises(InvalidIntrinsics, match='CameraInfo.*focal_length.*fov_deg'):
        finish(raw_of(DepthKind.CANONICAL), Frame(RGB), FrameOptions(), 'm')
    metric = finish(raw_of(DepthKind.METRIC), Frame(RGB), EVERYTHING, 'm')
    assert metric.kind is DepthKind.METRIC and (metric.depth == 2).all()
    assert metric.cloud is None
    assert any('camera is unknown' in note for note in metric.notes)
    with pytest.raises(InvalidIntrinsics, match='points need intrinsics'):
        metric.points()
    law = choose_law(DepthKind.METRIC, None, FocalSource.NONE)
    assert law.factor == 1 and str(law).startswith('metric')


def test_a_relative_model_never_gives_metres() -> None:
    options = replace(EVERYTHING, minimum=10.0, maximum=20.0)
    result = finish(raw_of(DepthKind.RELATIVE), Frame(RGB, intrinsics=CAMERA), options, 'm')
    assert result.kind is DepthKind.RELATIVE
    assert (result.depth == 2).all(), 'limits in metres do not apply'
    assert result.cloud is None
    assert any('no unit' in note for note in result.notes)
    assert str(result.scale_law) == 'relative: unknown scale'
    assert np.isfinite(result.points()).all()


def test_the_cloud_is_the_depth_at_the_frames_camera() -> None:
    result = finish(raw_of(DepthKind.METRIC), Frame(RGB, intrinsics=CAMERA), EVERYTHING, 'm')
    assert result.cloud is not None
    np.testing.assert_array_equal(result.cloud[..., :3], unproject(result.depth, CAMERA))
    np.testing.assert_array_equal(result.points(), result.cloud[..., :3])


def test_limits_and_sky_are_no_measurements() -> None:
    raw = raw_of(DepthKind.METRIC, WIDTH, HEIGHT)
    raw.depth[0], raw.depth[1] = 0.1, 90.0
    sky = np.zeros_like(raw.depth)
    sky[2], sky[3] = 0.3, 0.29
    options = replace(EVERYTHING, minimum=0.2, maximum=50.0)
    result = finish(replace(raw, sky=sky), Frame(RGB, intrinsics=CAMERA), options, 'm')
    assert np.isnan(result.depth[:3]).all() and (result.depth[3:] == 2).all()
    assert result.sky is not None
    assert result.sky[2].all() and result.sky.sum() == WIDTH
    assert result.cloud is not None and np.isnan(result.cloud[:3, :, :3]).all()
    assert result.preview is not None and not result.preview[:3].any()


def test_only_what_is_asked_for_is_there() -> None:
    raw = raw_of(DepthKind.METRIC)
    raw = replace(raw, sky=np.zeros_like(raw.depth), confidence=np.ones_like(raw.depth),
                  predicted=CAMERA)
    for output in (None, *Output):
        options = FrameOptions(outputs=frozenset() if output is None else frozenset({output}))
        result = finish(raw, Frame(RGB, 0, 'cam_optical_frame', CAMERA), options, 'm')
        present = {kind for kind, value in (
            (Output.POINTS, result.cloud), (Output.CONFIDENCE, result.confidence),
            (Output.SKY, result.sky), (Output.PREVIEW, result.preview),
            (Output.SCAN, result.scan), (Output.INTRINSICS, result.estimated))
            if value is not None}
        assert present == ({output} - {None, Output.DEPTH})
        assert result.picture().shape == (HEIGHT, WIDTH, 3)


def test_what_a_crop_took_away_has_no_depth_and_the_rest_keeps_its_place() -> None:
    raw = NetworkDepth(
        np.full((84, 112), 2.0, np.float32), DepthKind.METRIC,
        confidence=np.full((84, 112), 5.0, np.float32),
        predicted=Intrinsics(100.0, 100.0, 56.0, 42.0, 112, 84),
        resized=(WIDTH, HEIGHT), offset=(8, 6))
    result = finish(raw, Frame(RGB), EVERYTHING, 'm')
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[6:90, 8:120] = True
    np.testing.assert_array_equal(np.isfinite(result.depth), inside)
    assert result.confidence is not None
    np.testing.assert_array_equal(np.isfinite(result.confidence), inside)
    assert result.intrinsics == Intrinsics(100.0, 100.0, 64.0, 48.0, WIDTH, HEIGHT)


def test_a_result_carries_its_frame_model_and_law() -> None:
    frame = Frame(RGB, stamp_ns=7, frame_id='optical', intrinsics=CAMERA)
    result = finish(raw_of(DepthKind.METRIC), frame, FrameOptions(), 'da3-x')
    assert result.frame is frame and result.model == 'da3-x'
    assert result.intrinsics == CAMERA
    assert result.notes == ()
