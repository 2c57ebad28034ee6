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

"""Cloud options, sky modes, output sizes and scans on the device equal the numpy reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud_options import CloudOptions, ScanOptions
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.finish import finish
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize, SkyMode
from depth_anything_ros.core.placement import Mount, Placement
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import pytest
from test_frame_path import compare, EVERYTHING, frame_of, GPU, network_depth, on_device, path_on

PLACEMENT = Placement.from_pose('base_link', (0.3, -0.1, 0.9), (-0.6, 0.5, -0.45, 0.44))
CLOUDS = {
    'plain': CloudOptions(),
    'dense': CloudOptions(dense=True),
    'bare': CloudOptions(color=False),
    'bare list': CloudOptions(dense=True, color=False, stride=2),
    'stride': CloudOptions(stride=3),
    'voxels': CloudOptions(voxel_size=0.2),
    'bare voxels': CloudOptions(voxel_size=0.4, color=False, stride=2),
    'range': CloudOptions(nearest=2.0, farthest=4.0),
    'height': CloudOptions(lowest=-0.5, highest=0.2),
    'confidence': CloudOptions(confidence_percentile=35.0),
    'edges': CloudOptions(edge_filter=True),
    'placed': CloudOptions(target_frame='base_link', lowest=0.1, highest=1.2),
    'everything': CloudOptions(True, True, 2, 0.1, 1.2, 5.0, -1.0, 1.0, 10.0, True, 'base_link'),
}


def both(
    options: FrameOptions, frame: Frame, device: str = 'cpu', raw: Any = None,
) -> DepthResult:
    """Return the device's result after comparing it with the reference's."""
    raw = network_depth(84, 56, DepthKind.METRIC) if raw is None else raw
    found = path_on(device).finish(on_device(raw, device), frame, options, 'm')
    expected = finish(raw, frame, options, 'm')
    if found.cloud is not None and expected.cloud is not None:
        assert found.cloud.shape == expected.cloud.shape
        assert found.cloud.flags.c_contiguous
        np.testing.assert_allclose(
            found.cloud[..., :3], expected.cloud[..., :3], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(
            found.cloud.view(np.uint32)[..., 3:], expected.cloud.view(np.uint32)[..., 3:])
        compare(replace(found, cloud=None), replace(expected, cloud=None))
    else:
        compare(found, expected)
    return found


@pytest.mark.parametrize('device', ['cpu', 'native', 'torch', GPU])
@pytest.mark.parametrize('sky', list(SkyMode))
@pytest.mark.parametrize('name', CLOUDS)
def test_clouds(name: str, sky: SkyMode, device: str) -> None:
    options = FrameOptions(
        maximum=12.0, outputs=EVERYTHING, points=CLOUDS[name], sky_mode=sky, far_distance=20.0,
        mount=Mount(0.4, 10.0))
    for size in ((160, 120), (40, 30)):
        frame = replace(frame_of(*size), placement=PLACEMENT if 'base_link' in str(
            CLOUDS[name]) else None)
        found = both(options, frame, device)
        assert found.cloud is not None and found.cloud.size
        lists = found.cloud.ndim == 2
        assert lists == CLOUDS[name].listed
        assert not (lists and np.isnan(found.cloud[:, :3]).any())


@pytest.mark.parametrize('device', ['cpu', 'native', 'torch', GPU])
@pytest.mark.parametrize('sky', list(SkyMode))
@pytest.mark.parametrize(('resized', 'offset'), [(None, (0, 0)), ((96, 60), (6, 2))])
@pytest.mark.parametrize('kind', list(DepthKind))
def test_the_models_size(
        kind: DepthKind, resized: Any, offset: tuple[int, int], sky: SkyMode, device: str) -> None:
    raw = replace(network_depth(84, 56, kind), resized=resized, offset=offset,
                  predicted=Intrinsics(70, 75, 42, 28, 84, 56))
    options = FrameOptions(
        outputs=EVERYTHING, output_size=OutputSize.MODEL, sky_mode=sky,
        points=CloudOptions(stride=2))
    frame = frame_of(192, 120)
    found = both(options, frame, device, raw)
    assert found.depth.shape == found.color.shape[:2] == (56, 84)
    assert found.confidence.shape == found.sky.shape == found.preview.shape[:2] == (56, 84)
    whole = frame.intrinsics.resized(*(resized or (84, 56)))
    assert found.intrinsics == whole.cropped(*offset, 84, 56)
    assert found.estimated == raw.predicted
    # The law is that of the input's size: metres do not change with the size that is asked for.
    plain = both(replace(options, output_size=OutputSize.INPUT), frame, device, raw)
    assert found.scale_law == plain.scale_law and plain.depth.shape == (120, 192)


def test_the_processed_pixels_are_the_engines_where_it_has_them() -> None:
    raw = network_depth(84, 56, DepthKind.METRIC)
    pixels = np.random.default_rng(3).integers(0, 256, (56, 84, 3), dtype=np.uint8)
    options = FrameOptions(
        outputs=frozenset({Output.POINTS}), output_size=OutputSize.MODEL)
    found = path_on('cpu').finish(
        replace(on_device(raw, 'cpu'), pixels=pixels), frame_of(160, 120), options, 'm')
    np.testing.assert_array_equal(found.color, pixels)
    packed = found.cloud.view(np.uint32)[..., 3]
    np.testing.assert_array_equal(packed >> 16 & 255, pixels[..., 0])


def test_sky_and_what_is_beyond_look_as_the_mode_says() -> None:
    raw, frame = network_depth(84, 56, DepthKind.METRIC), frame_of(84, 56)
    free = (raw.sky >= 0.3) | (raw.depth > 12)
    assert 0 < free.sum() < free.size
    results = {mode: both(FrameOptions(
        maximum=12.0, outputs=EVERYTHING, sky_mode=mode, far_distance=20.0), frame)
        for mode in SkyMode}
    for mode, result in results.items():
        np.testing.assert_array_equal(np.isposinf(result.depth), free & (mode is SkyMode.INF))
        assert not result.preview[free].any()
    np.testing.assert_array_equal(
        np.isnan(results[SkyMode.NAN].depth), np.isnan(results[SkyMode.FAR].depth))
    for mode in (SkyMode.NAN, SkyMode.INF):
        assert np.isnan(results[mode].cloud[free][:, :3]).all()
    far = results[SkyMode.FAR].cloud[..., :3]
    np.testing.assert_allclose(np.linalg.norm(far[free], axis=1), 20.0, rtol=1e-5)
    np.testing.assert_array_equal(far[~free], results[SkyMode.NAN].cloud[~free][:, :3])


@pytest.mark.parametrize('device', ['cpu', 'native', 'torch', GPU])
@pytest.mark.parametrize('mount', [Mount(), Mount(0.8, 25.0)])
def test_scans(mount: Mount, device: str) -> None:
    options = FrameOptions(
        maximum=12.0, outputs=frozenset({Output.SCAN}), mount=mount,
        scan=ScanOptions(-0.4, 1.0, 1.2, 4.5))
    for size in ((160, 120), (84, 56)):
        found = both(options, frame_of(*size), device)
        ranges = found.scan.ranges
        assert ranges.dtype == np.float32 and ranges.ndim == 1
        assert {True, False} == set(np.isfinite(ranges).tolist())
        assert np.isposinf(ranges).any()
        assert found.scan.frame_id == 'cam_frame'
    named = replace(options, scan=replace(options.scan, frame_id='laser'))
    assert both(named, replace(frame_of(84, 56), frame_id='cam')).scan.frame_id == 'laser'


def test_a_scan_needs_a_level_frame() -> None:
    found = both(FrameOptions(outputs=frozenset({Output.SCAN})),
                 replace(frame_of(84, 56), frame_id='cam'))
    assert found.scan is None and 'scan.frame_id' in found.notes[0]


def test_a_scan_looks_through_sky_in_every_mode() -> None:
    raw = network_depth(84, 56, DepthKind.METRIC)
    raw.depth[:], raw.sky[:] = 3.0, 1.0
    for mode in SkyMode:
        found = both(FrameOptions(outputs=EVERYTHING, sky_mode=mode), frame_of(84, 56), raw=raw)
        assert np.isposinf(found.scan.ranges).all()


def test_a_predicted_camera_is_handed_out_beside_a_known_one() -> None:
    raw = replace(network_depth(84, 56, DepthKind.METRIC), resized=(90, 60), offset=(3, 2),
                  predicted=Intrinsics(70, 75, 42, 28, 84, 56))
    frame = frame_of(180, 120)
    found = both(FrameOptions(outputs=frozenset({Output.INTRINSICS})), frame, raw=raw)
    assert found.estimated == Intrinsics(140, 150, 90, 60, 180, 120)
    assert found.intrinsics == frame.intrinsics


@pytest.mark.parametrize(('placement', 'words'), [
    (None, "no transform from 'cam_optical_frame' to 'map'"), (PLACEMENT, 'no transform')])
def test_without_the_transform_there_is_no_cloud_and_all_else(placement: Any, words: str) -> None:
    options = FrameOptions(outputs=EVERYTHING, points=CloudOptions(target_frame='map'))
    found = both(options, replace(frame_of(84, 56), placement=placement))
    assert found.cloud is None and found.preview is not None
    assert any(words in note for note in found.notes)


def test_what_a_model_lacks_is_said() -> None:
    raw = replace(network_depth(84, 56, DepthKind.METRIC), confidence=None, sky=None)
    options = FrameOptions(
        outputs=frozenset({Output.POINTS}), sky_mode=SkyMode.FAR,
        points=CloudOptions(confidence_percentile=10.0))
    notes = both(options, frame_of(84, 56), raw=raw).notes
    assert len(notes) == 2 and 'confidence' in notes[0] and 'no sky' in notes[1]


def test_voxels_that_are_too_small_are_refused_by_both() -> None:
    options = FrameOptions(
        outputs=frozenset({Output.POINTS}), points=CloudOptions(voxel_size=1e-7))
    raw, frame = network_depth(84, 56, DepthKind.METRIC), frame_of(84, 56)
    for run in (lambda: finish(raw, frame, options, 'm'),
                lambda: path_on('cpu').finish(on_device(raw, 'cpu'), frame, options, 'm')):
        with pytest.raises(InvalidRequest, match='too small'):
            run()


def test_an_empty_list_is_a_list() -> None:
    raw = network_depth(84, 56, DepthKind.METRIC)
    raw.depth[:] = np.nan
    raw.sky[:] = 0
    for points in (CloudOptions(dense=True), CloudOptions(voxel_size=0.1, color=False),
                   CloudOptions(confidence_percentile=50.0, edge_filter=True, dense=True)):
        found = both(FrameOptions(outputs=EVERYTHING, points=points), frame_of(84, 56), raw=raw)
        assert found.cloud.shape == (0, points.channels)
