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

"""What is accepted as a frame and as options."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.errors import InvalidImage, InvalidIntrinsics, InvalidRequest
import numpy as np
import pytest


@pytest.mark.parametrize('image', [
    np.zeros((4, 5), np.uint8), np.zeros((4, 5, 4), np.uint8), np.zeros((4, 5, 3), np.float32),
    np.zeros((1, 4, 5, 3), np.uint8), [[[1, 2, 3]]], None])
def test_a_frame_is_uint8_rgb(image: Any) -> None:
    with pytest.raises(InvalidImage, match=r'accepted: uint8 \(H, W, 3\)'):
        Frame(image)


@pytest.mark.parametrize('shape', [(0, 5, 3), (4, 0, 3)])
def test_an_empty_frame_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidImage, match='empty'):
        Frame(np.zeros(shape, np.uint8))


def test_the_camera_belongs_to_the_frame() -> None:
    rgb = np.zeros((4, 5, 3), np.uint8)
    assert Frame(rgb, intrinsics=Intrinsics.from_fov(60, 5, 4)).size == (5, 4)
    with pytest.raises(InvalidIntrinsics, match='for 4x5, the image is 5x4'):
        Frame(rgb, intrinsics=Intrinsics.from_fov(60, 4, 5))


@pytest.mark.parametrize(('values', 'words'), [
    ({'process_res': -1}, 'process_res'),
    ({'process_res_method': 'stretch'}, "'stretch' is unknown; accepted: upper_bound_resize"),
    ({'minimum': -0.1}, 'depth limits'),
    ({'minimum': 5.0, 'maximum': 5.0}, 'seen 5 and 5'),
    ({'maximum': float('nan')}, 'depth limits'),
    ({'focal_length': -1.0}, 'focal_length'),
    ({'focal_length': float('inf')}, 'focal_length'),
    ({'fov_deg': 180.0}, 'fov_deg'),
    ({'fov_deg': float('nan')}, 'fov_deg'),
    ({'raw': True, 'outputs': frozenset({Output.POINTS})}, 'raw depth comes without points'),
])
def test_options_that_cannot_be_meant_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        FrameOptions(**values)
