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

import signal
import threading

from builtin_interfaces.msg import Time
import cv2
from depth_anything_ros.cli.demo_plan import parameter_file
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.placement import quaternion
from depth_anything_ros.ros.conversions import NANOSECONDS, stamp_ns
from depth_anything_ros.ros.demo_settings import DemoCameraSettings
from depth_anything_ros.ros.demo_transform import transforms
from depth_anything_ros.scenes import camera_path, demo_rooms, render
from depth_anything_ros.scenes.trajectory import pose
import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from ros_parts import Process, ros_context, wait_until
from sensor_msgs.msg import CameraInfo, Image

pytestmark = pytest.mark.ros
MODULE = 'depth_anything_ros.ros.demo_camera'


def camera(*given):
    parameters = [part for item in given for part in ('-p', item)]
    return Process('-m', MODULE, '--ros-args', *parameters)


class Reader:
    """Collects what a camera sends, by topic."""

    topics = {'image': Image, 'camera_info': CameraInfo, 'ground_truth/depth': Image}

    def __init__(self, context):
        self.node = rclpy.create_node('reader', context=context)
        self.got = {topic: [] for topic in self.topics}
        for topic, kind in self.topics.items():
            self.node.create_subscription(
                kind, topic, self.got[topic].append, QoSProfile(depth=20))
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def close(self):
        self._stop.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()

    def _spin(self):
        while not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.05)


@pytest.fixture
def reader():
    with ros_context() as context:
        reader = Reader(context)
        yield reader
        reader.close()


def test_a_room_arrives_whole_and_can_be_computed_again(reader):
    with camera('room:=5', 'width:=96', 'height:=72', 'rate:=10.0', 'frames:=8',
                'frame_id:=eye') as process:
        assert process.process.wait(30) == 0, process.lines
        assert wait_until(lambda: all(len(items) == 8 for items in reader.got.values()), 5), {
            topic: len(items) for topic, items in reader.got.items()}
    stamps = [[stamp_ns(item.header.stamp) for item in items] for items in reader.got.values()]
    assert stamps[0] == stamps[1] == stamps[2]
    # One frame may be late on a busy machine; the rate is that of most.
    gaps = np.diff(stamps[0])
    assert (gaps > 0).all() and np.median(gaps) == pytest.approx(NANOSECONDS / 10, rel=0.6)
    for image, info, truth in zip(*reader.got.values()):
        assert {item.header.frame_id for item in (image, info, truth)} == {'eye'}
        assert (image.encoding, image.width, image.height, image.step) == ('rgb8', 96, 72, 288)
        assert (truth.encoding, truth.step) == ('32FC1', 384)
        intrinsics = Intrinsics.from_matrix(info.k, info.width, info.height)
        assert list(info.p[:3]) == list(info.k[:3]) and info.k[0] > 0
        view = render(demo_rooms()[5], camera_path(
            demo_rooms()[5], stamp_ns(image.header.stamp) / NANOSECONDS), intrinsics)
        assert (np.frombuffer(truth.data, np.float32) == view.depth.reshape(-1)).all()
        assert (np.frombuffer(image.data, np.uint8) == view.rgb.reshape(-1)).all()


def test_an_own_picture_of_an_unknown_camera_is_uncalibrated(reader, tmp_path):
    picture = np.random.default_rng(1).integers(0, 255, (30, 50, 3), np.uint8)
    # Quotes and spaces: a name that a parameter file must not break.
    path = tmp_path / 'my "best" photo.png'
    cv2.imwrite(str(path), picture)
    file = tmp_path / 'camera.yaml'
    parameter_file(file, {'source': 'image', 'path': str(path), 'rate': 10.0, 'frames': 3})
    with Process('-m', MODULE, '--ros-args', '--params-file', str(file)) as process:
        assert process.process.wait(30) == 0, process.lines
        assert wait_until(lambda: len(reader.got['image']) == 3, 5)
    image, info = reader.got['image'][-1], reader.got['camera_info'][-1]
    assert (np.frombuffer(image.data, np.uint8).reshape(30, 50, 3) == picture[..., ::-1]).all()
    assert (info.width, info.height, info.k[0]) == (50, 30, 0.0)
    assert not reader.got['ground_truth/depth']


def test_nothing_is_sent_until_enough_listen_and_two_signals_end_it(reader):
    with camera('width:=64', 'rate:=20.0', 'min_subscribers:=2') as process:
        assert process.says('waiting for 2 subscriber(s)')
        assert not wait_until(lambda: reader.got['image'], 2.0)
        second = reader.node.create_subscription(Image, 'image', lambda _: None, 1)
        assert wait_until(lambda: reader.got['image'], 10.0)
        reader.node.destroy_subscription(second)
        assert process.end(signal.SIGINT, signal.SIGINT) == 0, process.lines


@pytest.mark.parametrize('given, expected', [
    (('source:=video', 'path:=/nowhere/clip.mp4'), 'no such video: /nowhere/clip.mp4'),
    (('sauce:=room',), "did you mean 'source'")])
def test_what_is_wrong_is_said_and_ends_it(given, expected):
    with camera(*given) as process:
        assert process.process.wait(30) == 2
        assert process.says(expected, 5)


@pytest.mark.parametrize('yaw, pitch', [(0.0, 0.0), (1.0, 0.3), (np.pi, 0.0), (-2.2, -1.2)])
def test_the_pose_on_tf_turns_vectors_as_the_matrix_does(yaw, pitch):
    matrix = pose(1.0, 2.0, 0.6, yaw, pitch)[:3, :3]
    *xyz, w = quaternion(matrix)
    imaginary, vector = np.array(xyz), np.array([0.3, -0.5, 0.9])
    assert w ** 2 + imaginary @ imaginary == pytest.approx(1)
    turned = vector + 2 * np.cross(imaginary, np.cross(imaginary, vector) + w * vector)
    assert turned == pytest.approx(matrix @ vector)


def matrix(message):
    """Return a transform message as a (4, 4) matrix."""
    q, t = message.transform.rotation, message.transform.translation
    x, y, z, w = q.x, q.y, q.z, q.w
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), t.x],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), t.y],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), t.z],
        [0, 0, 0, 1]])


@pytest.mark.parametrize('moving', [True, False])
def test_the_transforms_lead_from_the_map_to_the_optical_frame(moving):
    where = pose(1.0, -2.0, 0.6, 0.7, 0.05) if moving else None
    on_tf, on_static = transforms(DemoCameraSettings(), Time(sec=3), where)
    assert len(on_tf) == (1 if moving else 0)
    by_child = {item.child_frame_id: item for item in on_tf + on_static}
    assert by_child['camera_link'].header.frame_id == 'map'
    assert by_child['camera_optical_frame'].header.frame_id == 'camera_link'
    whole = matrix(by_child['camera_link']) @ matrix(by_child['camera_optical_frame'])
    # A still camera is level and looks along x: z of the optical frame is x of the map.
    level = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(whole, level if where is None else where, atol=1e-9)
    # The body of a level camera has z up (REP 103).
    np.testing.assert_allclose(matrix(by_child['camera_link'])[2, 2], 1.0, atol=2e-3)


def test_transforms_of_others_are_left_to_them():
    settings = DemoCameraSettings(parent_frame='', optical_tf=False)
    assert transforms(settings, Time(), None) == ([], [])
    settings = DemoCameraSettings(parent_frame='')
    on_tf, on_static = transforms(settings, Time(), pose(1.0, 0.0, 0.6, 0.0, 0.0))
    assert on_tf == [] and [item.child_frame_id for item in on_static] == ['camera_optical_frame']
