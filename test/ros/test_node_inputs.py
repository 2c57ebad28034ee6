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
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
from depth_anything_ros.srv import EstimateDepth
import numpy as np
import pytest
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_parts import (
    camera_info,
    coded_image,
    depth_from,
    exact_service,
    node_here,
    plane_depth,
    points_of,
    Rig,
    ros_context,
    small_camera,
    stamped,
    wait_until,
    xyz_of,
)
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

pytestmark = pytest.mark.ros

CAMERA = small_camera(64, 48)
DEPTH = plane_depth(CAMERA)


@pytest.fixture
def context():
    with ros_context() as context:
        yield context


def png(stamp, data=None, name='png'):
    """Return a coded image as the bytes of a PNG, which loses nothing."""
    image = coded_image(DEPTH, stamp)
    if data is None:
        rgb = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
        data = cv2.imencode('.png', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
    message = CompressedImage(format=name)
    message.data.frombytes(data)
    return stamped(message, stamp)


class CompressedRig(Rig):
    """A camera that sends compressed images."""

    def __init__(self, context, topic='cam/image_raw/compressed', info='cam/camera_info'):
        super().__init__(context, topics={'depth/image': Image, 'depth/camera_info': CameraInfo})
        self.node.destroy_publisher(self.images)
        self.node.destroy_publisher(self.infos)
        self.images = self.node.create_publisher(CompressedImage, topic, 10)
        self.infos = self.node.create_publisher(CameraInfo, info, 10)


@pytest.mark.parametrize('remap', [
    'image:=/cam/image_raw', 'image/compressed:=/cam/image_raw/compressed'])
def test_compressed_images_come_beside_the_remapped_topic(context, remap):
    with node_here(context, '-r', remap, camera__image_transport='compressed') as node:
        rig = CompressedRig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            out = rig.ask(png(1), camera_info(CAMERA, 1))
            assert abs(depth_from(out['depth/image']) - DEPTH).max() < 1e-4
            assert list(out['depth/camera_info'].k) == list(camera_info(CAMERA).k)
        finally:
            rig.close()


def test_the_other_transport_is_pointed_at(context):
    with node_here(context, '-r', 'image:=/cam/image_raw') as node:
        rig = CompressedRig(context)
        try:
            assert wait_until(lambda: node.state == 'active')
            assert wait_until(lambda: 'images come on /cam/image_raw/compressed: set '
                              'camera.image_transport to compressed'
                              in node.cameras[0].health('active').hint)
        finally:
            rig.close()


def test_broken_compressed_images_are_counted_and_the_next_one_served(context):
    whole = bytes(png(0).data)
    huge = whole[:16] + (60000).to_bytes(4, 'big') * 2 + whole[24:]
    with node_here(context, '-r', 'image:=/cam/image_raw', camera__image_transport='compressed'
                   ) as node:
        rig = CompressedRig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            rig.ask(png(1), camera_info(CAMERA, 1))
            broken = [(whole[:200], 'cut off'), (b'', 'nothing'), (b'no picture', 'JPEG, PNG'),
                      (huge, '60000x60000 pixels; accepted: at most')]
            for number, (data, words) in enumerate(broken, 1):
                rig.send(png(2, data), camera_info(CAMERA, 2))
                assert wait_until(lambda number=number: node.counts().invalid == number)
                assert words in node._reporter.last_error
            rig.ask(png(3), camera_info(CAMERA, 3))
            counts = node.counts()
            assert counts.failed == 0 and counts.received == counts.accounted
        finally:
            rig.close()


def test_a_distorted_camera_is_rectified_and_described_by_p(context):
    camera = small_camera(160, 120)
    wide = Intrinsics(70.0, 72.0, 79.0, 61.0, 160, 120)
    wall = plane_depth(wide).astype(np.float32)
    info = camera_info(camera, 1)
    info.d = [-0.2, 0.05, 0.001, -0.002, 0.0]
    info.p = [wide.fx, 0.0, wide.cx, 0.0, 0.0, wide.fy, wide.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    maps = rectification('plumb_bob', info.d, info.k, info.r, info.p, 160, 120)
    image = coded_image(plane_depth(camera), 1)
    rgb = np.frombuffer(image.data, np.uint8).reshape(120, 160, 3)
    topics = {'depth/image': Image, 'depth/camera_info': CameraInfo, 'color/image': Image,
              'depth/points': PointCloud2}
    with node_here(context, camera__rectify=True, service=lambda settings: DepthService(
            GivenDepthEngine(lambda frame: wall))) as node:
        rig = Rig(context, topics=topics)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            out = rig.ask(image, info)
            described = out['depth/camera_info']
            assert list(described.k) == [70.0, 0.0, 79.0, 0.0, 72.0, 61.0, 0.0, 0.0, 1.0]
            assert list(described.p) == list(info.p) and not any(described.d)
            assert list(described.r) == [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
            pixels = np.frombuffer(out['color/image'].data, np.uint8).reshape(120, 160, 3)
            np.testing.assert_array_equal(pixels, maps.rectify(rgb))
            # Where the lens saw nothing there is no depth and no point.
            assert 0.05 < (~maps.inside).mean() < 0.9
            expected = np.where(maps.inside, wall, np.nan)
            np.testing.assert_array_equal(depth_from(out['depth/image']), expected)
            points = points_of(expected, wide)
            np.testing.assert_allclose(xyz_of(out['depth/points']), points, rtol=1e-5)
            assert node.cameras[0].health('active').values['lens'] == 'rectified by this node'
            # Live: the next frame is the raw one again, and one line says what that means.
            node.set_parameters([Parameter('camera.rectify', value=False)])
            raw = rig.ask(stamped(image, 2), stamped(info, 2))
            assert list(raw['depth/camera_info'].k) == list(info.k)
            assert bytes(raw['color/image'].data) == bytes(image.data)
        finally:
            rig.close()


@pytest.mark.parametrize('setting, value, focal', [
    ('camera__fov_deg', 90.0, 32.0), ('camera__focal_length', 40.0, 40.0)])
def test_an_uncalibrated_camera_info_and_a_setting(context, setting, value, focal):
    def canonical(settings):
        return exact_service(settings, kind='canonical', focal_per_width=focal / 64)
    info = camera_info(CAMERA, 1)
    info.k, info.p = [0.0] * 9, [0.0] * 12
    with node_here(context, service=canonical, **{setting: value}) as node:
        rig = Rig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            out = rig.ask(coded_image(DEPTH, 1), info)
            assert out['depth/camera_info'].k[0] == pytest.approx(focal)
            np.testing.assert_allclose(depth_from(out['depth/image']), DEPTH, rtol=1e-4)
        finally:
            rig.close()


def test_both_ways_of_saying_that_it_is_rectified_are_one_too_many(context):
    with node_here(context, camera__rectify=True) as node:
        assert wait_until(lambda: node.state == 'active')
        result, = node.set_parameters([Parameter('camera.image_geometry', value='rectified')])
        assert not result.successful and 'camera.rectify has nothing to do' in result.reason


def requested(rig, image, info):
    client = rig.node.create_client(EstimateDepth, 'depth_anything/estimate_depth')
    assert client.wait_for_service(20.0)
    future = client.call_async(
        EstimateDepth.Request(image=image, camera_info=info, with_cloud=True))
    assert wait_until(future.done)
    assert future.result().success, future.result().message
    return future.result()


def test_a_request_is_rectified_as_the_topics_are(context):
    camera = small_camera(160, 120)
    wide = Intrinsics(70.0, 72.0, 79.0, 61.0, 160, 120)
    info = camera_info(camera, 1)
    info.d = [-0.2, 0.05, 0.001, -0.002, 0.0]
    info.p = [wide.fx, 0.0, wide.cx, 0.0, 0.0, wide.fy, wide.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    maps = rectification('plumb_bob', info.d, info.k, info.r, info.p, 160, 120)
    image = coded_image(plane_depth(camera), 1)
    rgb = np.frombuffer(image.data, np.uint8).reshape(120, 160, 3)
    seen = []

    def network(frame):
        seen.append(frame.rgb.copy())
        return plane_depth(wide).astype(np.float32)
    with node_here(context, service=lambda settings: DepthService(
            GivenDepthEngine(network))) as node:
        rig = Rig(context, topics={})
        try:
            assert wait_until(lambda: node.state == 'active')
            raw = requested(rig, image, info)
            assert list(raw.camera_info.k) == list(info.k)
            assert 'lens distortion' in raw.message, 'said in every reply, not only once'
            assert 'lens distortion' in requested(rig, image, info).message
            np.testing.assert_array_equal(seen[-1], rgb)

            node.set_parameters([Parameter('camera.rectify', value=True)])
            out = requested(rig, image, info)
            np.testing.assert_array_equal(seen[-1], maps.rectify(rgb))
            assert list(out.camera_info.p) == list(info.p) and not any(out.camera_info.d)
            assert list(out.camera_info.k) == [70.0, 0.0, 79.0, 0.0, 72.0, 61.0, 0.0, 0.0, 1.0]
            expected = np.where(maps.inside, plane_depth(wide).astype(np.float32), np.nan)
            np.testing.assert_array_equal(depth_from(out.depth), expected)
            np.testing.assert_allclose(
                xyz_of(out.cloud), points_of(expected, wide), rtol=1e-5)
            assert 'distortion' not in out.message

            node.set_parameters_atomically([
                Parameter('camera.rectify', value=False),
                Parameter('camera.image_geometry', value='rectified')])
            rectified = requested(rig, image, info)
            assert list(rectified.camera_info.p) == list(info.p)
            np.testing.assert_array_equal(seen[-1], rgb)
        finally:
            rig.close()


LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_a_camera_info_that_was_published_once_is_heard_by_who_comes_later(context):
    def canonical(settings):
        return exact_service(settings, kind='canonical', focal_per_width=CAMERA.fx / 64)

    stamps = iter(range(10, 1000))

    def focal(info=None):
        """Send an image and return the focal length that its depth comes with, None without."""
        stamp = next(stamps)
        rig.send(coded_image(DEPTH, stamp), info and stamped(info, stamp))
        return rig.got['depth/camera_info'][stamp].k[0] \
            if wait_until(lambda: rig.all_have(stamp), 0.5) else None

    with node_here(context, service=canonical) as node:
        rig = Rig(context, topics={})
        try:
            assert wait_until(lambda: node.state == 'active')
            # While nobody reads: the node listens to nothing.
            rig.node.destroy_publisher(rig.infos)
            rig.infos = rig.node.create_publisher(CameraInfo, 'camera_info', LATCHED)
            rig.infos.publish(camera_info(CAMERA, 1))
            assert not node.cameras[0].input.topics.subscribed
            for topic, kind in (('depth/image', Image), ('depth/camera_info', CameraInfo)):
                rig.got[topic] = {}
                rig.read(topic, kind)
            assert wait_until(rig.connected)
            assert wait_until(lambda: focal() == CAMERA.fx, 30)
            # Another driver that latches nothing: its messages are taken as before.
            rig.node.destroy_publisher(rig.infos)
            rig.infos = rig.node.create_publisher(CameraInfo, 'camera_info', 10)
            changed = camera_info(CAMERA)
            changed.k[0] = changed.p[0] = 100.0
            assert wait_until(lambda: focal(changed) == 100.0, 30)
        finally:
            rig.close()


def test_one_that_is_latched_after_the_node_subscribed(context):
    def canonical(settings):
        return exact_service(settings, kind='canonical', focal_per_width=CAMERA.fx / 64)
    with node_here(context, service=canonical) as node:
        rig = Rig(context, topics={'depth/image': Image})
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            rig.node.destroy_publisher(rig.infos)
            topics = node.cameras[0].input.topics
            late = rig.node.create_publisher(CameraInfo, 'camera_info', LATCHED)
            # Published before anybody can have found it.
            late.publish(camera_info(CAMERA, 1))
            stamps = iter(range(10, 1000))

            def comes_out():
                stamp = next(stamps)
                rig.send(coded_image(DEPTH, stamp))
                return wait_until(lambda: rig.all_have(stamp), 0.3)
            assert wait_until(comes_out, 30)
            assert topics.subscribed
        finally:
            rig.close()
