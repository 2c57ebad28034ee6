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

import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.distortion import rectification
from depth_anything_ros.core.options import FrameOptions, OutputSize
from depth_anything_ros.errors import (
    InvalidImage,
    InvalidIntrinsics,
    InvalidRequest,
    PayloadTooLarge,
    UnsupportedEncoding,
)
from depth_anything_ros.ros.frames import FrameMaker
from depth_anything_ros.ros.pairing import Pair
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from ros_parts import camera_info, small_camera, stamped
from sensor_msgs.msg import CompressedImage, Image

pytestmark = pytest.mark.ros

WIDTH, HEIGHT = 160, 120
CAMERA = small_camera(WIDTH, HEIGHT)
P = Intrinsics(120.0, 125.0, 79.0, 61.0, WIDTH, HEIGHT)
LENSES = [('plumb_bob', [-0.2, 0.05, 0.001, -0.002, 0.0]),
          ('rational_polynomial', [0.3, -0.05, 0.001, -0.002, 0.01, 0.55, 0.02, 0.005]),
          ('equidistant', [-0.02, 0.006, -0.002, 0.0004])]
RGB = np.dstack([
    np.broadcast_to(np.linspace(0, 255, WIDTH), (HEIGHT, WIDTH)),
    np.broadcast_to(np.linspace(0, 200, HEIGHT)[:, None], (HEIGHT, WIDTH)),
    np.full((HEIGHT, WIDTH), 40)]).astype(np.uint8)


class Said:
    """Collects warnings."""

    def __init__(self):
        self.lines = []

    def warning(self, text):
        self.lines.append(text)


def raw(rgb=RGB):
    height, width = rgb.shape[:2]
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.data.frombytes(rgb.tobytes())
    return stamped(message, 5)


def compressed(rgb=RGB, kind='.jpg', name='jpeg', data=None):
    if data is None:
        data = cv2.imencode(kind, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
    message = CompressedImage(format=name)
    message.data.frombytes(data)
    return stamped(message, 5)


def lens_info(model, d, p=P):
    info = camera_info(CAMERA, 5)
    info.distortion_model, info.d = model, d
    info.p = [p.fx, 0.0, p.cx, 0.0, 0.0, p.fy, p.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


class Maker:
    """A maker with what it said."""

    def __init__(self, topic='/cam/image_raw'):
        self.said = Said()
        self.maker = FrameMaker(topic, Reporter(self.said))

    def __call__(self, image, info=None, *, needs_camera=True, process_res=0, options=None,
                 on_device=False, **camera):
        settings = changed(Settings(), {f'camera.{key}': value for key, value in camera.items()})
        return self.maker.frame(
            Pair(image, info), settings, options or FrameOptions(), process_res,
            needs_camera=needs_camera, on_device=on_device)


@pytest.fixture
def make():
    return Maker()


def test_a_camera_info_is_asked_once(make):
    """What stays the same message stays the same camera; another one or another size is not."""
    info = lens_info('plumb_bob', [0.0] * 5)
    first, again = make(raw(), info), make(raw(), info)
    assert again.intrinsics is first.intrinsics and first.intrinsics == P
    info = lens_info('plumb_bob', [0.1] * 5, Intrinsics(100.0, 101.0, 70.0, 60.0, WIDTH, HEIGHT))
    assert make(raw(), info, image_geometry='rectified').intrinsics.fx == 100.0
    assert make(raw(), info, image_geometry='raw').intrinsics.fx == info.k[0] != 100.0
    for _ in range(2):
        with pytest.raises(InvalidIntrinsics, match='the image is 80x60'):
            make(raw(RGB[::2, ::2]), info)
    assert make(raw(), info, image_geometry='rectified').intrinsics.fx == 100.0


@pytest.mark.parametrize('model, d', LENSES)
def test_a_distorted_image_becomes_that_of_p(make, model, d):
    info = lens_info(model, d)
    frame = make(raw(), info, rectify=True)
    maps = rectification(model, d, info.k, info.r, info.p, WIDTH, HEIGHT)
    assert frame.intrinsics == P and not make.said.lines
    np.testing.assert_array_equal(frame.rgb, maps.rectify(RGB))
    assert np.abs(frame.rgb.astype(int) - RGB).max() > 10, 'the lens makes a difference'
    assert frame.seen is None if maps.inside.all() else (frame.seen == maps.inside).all()
    assert make.maker.lens == 'rectified by this node'


@pytest.mark.parametrize('model, d', LENSES)
def test_an_engine_that_rectifies_gets_the_image_as_it_is_with_the_maps(make, model, d):
    info = lens_info(model, d)
    frame, there = (make(raw(), info, rectify=True, on_device=where) for where in (False, True))
    np.testing.assert_array_equal(there.rgb, RGB)
    np.testing.assert_array_equal(there.rectified().rgb, frame.rgb)
    assert there.lens is make(raw(), info, rectify=True, on_device=True).lens, 'kept per camera'
    assert there.intrinsics == frame.intrinsics == P and frame.lens is None
    assert there.seen is frame.seen


@pytest.mark.parametrize('model, d', LENSES)
def test_without_it_k_describes_the_image_and_one_line_warns(make, model, d):
    for _ in range(3):
        frame = make(raw(), lens_info(model, d))
        assert frame.intrinsics == CAMERA
        np.testing.assert_array_equal(frame.rgb, RGB)
    assert len(make.said.lines) == 1 and 'camera.rectify' in make.said.lines[0]
    assert make.maker.lens == 'distorted, not rectified'


def test_maps_are_made_once_per_camera(make):
    info = lens_info(*LENSES[0])
    make(raw(), info, rectify=True)
    first = make.maker._maps
    make(raw(), lens_info(*LENSES[0]), rectify=True)
    assert make.maker._maps is first
    make(raw(), lens_info(*LENSES[1]), rectify=True)
    assert make.maker._maps is not first


def test_region_of_interest_and_binning_of_a_distorted_camera(make):
    info = lens_info(*LENSES[0])
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 20, 10, 100, 80
    info.binning_x = info.binning_y = 2
    frame = make(raw(np.ascontiguousarray(RGB[:40, :50])), info, rectify=True)
    assert frame.intrinsics == P.cropped(20, 10, 100, 80).resized(50, 40)
    with pytest.raises(InvalidIntrinsics, match='50x40.*the image is 160x120'):
        make(raw(), info, rectify=True)


def test_a_camera_without_distortion_is_left_alone(make):
    frame = make(raw(), camera_info(CAMERA, 5), rectify=True)
    np.testing.assert_array_equal(frame.rgb, RGB)
    assert frame.intrinsics == CAMERA and not make.said.lines


def test_the_images_frame_is_used_where_the_camera_info_has_another(make):
    for _ in range(3):
        frame = make(raw(), stamped(camera_info(CAMERA), 5, 'other_frame'))
        assert frame.frame_id == raw().header.frame_id != 'other_frame'
    said, = make.said.lines
    assert "camera_info is in frame 'other_frame'" in said


@pytest.mark.parametrize('topic', [
    '/cam/image_rect', '/cam/image_rect_color', '/image_rect/compressed'])
def test_an_image_that_is_called_rectified_is_described_by_p(topic):
    make = Maker(topic)
    for rectify in (False, True):
        frame = make(raw(), lens_info(*LENSES[0]), rectify=rectify)
        assert frame.intrinsics == P
        np.testing.assert_array_equal(frame.rgb, RGB)
    assert len(make.said.lines) == 1 and 'because of its name' in make.said.lines[0]
    assert make(raw(), lens_info(*LENSES[0]), image_geometry='raw').intrinsics == CAMERA


def test_somebody_says_that_the_image_is_rectified(make):
    assert make(raw(), lens_info(*LENSES[0]), image_geometry='rectified').intrinsics == P
    assert not make.said.lines and make.maker.lens == 'the image is rectified'


def test_somebody_says_that_the_image_is_raw(make):
    assert make(raw(), lens_info('plumb_bob', [0.0] * 5), image_geometry='raw'
                ).intrinsics == CAMERA


@pytest.mark.parametrize('rectify', [False, True])
def test_an_uncalibrated_camera(make, rectify):
    info = lens_info(*LENSES[0])
    info.k, info.p = [0.0] * 9, [0.0] * 12
    with pytest.raises(InvalidIntrinsics, match=r'K\[0\] is 0.*camera.fov_deg'):
        make(raw(), info, rectify=rectify)
    assert make(raw(), info, rectify=rectify, needs_camera=False).intrinsics is None
    assert sum('no effect' in line for line in make.said.lines) == rectify


def test_an_unknown_lens_is_refused(make):
    with pytest.raises(InvalidIntrinsics, match="'tangent' is unknown; accepted.*plumb_bob"):
        make(raw(), lens_info('tangent', [0.1] * 4), rectify=True)


@pytest.mark.parametrize('kind, name', [('.png', 'png'), ('.png', 'bgr8; png compressed bgr8'),
                                        ('.jpg', 'rgb8; jpeg compressed bgr8')])
def test_a_compressed_image_is_the_same_image(make, kind, name):
    frame = make(compressed(kind=kind, name=name), camera_info(CAMERA, 5))
    difference = np.abs(frame.rgb.astype(int) - RGB)
    assert difference.max() <= (0 if kind == '.png' else 12)
    assert frame.intrinsics == CAMERA and (frame.stamp_ns, frame.frame_id) == (
        5, 'camera_optical_frame')


SMALL = FrameOptions(output_size=OutputSize.MODEL)


@pytest.mark.parametrize('options, process_res, size', [
    (SMALL, 70, (80, 60)), (SMALL, 28, (40, 30)), (SMALL, 140, (160, 120)),
    (FrameOptions(output_size=OutputSize.MODEL, process_res=70), 500, (80, 60)),
    # Every pixel of the camera is published: every pixel is decoded.
    (FrameOptions(), 70, (160, 120)),
    # An engine that takes every image as it is.
    (SMALL, 0, (160, 120))])
def test_a_jpeg_is_decoded_no_larger_than_needed(make, options, process_res, size):
    frame = make(compressed(), camera_info(CAMERA, 5), options=options, process_res=process_res)
    assert frame.size == size and frame.intrinsics == CAMERA.resized(*size)


def test_what_needs_the_whole_image_gets_it(make):
    focal = FrameOptions(output_size=OutputSize.MODEL, focal_length=100.0)
    assert make(compressed(), options=focal, process_res=28, needs_camera=False).size == (160, 120)
    wide = FrameOptions(output_size=OutputSize.MODEL, fov_deg=70.0)
    assert make(compressed(), options=wide, process_res=28, needs_camera=False).size == (40, 30)


@pytest.mark.parametrize('message', [compressed(), compressed(kind='.png'), raw()])
@pytest.mark.parametrize('model, d', LENSES)
def test_a_smaller_image_is_rectified_with_smaller_maps(make, message, model, d):
    lens = lens_info(model, d)
    whole = make(raw(), lens, rectify=True)
    frame = make(message, lens, options=SMALL, process_res=70, rectify=True)
    assert frame.size == (80, 60) and frame.intrinsics == P.resized(80, 60)
    expected = cv2.resize(whole.rgb, (80, 60), interpolation=cv2.INTER_AREA)
    middle = np.s_[8:-8, 8:-8]
    difference = np.abs(frame.rgb.astype(int) - expected)[middle]
    assert np.median(difference) <= 2 and np.percentile(difference, 99) < 12
    assert make(message, lens, rectify=True).size == (160, 120), 'and with whole ones'


def test_a_raw_image_is_left_to_the_engine(make):
    frame = make(raw(), camera_info(CAMERA, 5), options=SMALL, process_res=28)
    assert frame.size == (160, 120)


JPEG = bytes(compressed().data)


@pytest.mark.parametrize('message, error, words', [
    (compressed(data=JPEG[:-200]), InvalidImage, 'cut off'),
    (compressed(data=JPEG[:40]), InvalidImage, 'ends inside its header'),
    (compressed(data=b''), UnsupportedEncoding, 'starts with nothing'),
    (compressed(data=b'GIF89a' * 9), UnsupportedEncoding, 'accepted: JPEG, PNG, WebP'),
    (compressed(name='16UC1; compressedDepth'), UnsupportedEncoding, 'colour or grey'),
    (compressed(data=JPEG.replace(bytes([0, 120, 0, 160]), b'\xff\xff\xff\xff')),
     PayloadTooLarge, '65535x65535 pixels; accepted: at most'),
    (compressed(data=JPEG.replace(bytes([0, 120, 0, 160]), bytes([0, 99, 0, 160]))),
     InvalidRequest, '160x99')])
def test_broken_compressed_images(make, message, error, words):
    with pytest.raises(error, match=words):
        make(message, camera_info(CAMERA, 5))
