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

"""Parts of the ROS tests: exact scenes, message builders, nodes in this and in other processes."""

from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import CANONICAL_FOCAL, DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.ros.conversions import stamp_ns
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import changed, Settings
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, InvalidHandle, SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
import yaml

HERE = Path(__file__).parent
FRAME = 'camera_optical_frame'
CODE = 1e-5
"""Metres of one step of the depth code: 24 bits reach 167 m."""

TOPICS = {
    'depth/image': Image, 'depth/camera_info': CameraInfo, 'depth/points': PointCloud2,
    'depth/preview': Image}


def small_camera(width=80, height=60):
    # Nothing in it is symmetric, so that mixed up axes or offsets show.
    return Intrinsics(0.9 * width, 0.95 * width, 0.47 * width, 0.55 * height, width, height)


def plane_depth(camera, normal=(0.1, -0.2, 1.0), distance=3.0):
    """Return the depth of the plane normal . X = distance in front of the camera."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return distance / (np.stack([x, y, np.ones_like(x)], -1) @ np.asarray(normal))


def points_of(depth, camera):
    """Return points by the formula of depth_image_proc (image_geometry without Tx), in float64."""
    v, u = np.mgrid[0:camera.height, 0:camera.width]
    return np.stack([(u - camera.cx) * depth / camera.fx, (v - camera.cy) * depth / camera.fy,
                     depth], -1)


def depth_of(rgb):
    """Return the depth that the colours of a coded image mean."""
    code = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    return (code * CODE).astype(np.float32)


def coded_image(depth, stamp=0, frame_id=FRAME):
    """Return an rgb8 image whose colours say the exact depth, so that no pixel can be mixed up."""
    code = np.rint(depth / CODE).astype(np.uint32)
    rgb = np.stack([code >> 16 & 255, code >> 8 & 255, code & 255], -1).astype(np.uint8)
    height, width = depth.shape
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.data.frombytes(rgb.tobytes())
    return stamped(message, stamp, frame_id)


def camera_info(camera, stamp=0, frame_id=FRAME):
    message = CameraInfo(width=camera.width, height=camera.height)
    message.distortion_model, message.d = 'plumb_bob', [0.0] * 5
    k = camera.matrix()
    message.k = [float(value) for value in k.reshape(-1)]
    message.p = [float(value) for value in np.hstack([k, np.zeros((3, 1))]).reshape(-1)]
    return stamped(message, stamp, frame_id)


def stamped(message, stamp, frame_id=FRAME):
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10 ** 9)
    message.header.frame_id = frame_id
    return message


def xyz_of(cloud):
    assert [(f.name, f.offset, f.datatype, f.count) for f in cloud.fields] == [
        ('x', 0, 7, 1), ('y', 4, 7, 1), ('z', 8, 7, 1), ('rgb', 12, 7, 1)]
    assert cloud.point_step == 16 and cloud.row_step == 16 * cloud.width
    values = np.frombuffer(cloud.data, np.float32)
    return values.reshape(cloud.height, cloud.width, 4)[..., :3].astype(np.float64)


def depth_from(message):
    assert message.encoding == '32FC1' and message.step == 4 * message.width
    return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)


def exact_service(settings, kind='metric', delay=0.0, focal_per_width=1.0):
    """Return a service whose engine reads the depth from the image, in the unit of ``kind``."""
    def network(frame):
        metres = depth_of(frame.rgb)
        if kind != 'canonical':
            return metres
        # What a perfect network of canonical depth answers, knowing only the picture.
        return metres * np.float32(CANONICAL_FOCAL / (focal_per_width * frame.size[0]))
    engine = GivenDepthEngine(network, kind=DepthKind(kind), delay=delay, model='exact')
    return DepthService(engine, queue_size=settings.model.queue_size)


def wait_until(condition, timeout=20.0):
    """Wait for something to become true; return whether it did."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


class Rig:
    """A camera and a reader of all outputs, spinning in a thread of their own."""

    def __init__(self, context, namespace='', topics=TOPICS):
        self.node = rclpy.create_node('test', context=context, namespace=namespace)
        reliable = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        # Reliable: a test's own message must not get lost on the way to a best-effort reader.
        self.images = self.node.create_publisher(Image, 'image', reliable)
        self.infos = self.node.create_publisher(CameraInfo, 'camera_info', reliable)
        self.got = {topic: {} for topic in topics}
        for topic, kind in topics.items():
            self.read(topic, kind)
        self._stop = threading.Event()
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def read(self, topic, kind):
        store = self.got[topic]
        self.node.create_subscription(
            kind, topic, lambda message: store.update({stamp_ns(message.header.stamp): message}),
            QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE))

    def connected(self):
        """Whether every publisher of ours has a reader and every topic we read a publisher."""
        return bool(self.images.get_subscription_count() and self.infos.get_subscription_count()
                    and all(self.node.count_publishers(topic) for topic in self.got))

    def send(self, image, info=None):
        if info is not None:
            self.infos.publish(info)
        self.images.publish(image)

    def all_have(self, stamp):
        return all(stamp in store for store in self.got.values())

    def ask(self, image, info=None, timeout=20.0):
        """Send one frame until its outputs are here, and return them by topic."""
        stamp = stamp_ns(image.header.stamp)
        deadline = time.monotonic() + timeout
        while not self.all_have(stamp):
            assert time.monotonic() < deadline, f'no outputs: {self.seen()}'
            self.send(image, info)
            wait_until(lambda: self.all_have(stamp), 1.0)
        return {topic: store[stamp] for topic, store in self.got.items()}

    def seen(self):
        return {topic: sorted(store)[-3:] for topic, store in self.got.items()}

    def close(self):
        self._stop.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()

    def _spin(self):
        try:
            while not self._stop.is_set():
                spin_a_little(self._executor)
        except ExternalShutdownException:
            pass


def spin_a_little(executor):
    """
    Let an executor work for a moment.

    Tests destroy clients and end nodes in their own thread, while this one may be collecting what
    to wait for; in a node's process the executor's thread does both.
    """
    try:
        executor.spin_once(timeout_sec=0.05)
    except InvalidHandle:
        pass


@contextmanager
def ros_context():
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        yield context
    finally:
        context.try_shutdown()


@contextmanager
def node_here(
    context, *arguments, service=exact_service, companions=lambda settings: {}, **given,
):
    """Run a depth node in this process, spinning in a thread of its own."""
    from depth_anything_ros.ros.depth_node import DepthNode
    settings = changed(Settings(), {name.replace('__', '.'): value
                                    for name, value in given.items()})
    node = DepthNode(open_service=service, companions=companions, base=settings, context=context,
                     cli_args=['--ros-args', *arguments] if arguments else None)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    stop = threading.Event()

    def spin():
        try:
            while not stop.is_set():
                spin_a_little(executor)
        except ExternalShutdownException:
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield node
    finally:
        stop.set()
        thread.join()
        executor.shutdown()
        node.destroy_node()


class Process:
    """A Python script of this folder, or a module, in a process of its own."""

    def __init__(self, *command):
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(
            [str(HERE.parents[1]), str(HERE), os.environ.get('PYTHONPATH', '')])}
        from parameter_claims import note  # not in the processes that use this file too
        note({name: yaml.safe_load(value) for flag, word in zip(command, command[1:])
              for name, _, value in [word.partition(':=')] if flag == '-p'})
        self.process = subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def says(self, text, timeout=30.0):
        return wait_until(lambda: any(text in line for line in self.lines), timeout)

    def end(self, *signals, timeout=10.0):
        """Send the signals and return the exit code."""
        for number in signals:
            if self.process.poll() is None:
                self.process.send_signal(number)
        try:
            return self.process.wait(timeout)
        finally:
            self.process.kill()
            self._reader.join()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.end(signal.SIGKILL)

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
