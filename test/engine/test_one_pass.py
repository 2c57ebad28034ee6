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

"""A frame that needs one compiled pass alone is what the whole frame path makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud_options import CloudOptions
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.finish import finish
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize, SkyMode
from depth_anything_ros.core.processed_size import Plan
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.frame_path import FramePath
from depth_anything_ros.engine.passes import RawMaps
from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import pytest
from test_frame_path import compare, frame_of, network_depth, on_device, path_on
import torch

SIZE = (84, 56)
PLAN = Plan(SIZE, SIZE, SIZE, (0, 0))
WANTED = frozenset({Output.DEPTH, Output.POINTS, Output.PREVIEW})


def maps_of(raw: Any, **more: Any) -> RawMaps:
    moved = on_device(raw, 'native')
    return RawMaps(moved.depth, moved.confidence, moved.sky, **more)


def in_one_pass(
    path: FramePath, raw: Any, frame: Any, options: FrameOptions, steps: Plan = PLAN,
) -> DepthResult | None:
    assert path.one_pass is not None
    return path.one_pass.finish(maps_of(raw), raw.kind, steps, frame, options, 'm')


@pytest.mark.parametrize('kind', list(DepthKind))
@pytest.mark.parametrize('lacks', ['', 'sky', 'confidence'])
@pytest.mark.parametrize('outputs', [
    frozenset(), frozenset({Output.DEPTH}), frozenset({Output.POINTS}), WANTED])
def test_it_is_the_same_result(kind: DepthKind, lacks: str, outputs: frozenset[Output]) -> None:
    raw = network_depth(*SIZE, kind)
    if lacks:
        raw = replace(raw, **{lacks: None})
    options, path = FrameOptions(minimum=0.5, maximum=12.0, outputs=outputs), path_on('native')
    for size in ((160, 120), SIZE, (160, 120), (40, 30)):
        frame = frame_of(*size)
        found = in_one_pass(path, raw, frame, options)
        whole = path.finish(on_device(raw, 'native'), frame, options, 'm')
        compare(found, finish(raw, frame, options, 'm'))
        compare(found, whole)
        assert found.depth.tobytes() == whole.depth.tobytes()
        if whole.cloud is not None:
            assert found.cloud.tobytes() == whole.cloud.tobytes()


def test_every_frame_goes_by_its_own_camera_options_and_memory() -> None:
    raw, path = network_depth(*SIZE, DepthKind.CANONICAL), path_on('native')
    memory = {Output.DEPTH: np.zeros((120, 160), np.float32),
              Output.POINTS: np.zeros((120, 160, 4), np.float32),
              Output.PREVIEW: np.zeros((120, 160, 3), np.uint8)}
    frame = frame_of(160, 120)
    near = replace(frame, intrinsics=Intrinsics(50, 50, 80, 60, 160, 120))
    plain = FrameOptions(outputs=WANTED)
    placed = replace(plain, memory=lambda output, shape, kind: memory[output])
    for index in range(40):
        options = replace((plain, placed)[index % 2], maximum=6.0 + index % 20)
        one = (frame, near)[index // 2 % 2]
        found = in_one_pass(path, raw, one, options)
        compare(found, finish(raw, one, options, 'm'))
        given = found.depth is memory[Output.DEPTH], found.cloud is memory[Output.POINTS]
        assert given == (bool(index % 2),) * 2


@pytest.mark.parametrize('options', [
    FrameOptions(outputs=WANTED | {Output.SCAN}), FrameOptions(outputs=frozenset({Output.SKY})),
    FrameOptions(outputs=frozenset({Output.CONFIDENCE})), FrameOptions(raw=True),
    FrameOptions(outputs=frozenset({Output.INTRINSICS})),
    FrameOptions(output_size=OutputSize.MODEL), FrameOptions(sky_mode=SkyMode.INF),
    FrameOptions(outputs=WANTED, sky_mode=SkyMode.FAR),
    *(FrameOptions(outputs=WANTED, points=points) for points in (
        CloudOptions(dense=True), CloudOptions(color=False), CloudOptions(stride=2),
        CloudOptions(farthest=3.0), CloudOptions(edge_filter=True),
        CloudOptions(confidence_percentile=10.0)))])
def test_what_needs_more_is_left_to_the_whole_path(options: FrameOptions) -> None:
    raw, path = network_depth(*SIZE, DepthKind.METRIC), path_on('native')
    for _ in range(2):
        assert in_one_pass(path, raw, frame_of(160, 120), options) is None


def test_frames_and_maps_that_need_more_are_left_to_the_whole_path() -> None:
    raw, path, options = network_depth(*SIZE, DepthKind.METRIC), path_on('native'), FrameOptions()
    frame = frame_of(160, 120)
    assert in_one_pass(path, raw, frame, options) is not None
    assert in_one_pass(path, raw, replace(frame, seen=np.ones((120, 160), bool)), options) is None
    cropped = Plan((90, 56), (90, 56), SIZE, (3, 0))
    assert in_one_pass(path, raw, frame, options, cropped) is None
    one_pass = path.one_pass
    assert one_pass is not None
    scaled = maps_of(raw, scale=torch.tensor(2.0))
    assert one_pass.finish(scaled, raw.kind, PLAN, frame, options, 'm') is None
    predicting = maps_of(raw, camera=torch.eye(3))
    unknown = frame_of(160, 120, known=False)
    assert one_pass.finish(predicting, raw.kind, PLAN, unknown, options, 'm') is None
    assert path_on('cpu').one_pass is None and path_on('torch').one_pass is None


def test_metres_need_a_focal_length() -> None:
    raw, path = network_depth(*SIZE, DepthKind.CANONICAL), path_on('native')
    for _ in range(2):
        with pytest.raises(InvalidIntrinsics, match='focal length'):
            in_one_pass(path, raw, frame_of(160, 120, known=False), FrameOptions())
