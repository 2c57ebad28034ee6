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

"""
Who reads our topics: section 4 of the conventions, a line each, by contract.

The consumers cannot run here. Each test holds what one of them checks before it uses a message,
on one frame that has a hole, sky and a far wall, as it comes over DDS from the real node.
"""

from pathlib import Path

from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.ros.conversions import stamp_ns
from depth_anything_ros.service import DepthService
import numpy as np
import pytest
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_system_default, QoSProfile, ReliabilityPolicy
from ros_parts import (
    camera_info,
    coded_image,
    node_here,
    plane_depth,
    points_of,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

pytestmark = pytest.mark.ros
CAMERA = small_camera(32, 24)
DEPTH = plane_depth(CAMERA).astype(np.float32)
DEPTH[10:12, 5:9] = np.nan
SKY = np.zeros(DEPTH.shape, np.float32)
SKY[:4] = 1.0
STAMP = 5 * 10 ** 9 + 123456789
TOPICS = {
    'depth/image': Image, 'depth/image_raw': Image, 'depth/camera_info': CameraInfo,
    'depth/points': PointCloud2, 'color/image': Image, 'color/camera_info': CameraInfo,
    'depth/preview': Image}
RECIPES = Path(__file__).parents[2] / 'docs' / 'recipes'


@pytest.fixture(scope='module')
def parts():
    def service(settings):
        return DepthService(GivenDepthEngine(lambda frame: DEPTH, sky_of=lambda frame: SKY))

    with ros_context() as context, node_here(context, service=service) as node:
        rig = Rig(context, topics=TOPICS)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            assert wait_until(lambda: len(node.cameras[0].outputs.wanted()) >= 3)
            yield node, rig
        finally:
            rig.close()


@pytest.fixture(scope='module')
def out(parts):
    _, rig = parts
    return rig.ask(coded_image(plane_depth(CAMERA), STAMP), camera_info(CAMERA, STAMP))


def pixels(message, kind):
    return np.frombuffer(message.data, kind).reshape(message.height, message.width)


def points(cloud):
    step = cloud.point_step // 4
    values = np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, step)
    return values[..., :3]


def ask_with(parts, stamp, **parameters):
    """Return the outputs of a frame with other parameters, which are put back afterwards."""
    node, rig = parts
    names = {name.replace('__', '.'): value for name, value in parameters.items()}
    before = [Parameter(name, value=node.get_parameter(name).value) for name in names]
    for result in node.set_parameters([Parameter(n, value=v) for n, v in names.items()]):
        assert result.successful, result.reason
    try:
        return rig.ask(coded_image(plane_depth(CAMERA), stamp), camera_info(CAMERA, stamp))
    finally:
        node.set_parameters(before)


def test_depth_image_proc_point_cloud_xyz(out):
    depth, info = out['depth/image'], out['depth/camera_info']
    assert depth.encoding == '32FC1' and not depth.is_bigendian
    assert depth.header == info.header, 'an exact synchronizer pairs them'
    assert info.p[0] > 0 and info.p[5] > 0 and info.p[2] == CAMERA.cx and info.p[6] == CAMERA.cy
    values = pixels(depth, np.float32)
    assert np.isnan(values[10, 6]) and np.isnan(values[0]).all()
    assert (values[np.isfinite(values)] > 0).all(), '0 would be a point at the camera'
    valid = np.isfinite(values)
    np.testing.assert_allclose(
        points(out['depth/points'])[valid], points_of(values, CAMERA)[valid], rtol=1e-5)


def test_depth_image_proc_point_cloud_xyzrgb(out):
    depth, color, info = out['depth/image'], out['color/image'], out['color/camera_info']
    assert (depth.width, depth.height) == (color.width, color.height) == (info.width, info.height)
    assert depth.header == color.header == info.header
    assert color.encoding == 'rgb8'


def test_depth_image_proc_convert_metric_and_disparity(out):
    assert not np.isinf(pixels(out['depth/image'], np.float32)).any(), 'cast to uint16 undefined'
    assert out['depth/camera_info'].p[3] == 0, 'one camera has no baseline'
    raw, metres = pixels(out['depth/image_raw'], np.uint16), pixels(out['depth/image'], np.float32)
    assert out['depth/image_raw'].encoding == '16UC1' and (raw[np.isnan(metres)] == 0).all()
    valid = np.isfinite(metres)
    np.testing.assert_allclose(raw[valid] / 1000, metres[valid], atol=5.1e-4)


def test_depth_image_proc_register(out):
    depth, color, info = out['depth/image'], out['color/image'], out['color/camera_info']
    assert depth.header == color.header == info.header, 'TF between them is the identity'
    metres = pixels(depth, np.float32)
    assert not np.isinf(metres).any()
    # What register does with each pixel: to a point by the depth's P, to the colour's pixel by P.
    x, y, z = points_of(metres, CAMERA)[np.isfinite(metres)].T
    column, row = info.p[0] * x / z + info.p[2], info.p[5] * y / z + info.p[6]
    rows, columns = np.nonzero(np.isfinite(metres))
    np.testing.assert_allclose([row, column], [rows, columns], atol=1e-3)


def test_every_output_is_looked_up_in_tf_as_the_image_is(out):
    frame = camera_info(CAMERA, STAMP).header.frame_id
    assert {message.header.frame_id for message in out.values()} == {frame}


def test_rviz_point_cloud2(parts, out):
    cloud = out['depth/points']
    assert [(f.name, f.offset, f.datatype) for f in cloud.fields] == [
        ('x', 0, 7), ('y', 4, 7), ('z', 8, 7), ('rgb', 12, 7)]
    assert (cloud.height, cloud.width) == DEPTH.shape and not cloud.is_dense
    assert cloud.row_step == cloud.width * cloud.point_step
    assert cloud.header.frame_id == 'camera_optical_frame'
    assert len(cloud.data) == cloud.height * cloud.row_step


def test_rviz_depth_cloud(out):
    info, depth = out['depth/camera_info'], out['depth/image']
    assert (info.width, info.height) == (depth.width, depth.height)
    assert info.binning_x == info.binning_y == 0
    assert info.roi.width == info.roi.height == info.roi.x_offset == info.roi.y_offset == 0
    assert 'rgb' in out['color/image'].encoding


def test_rviz_image(out):
    values = pixels(out['depth/image'], np.float32)
    assert not np.isinf(values).any(), 'one infinite pixel turns the normalised view black'
    assert out['depth/preview'].encoding == 'rgb8'


def test_rtabmap(out):
    depth, color, info = out['depth/image'], out['color/image'], out['color/camera_info']
    assert color.width % depth.width == 0 == color.height % depth.height
    assert color.width // depth.width == color.height // depth.height
    assert len({stamp_ns(item.header.stamp) for item in (depth, color, info)}) == 1
    assert depth.encoding == '32FC1' and out['depth/image_raw'].encoding == '16UC1'


def test_nvblox(out):
    info = out['depth/camera_info']
    assert list(info.k) == pytest.approx(list(CAMERA.matrix().reshape(-1))), 'it reads K, not P'
    assert info.header.stamp == out['depth/image'].header.stamp, 'exact synchronizer'
    assert out['color/image'].encoding in ('rgb8', 'bgra8'), 'bgr8 is refused'


BEST_EFFORT = ReliabilityPolicy.BEST_EFFORT
READERS = [
    ('octomap_server', PointCloud2, 'depth/points', QoSProfile(depth=5, reliability=BEST_EFFORT)),
    ('Nav2 obstacle layer', PointCloud2, 'depth/points',
     QoSProfile(depth=50, reliability=BEST_EFFORT)),
    ('DepthCloud', Image, 'depth/image', QoSProfile(depth=6, reliability=BEST_EFFORT)),
    ('DepthCloud', CameraInfo, 'depth/camera_info', QoSProfile(depth=7, reliability=BEST_EFFORT)),
    ('point_cloud_xyz', Image, 'depth/image', qos_profile_system_default),
    ('point_cloud_xyz', CameraInfo, 'depth/camera_info', qos_profile_system_default),
    ('point_cloud_xyzrgb', Image, 'color/image', QoSProfile(depth=10)),
    ('depthimage_to_laserscan', Image, 'depth/image_raw', qos_profile_system_default)]


@pytest.mark.parametrize('consumer, kind, topic, quality', READERS)
def test_readers_of_every_quality_of_service_receive(parts, consumer, kind, topic, quality):
    _, rig = parts
    got = []
    subscription = rig.node.create_subscription(kind, topic, got.append, quality)
    try:
        stamp = STAMP + 10 + READERS.index((consumer, kind, topic, quality))

        def sent():
            rig.send(coded_image(plane_depth(CAMERA), stamp), camera_info(CAMERA, stamp))
            return wait_until(lambda: bool(got), 0.5)
        assert wait_until(sent), consumer
    finally:
        rig.node.destroy_subscription(subscription)


def test_nav2_needs_points_to_clear(parts):
    found = points(ask_with(parts, STAMP + 1, sky__mode='far')['depth/points'])
    rows = found[:4].reshape(-1, 3)
    assert np.isfinite(rows).all(), 'NaN and Inf neither mark nor clear'
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 10.0, rtol=1e-5)


def test_stvl_gets_clouds_without_nan(parts):
    cloud = ask_with(parts, STAMP + 2, points__dense=True)['depth/points']
    assert cloud.height == 1 and cloud.is_dense
    assert np.isfinite(points(cloud)).all()
    assert cloud.width == np.isfinite(np.where(SKY > 0, np.nan, DEPTH)).sum()


def test_depthimage_to_laserscan(out):
    assert {out['depth/image'].encoding, out['depth/image_raw'].encoding} <= {'16UC1', '32FC1'}
    assert out['depth/camera_info'].k[0] > 0


def test_nvblox_finds_its_names_in_a_namespace():
    with ros_context() as context, node_here(context, cameras=('camera_0', 'camera_1')) as node:
        assert wait_until(lambda: node.state == 'active')
        ours = {publisher.topic_name for publisher in node.publishers}
        for camera in ('camera_0', 'camera_1'):
            assert ours >= {f'/{camera}/{name}' for name in (
                'depth/image', 'depth/camera_info', 'color/image', 'color/camera_info')}


def test_yolo_ros_is_told_the_unit():
    assert 'depth_image_units_divisor:=1' in (RECIPES / 'yolo.md').read_text()


def test_foxglove_every_publisher_is_reliable(parts):
    _, rig = parts
    for topic in TOPICS:
        for publisher in rig.node.get_publishers_info_by_topic(f'/{topic}'):
            assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE, topic


def test_rosbag2_all_stamps_are_the_images(out):
    assert {stamp_ns(message.header.stamp) for message in out.values()} == {STAMP}
