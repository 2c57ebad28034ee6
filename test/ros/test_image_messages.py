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

from depth_anything_ros.core.camera_info import intrinsics_of, is_distorted
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.errors import InvalidImage, InvalidIntrinsics, UnsupportedEncoding
from depth_anything_ros.ros.buffers import CloudBuffer, ImageBuffer
from depth_anything_ros.ros.camera_info import fill_camera_info
from depth_anything_ros.ros.conversions import data_of, frame_of
from depth_anything_ros.ros.headers import header_of
import numpy as np
import pytest
from ros_parts import camera_info, coded_image, plane_depth, small_camera
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

pytestmark = pytest.mark.ros
CAMERA = small_camera()


def test_header_in_is_header_out():
    message = coded_image(plane_depth(CAMERA), stamp=1_234_567_890_123_456_789, frame_id='frame')
    frame = frame_of(message)
    assert frame.stamp_ns == 1_234_567_890_123_456_789 and frame.frame_id == 'frame'
    assert header_of(frame) == message.header


def test_pixels_are_a_view_of_the_message():
    message = coded_image(plane_depth(CAMERA))
    frame = frame_of(message)
    message.data[0] = 77
    assert frame.rgb[0, 0, 0] == 77


def test_data_that_is_not_in_memory_is_said():
    class Elsewhere:
        data = object()
    with pytest.raises(InvalidImage, match='object'):
        data_of(Elsewhere())


def test_an_unknown_encoding_says_what_cv_bridge_said():
    message = coded_image(plane_depth(CAMERA))
    message.encoding = 'no such'
    with pytest.raises(UnsupportedEncoding, match=r"'no such'; accepted: rgb8.*cv_bridge"):
        frame_of(message)


def test_an_image_buffer_fills_the_same_message_in_place():
    buffer, header = ImageBuffer('32FC1'), Header(frame_id='a')
    depth = np.arange(12, dtype=np.float32).reshape(3, 4)
    first = buffer.fill(header, depth)
    assert (first.height, first.width, first.step, first.encoding) == (3, 4, 16, '32FC1')
    assert np.array_equal(np.frombuffer(first.data, np.float32), depth.reshape(-1))
    data = first.data
    second = buffer.fill(header, depth[:, ::-1])
    assert second is first and second.data is data
    assert np.array_equal(np.frombuffer(data, np.float32), depth[:, ::-1].reshape(-1))
    other = buffer.fill(header, depth[:2])
    assert (other.height, other.width, len(other.data)) == (2, 4, 32)


def test_a_preview_message():
    rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    message = ImageBuffer('rgb8').fill(Header(), rgb)
    assert (message.step, message.encoding) == (12, 'rgb8')
    assert np.array_equal(frame_of(message).rgb, rgb)


def test_a_cloud_keeps_every_bit():
    depth = plane_depth(CAMERA).astype(np.float32)
    depth[0, :3] = np.nan
    rgb = np.full((*depth.shape, 3), 255, np.uint8)
    cloud = organised_cloud(depth, CAMERA, rgb)
    # These bits are a signalling NaN when read as a float.
    cloud.view(np.uint32)[1, 1, 3] = 0x7FA00001
    message = CloudBuffer().fill(Header(), cloud)
    assert bytes(message.data) == cloud.tobytes()
    assert (message.width, message.height) == (80, 60) and not message.is_dense
    assert (message.point_step, message.row_step) == (16, 16 * 80)


def test_p_describes_a_camera_without_distortion():
    info = camera_info(CAMERA)
    info.p[0] = info.p[5] = 55.0
    assert not is_distorted(info)
    assert intrinsics_of(info, 80, 60).fx == 55


def test_k_describes_a_camera_with_distortion():
    info = camera_info(CAMERA)
    info.p[0] = info.p[5] = 55.0
    info.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    assert is_distorted(info)
    assert intrinsics_of(info, 80, 60).fx == CAMERA.fx


def test_k_stands_in_where_p_is_not_set():
    info = camera_info(CAMERA)
    info.p = [0.0] * 12
    assert intrinsics_of(info, 80, 60) == CAMERA


def test_not_calibrated():
    assert intrinsics_of(CameraInfo(width=80, height=60), 80, 60) is None


def test_another_size_is_refused_with_both():
    with pytest.raises(InvalidIntrinsics, match=r'80x60.*40x30'):
        intrinsics_of(camera_info(CAMERA), 40, 30)


def test_a_region_outside_is_refused():
    info = camera_info(CAMERA)
    info.roi.x_offset, info.roi.width, info.roi.height = 60, 40, 60
    with pytest.raises(InvalidIntrinsics, match='leaves the image'):
        intrinsics_of(info, 40, 60)


def test_info_out_forgets_what_does_not_hold_any_more():
    message = camera_info(CAMERA)
    message.distortion_model, message.d = 'equidistant', [0.1] * 4
    message.r = [2.0] * 9
    message.p[3] = -12.0
    message.binning_x, message.roi.width, message.roi.do_rectify = 2, 10, True
    small = CAMERA.resized(40, 30)
    out = fill_camera_info(message, Header(frame_id='f'), small)
    again = intrinsics_of(out, 40, 30)
    assert again.matrix() == pytest.approx(small.matrix())
    assert out.distortion_model == 'plumb_bob' and not any(out.d) and out.header.frame_id == 'f'
    assert list(out.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1] and out.p[3] == 0
    assert out.binning_x == out.roi.width == 0 and not out.roi.do_rectify
