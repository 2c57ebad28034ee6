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

"""Lenses and smaller pictures, judged by what the bundled network makes of a known room."""

import importlib.util

import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.options import FrameOptions, OutputSize
from depth_anything_ros.scenes import demo_rooms, random_view, render
from depth_anything_ros.service import DepthService, load_engine
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from ros_parts import camera_info
from test_frames import compressed, Maker, raw

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('depth_anything_3') is None,
                       reason='depth_anything_3 is not installed')]

RECTIFIED = Intrinsics.from_fov(65, 320, 240)
LENS = [-0.35, 0.12, 0.001, -0.001, 0.0]


@pytest.fixture(scope='module')
def service():
    service = DepthService(load_engine(changed(
        Settings(), {'model.name': 'da3-tiny', 'model.device': 'cpu'})))
    yield service
    service.close()


@pytest.fixture(scope='module')
def views():
    return [render(room, random_view(room, np.random.default_rng(index)), RECTIFIED)
            for index, room in enumerate(demo_rooms()[:4])]


def through_the_lens(rgb, info):
    """Return what a distorted camera sees of a picture that the rectified one shows."""
    u, v = np.meshgrid(np.arange(320.0), np.arange(240.0))
    rays = cv2.undistortPoints(
        np.stack([u, v], -1).reshape(-1, 1, 2), np.reshape(info.k, (3, 3)), np.array(info.d),
        P=RECTIFIED.matrix()).reshape(240, 320, 2).astype(np.float32)
    return cv2.remap(
        rgb, rays[..., 0], rays[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def error(result, truth):
    return float(np.nanmean(np.abs(result.depth / truth - 1)))


def test_a_rectified_lens_is_as_good_as_none(service, views):
    info = camera_info(RECTIFIED, 5)
    info.d = LENS
    make, options = Maker(), FrameOptions()
    small = FrameOptions(process_res=140, output_size=OutputSize.MODEL)
    pinhole, bent, straight = [], [], []
    for view in views:
        pinhole.append(error(service.estimate(
            make(raw(view.rgb), camera_info(RECTIFIED, 5)), options), view.depth))
        image = raw(through_the_lens(view.rgb, info))
        bent.append(error(service.estimate(make(image, info), options), view.depth))
        result = service.estimate(make(image, info, rectify=True), options)
        assert result.intrinsics == RECTIFIED
        straight.append(error(result, view.depth))
        whole, half = (service.estimate(make(
            image, info, options=wanted, process_res=140, rectify=True), small)
            for wanted in (options, small))
        assert half.frame.size == (160, 120) and half.intrinsics == whole.intrinsics
        assert np.nanmedian(np.abs(half.depth / whole.depth - 1)) < 0.03
    assert np.mean(straight) < 1.3 * np.mean(pinhole), (pinhole, straight)
    assert np.mean(bent) > 1.5 * np.mean(straight), 'the lens matters'


def test_a_jpeg_that_is_decoded_smaller_is_seen_the_same(service, views):
    options = FrameOptions(process_res=140, output_size=OutputSize.MODEL)
    make = Maker()
    for view in views:
        results = []
        for image, size in ((raw(view.rgb), (320, 240)), (compressed(view.rgb), (160, 120))):
            frame = make(image, camera_info(RECTIFIED, 5), options=options,
                         process_res=service.info.process_res)
            assert frame.size == size
            results.append(service.estimate(frame, options))
        whole, small = results
        assert small.depth.shape == whole.depth.shape == (112, 140)
        assert small.intrinsics == whole.intrinsics
        assert small.color.shape == (112, 140, 3)
        assert np.nanmedian(np.abs(small.depth / whole.depth - 1)) < 0.03
