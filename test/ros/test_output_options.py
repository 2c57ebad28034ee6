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

"""Every option of cloud, sky, scan and size, changed live, changes what is published."""

import math
import re

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.placement import Mount, placed
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import describe
from depth_anything_ros.srv import EstimateDepth
import numpy as np
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from ros_parts import (
    camera_info,
    CODE,
    coded_image,
    depth_from,
    depth_of,
    FRAME,
    node_here,
    plane_depth,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

pytestmark = pytest.mark.ros

CAMERA = small_camera()
TOPICS = {
    'depth/image': Image, 'depth/camera_info': CameraInfo, 'depth/points': PointCloud2,
    'depth/scan': LaserScan, 'depth/preview': Image, 'color/image': Image,
    'color/camera_info': CameraInfo, 'confidence/image': Image, 'sky/mask': Image,
    'depth/image_raw': Image, 'camera_info/estimated': CameraInfo}
SKY_ROWS = 8
LIVE = [item for item in describe()
        if item.name.split('.')[0] in ('points', 'sky', 'mount', 'scan', 'depth')]


class World:
    """What the given engine answers; ``scale`` is how much smaller the network's maps are."""

    scale = 1

    def depth(self, frame):
        return depth_of(frame.rgb)[::self.scale, ::self.scale]

    def sky(self, frame):
        height, width = frame.rgb.shape[:2]
        sky = np.zeros((height, width), np.float32)
        sky[:SKY_ROWS] = 1.0
        return sky[::self.scale, ::self.scale]

    def confidence(self, frame):
        height, width = frame.rgb.shape[:2]
        values = np.tile(np.linspace(1, 9, width, dtype=np.float32), (height, 1))
        return values[::self.scale, ::self.scale]

    def camera(self, frame):
        width, height = frame.size
        return CAMERA.resized(width // self.scale, height // self.scale)


WORLD = World()


def service(settings):
    return DepthService(GivenDepthEngine(
        WORLD.depth, kind=DepthKind.METRIC, model='exact', confidence_of=WORLD.confidence,
        sky_of=WORLD.sky, camera_of=WORLD.camera))


class Bench:
    """A node and a reader of all its topics; every question has a stamp of its own."""

    def __init__(self, node, rig):
        self.node, self.rig, self.stamp = node, rig, 10 ** 9

    def change(self, **values):
        result = self.node.set_parameters_atomically([
            Parameter(name.replace('__', '.'), value=value) for name, value in values.items()])
        assert result.successful, result.reason

    def ask(self, depth=None, frame_id=FRAME, step=10 ** 9):
        self.stamp += step
        depth = room() if depth is None else depth
        return self.rig.ask(coded_image(depth, self.stamp, frame_id),
                            camera_info(CAMERA, self.stamp, frame_id))

    def cloud(self, **values):
        self.change(**values)
        return self.ask()['depth/points']


@pytest.fixture(scope='module')
def running():
    with ros_context() as context, node_here(context, service=service) as node:
        rig = Rig(context, topics=TOPICS)
        try:
            assert wait_until(lambda: node.state == 'active')
            yield Bench(node, rig)
        finally:
            rig.close()


@pytest.fixture
def bench(running):
    yield running
    running.change(**{item.name: item.default for item in LIVE})
    WORLD.scale = 1


def room():
    """Return a slanted wall with a nearer box in front of it and a pixel that hangs between."""
    depth = plane_depth(CAMERA)
    depth[30:40, 20:30] = 1.5
    depth[33, 30] = 2.2
    return depth


def points_in(cloud):
    """Return the values of a cloud as (height, width, channels), after checking its form."""
    channels = len(cloud.fields)
    assert [f.name for f in cloud.fields] == ['x', 'y', 'z', 'rgb'][:channels]
    assert [f.offset for f in cloud.fields] == [0, 4, 8, 12][:channels]
    assert cloud.point_step == 4 * channels
    assert cloud.row_step == cloud.point_step * cloud.width
    assert len(cloud.data) == cloud.row_step * cloud.height
    values = np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, channels)
    finite = np.isfinite(values[..., :3]).all(-1)
    assert not cloud.is_dense or finite.all()
    return values


def kept(cloud):
    return np.isfinite(points_in(cloud)[..., 2])


def valid():
    mask = np.ones((CAMERA.height, CAMERA.width), bool)
    mask[:SKY_ROWS] = False
    return mask


def lengths():
    return np.linalg.norm(unproject(decoded(), CAMERA), axis=-1)


def decoded(depth=None):
    """Return the depth that the coded image really says."""
    depth = room() if depth is None else depth
    return (np.rint(depth / CODE) * CODE).astype(np.float32)


def test_the_default_is_organised_with_nan_in_the_images_frame(bench):
    cloud = bench.cloud()
    assert (cloud.height, cloud.width, cloud.is_dense) == (60, 80, False)
    assert np.array_equal(kept(cloud), valid())
    assert cloud.header.frame_id == FRAME


def test_dense(bench):
    plain = points_in(bench.cloud())
    cloud = bench.cloud(points__dense=True)
    assert (cloud.height, cloud.width, cloud.is_dense) == (1, valid().sum(), True)
    assert points_in(cloud)[0].tobytes() == plain[valid()].tobytes()
    nothing = np.full((60, 80), 300.0 * CODE)
    bench.change(depth__minimum=1.0)
    empty = bench.ask(nothing)['depth/points']
    assert (empty.height, empty.width, len(empty.data)) == (1, 0, 0)


def test_color(bench):
    plain, cloud = points_in(bench.cloud()), bench.cloud(points__color=False)
    assert cloud.point_step == 12 and [f.name for f in cloud.fields] == ['x', 'y', 'z']
    np.testing.assert_array_equal(points_in(cloud), plain[..., :3])


def test_stride(bench):
    plain, cloud = points_in(bench.cloud()), bench.cloud(points__stride=4)
    assert (cloud.height, cloud.width) == (15, 20)
    assert points_in(cloud).tobytes() == plain[::4, ::4].tobytes()


def test_voxel_size(bench):
    cloud = bench.cloud(points__voxel_size=0.25)
    points = points_in(cloud)[0]
    assert cloud.height == 1 and cloud.is_dense and 20 < cloud.width < valid().sum() / 4
    assert len(np.unique(np.floor(points[:, :3] / np.float32(0.25)), axis=0)) == cloud.width


def test_range_min(bench):
    assert np.array_equal(kept(bench.cloud(points__range_min=2.0)), valid() & (lengths() >= 2))


def test_range_max(bench):
    assert np.array_equal(kept(bench.cloud(points__range_max=3.0)), valid() & (lengths() <= 3))


def over_camera():
    return -unproject(decoded(), CAMERA)[..., 1]


def test_height_min(bench):
    assert np.array_equal(kept(bench.cloud(points__height_min=0.1)),
                          valid() & (over_camera() >= np.float32(0.1)))


def test_height_max(bench):
    assert np.array_equal(kept(bench.cloud(points__height_max=0.1)),
                          valid() & (over_camera() <= np.float32(0.1)))


def test_the_height_of_the_mount(bench):
    found = kept(bench.cloud(mount__height=0.5, points__height_min=0.3))
    assert np.array_equal(found, valid() & (over_camera() >= np.float32(0.3) - np.float32(0.5)))
    assert not np.array_equal(found, kept(bench.cloud(mount__height=0.0)))


def test_the_pitch_of_the_mount(bench):
    found = kept(bench.cloud(mount__pitch_deg=30.0, points__height_min=-1.0))
    levelled = placed(unproject(decoded(), CAMERA), Mount(0.0, 30.0).to_level)[..., 2]
    assert np.array_equal(found, valid() & (levelled >= -1))
    assert not np.array_equal(found, kept(bench.cloud(mount__pitch_deg=0.0)))


def test_confidence_percentile(bench):
    found = kept(bench.cloud(points__confidence_percentile=50.0))
    assert not found[:, :39].any() and np.array_equal(found[:, 40:], valid()[:, 40:])


def test_edge_filter(bench):
    assert kept(bench.cloud())[33, 30]
    found = kept(bench.cloud(points__edge_filter=True))
    assert not found[33, 30] and found.sum() > 0.95 * valid().sum()


def test_max_rate(bench):
    def clouds(rate, count=12):
        bench.change(points__max_rate=rate)
        bench.stamp += 10 ** 10
        store, stamps = bench.rig.got['depth/points'], []
        others = [got for topic, got in bench.rig.got.items() if topic != 'depth/points']
        for _ in range(count):
            bench.stamp += 10 ** 8
            bench.rig.send(
                coded_image(room(), bench.stamp), camera_info(CAMERA, bench.stamp))
            assert wait_until(lambda: all(bench.stamp in got for got in others))
            stamps.append(bench.stamp)
        # The next cloud comes after all of the others'.
        bench.change(points__max_rate=0.0)
        bench.ask()
        return [stamp in store for stamp in stamps]

    assert clouds(0.0, 3) == [True] * 3
    assert clouds(5.0) == [True, False] * 6
    assert sum(clouds(4.0)) in (4, 5)


def test_max_rate_follows_stamps_that_jump_back(bench):
    bench.change(points__max_rate=0.001)
    bench.ask()
    bench.stamp = 10 ** 8
    assert bench.ask()['depth/points']


@pytest.mark.parametrize('mode', ['nan', 'inf', 'far'])
def test_the_mode_of_the_sky(bench, mode):
    bench.change(sky__mode=mode, depth__maximum=3.2)
    out = bench.ask()
    free = ~valid() | (decoded() > 3.2)
    depth = depth_from(out['depth/image'])
    np.testing.assert_array_equal(np.isposinf(depth), free & (mode == 'inf'))
    np.testing.assert_array_equal(np.isnan(depth), free & (mode != 'inf'))
    points = points_in(out['depth/points'])[..., :3]
    found = np.isfinite(points[..., 2])
    np.testing.assert_array_equal(found, ~free | (mode == 'far'))
    if mode == 'far':
        np.testing.assert_allclose(np.linalg.norm(points[free], axis=-1), 10.0, rtol=1e-5)
    raw = np.frombuffer(out['depth/image_raw'].data, np.uint16).reshape(60, 80)
    assert (raw[free] == (65535 if mode == 'inf' else 0)).all()


def test_far_distance(bench):
    bench.change(sky__mode='far', sky__far_distance=25.0)
    bench.change(points__dense=True, points__range_max=2.0)
    points = points_in(bench.ask()['depth/points'])[0, :, :3]
    assert len(points) == 60 * 80, 'every pixel clears or is measured'
    length = np.linalg.norm(points, axis=-1)
    np.testing.assert_allclose(length[length > 2], 25.0, rtol=1e-5)
    assert (length <= 2).any()


def test_minimum(bench):
    bench.change(depth__minimum=2.0)
    assert np.array_equal(
        np.isfinite(depth_from(bench.ask()['depth/image'])), valid() & (decoded() >= 2))


def test_maximum(bench):
    bench.change(depth__maximum=3.0)
    assert np.array_equal(
        np.isfinite(depth_from(bench.ask()['depth/image'])), valid() & (decoded() <= 3))


def test_output_size(bench):
    WORLD.scale = 2
    sizes = {}
    for size in ('input', 'model'):
        bench.change(depth__output_size=size)
        out = bench.ask()
        shapes = {(message.width, message.height) for topic, message in out.items()
                  if topic != 'depth/scan'}
        assert len(shapes) == 1, 'all topics of a frame have one size'
        sizes[size] = shapes.pop()
        info, points = out['depth/camera_info'], points_in(out['depth/points'])
        assert list(out['color/camera_info'].k) == list(info.k)
        depth = depth_from(out['depth/image'])
        v, u = np.mgrid[0:info.height, 0:info.width]
        x = (u - info.p[2]) * depth / info.p[0]
        np.testing.assert_allclose(points[..., 0], x, rtol=1e-5, atol=1e-6)
        assert info.k[0] == pytest.approx(CAMERA.fx * info.width / 80)
        assert info.k[5] == pytest.approx(CAMERA.cy * info.height / 60)
    assert sizes == {'input': (80, 60), 'model': (40, 30)}


def scan_of(bench, **values):
    bench.change(**values)
    scan = bench.ask()['depth/scan']
    ranges = np.frombuffer(scan.ranges, np.float32)
    assert len(ranges) == round((scan.angle_max - scan.angle_min) / scan.angle_increment) + 1
    return scan, ranges


def test_a_scan_is_what_a_scanner_at_the_camera_sees(bench):
    wall = np.full((60, 80), 2.0)
    bench.change(scan__height_min=-0.3, scan__height_max=0.3)
    scan = bench.ask(wall)['depth/scan']
    ranges = np.frombuffer(scan.ranges, np.float32)
    angles = scan.angle_min + scan.angle_increment * np.arange(len(ranges))
    np.testing.assert_allclose(ranges, 2 / np.cos(angles), rtol=0.02)
    assert angles[-1] == pytest.approx(math.atan(CAMERA.cx / CAMERA.fx))
    assert scan.header.stamp.sec * 10 ** 9 + scan.header.stamp.nanosec == bench.stamp
    assert (scan.range_min, scan.range_max) == (np.float32(0.1), 10)
    assert (scan.scan_time, scan.time_increment, len(scan.intensities)) == (0, 0, 0)


def test_the_frame_of_the_scan(bench):
    assert scan_of(bench)[0].header.frame_id == 'camera_frame'
    assert scan_of(bench, scan__frame_id='laser')[0].header.frame_id == 'laser'


def test_the_scans_height_min(bench):
    low, high = (scan_of(bench, scan__height_min=height, scan__height_max=1.0)[1]
                 for height in (-0.2, 0.15))
    assert not np.array_equal(low, high, equal_nan=True)
    box = (low < 1.8).sum()
    assert box > (high < 1.8).sum(), 'the box lies below the upper band'


def test_the_scans_height_max(bench):
    low, high = (scan_of(bench, scan__height_min=-1.0, scan__height_max=height)[1]
                 for height in (-0.2, 0.3))
    assert (high < 1.8).sum() > (low < 1.8).sum() == 0, 'the box lies above the lower band'


def test_the_scans_range_min(bench):
    near, far = (scan_of(bench, scan__range_min=least)[1] for least in (0.1, 2.0))
    assert np.nanmin(near[np.isfinite(near)]) < 1.8 < 2 <= np.nanmin(far[np.isfinite(far)])


def test_the_scans_range_max(bench):
    scan, ranges = scan_of(bench, scan__range_max=2.0)
    assert scan.range_max == 2 and np.isposinf(ranges).any()
    assert (ranges[np.isfinite(ranges)] <= 2).all()


def test_a_scan_of_a_mounted_camera_counts_heights_from_the_ground(bench):
    with_ground = scan_of(bench, mount__height=1.0, scan__height_min=0.8, scan__height_max=1.2)[1]
    from_camera = scan_of(bench, mount__height=0.0, scan__height_min=-0.2,
                          scan__height_max=0.2)[1]
    np.testing.assert_allclose(with_ground, from_camera, rtol=1e-6)


def test_the_camera_that_the_model_takes_it_for(bench):
    info = bench.ask()['camera_info/estimated']
    assert list(info.k) == [float(value) for value in CAMERA.matrix().reshape(-1)]
    assert info.header.frame_id == FRAME and list(info.d) == [0.0] * 5


@pytest.mark.parametrize('values, words', [
    ({'points__range_min': 5.0, 'points__range_max': 2.0}, 'must be smaller than'),
    ({'points__height_min': 2.0, 'points__height_max': 1.0}, 'must be smaller than'),
    ({'scan__range_min': 50.0}, 'must be smaller than scan.range_max'),
    ({'scan__height_min': 5.0}, 'must be smaller than scan.height_max'),
    ({'points__stride': 2, 'points__voxel_sise': 0.1}, "did you mean 'points.voxel_size'"),
    ({'points__stride': 2, 'model__name': 'da3-tiny'}, 'read-only'),
    ({'points__stride': 0}, 'points.stride'), ({'sky__mode': 'blue'}, 'one of nan, inf, far')])
def test_a_snapshot_is_taken_as_a_whole_or_not_at_all(bench, values, words):
    result = bench.node.set_parameters_atomically([
        Parameter(name.replace('__', '.'), value=value) for name, value in values.items()])
    assert not result.successful and words in result.reason
    cloud = bench.ask()['depth/points']
    assert (cloud.height, cloud.width) == (60, 80)


def test_the_service_gives_what_it_promises_whatever_the_topics_do(bench):
    WORLD.scale = 2
    bench.change(points__dense=True, points__stride=2, sky__mode='inf', depth__output_size='model')
    client = bench.rig.node.create_client(EstimateDepth, 'depth_anything/estimate_depth')
    assert client.wait_for_service(20.0)
    future = client.call_async(EstimateDepth.Request(
        image=coded_image(room(), 1), camera_info=camera_info(CAMERA, 1), with_cloud=True))
    assert wait_until(future.done)
    answer = future.result()
    assert answer.success, answer.message
    assert (answer.cloud.height, answer.cloud.width, answer.cloud.point_step) == (60, 80, 16)
    assert not np.isinf(depth_from(answer.depth)).any()


@pytest.mark.parametrize('name, words', [
    ('points.strid', "did you mean 'points.stride'"), ('model.name', 'read-only'),
    ('points.stride', 'points.stride .*64')])
def test_what_ros2_param_set_hears(bench, name, words):
    client = bench.rig.node.create_client(SetParameters, 'depth_anything/set_parameters')
    assert client.wait_for_service(20.0)
    value = 'da3-tiny' if name == 'model.name' else 100
    future = client.call_async(SetParameters.Request(
        parameters=[Parameter(name, value=value).to_parameter_msg()]))
    assert wait_until(future.done)
    result, = future.result().results
    assert not result.successful and re.search(words, result.reason), result.reason
