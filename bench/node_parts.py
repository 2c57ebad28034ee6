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

"""The processes of ``bench.node``: camera, listener, our node and one written the usual way."""

from __future__ import annotations

from functools import partial
import multiprocessing
import os
from pathlib import Path
import threading
import time
from typing import Any, Callable

from bench import naive
import numpy as np

Reply = Any


class Part:
    """A process of the benchmark that does what it is told over a pipe."""

    def __init__(self, main: Callable[..., None], *arguments: Any) -> None:
        """Start it; ``main`` gets the pipe and the arguments."""
        context = multiprocessing.get_context('spawn')
        self._pipe, other = context.Pipe()
        self.process = context.Process(target=main, args=(other, *arguments), daemon=True)
        self.process.start()
        assert self._pipe.recv() == 'ready'

    def tell(self, *command: Any) -> None:
        """Send a command."""
        self._pipe.send(command)

    def reply(self) -> Reply:
        """Wait for the answer to a command."""
        return self._pipe.recv()

    def ask(self, *command: Any) -> Reply:
        """Send a command and wait for the answer."""
        self.tell(*command)
        return self.reply()

    def close(self) -> None:
        """End it."""
        self.tell('end')
        self.process.join(10.0)


def usage(pid: int) -> dict[str, float]:
    """Return CPU seconds, minor page faults and resident bytes of a process so far."""
    fields = Path(f'/proc/{pid}/stat').read_text(encoding='ascii').rpartition(')')[2].split()
    tick = os.sysconf('SC_CLK_TCK')
    return {'cpu': (int(fields[11]) + int(fields[12])) / tick, 'faults': int(fields[7]),
            'memory': int(fields[21]) * os.sysconf('SC_PAGE_SIZE')}


def image_message(width: int, height: int, encoding: str) -> Any:
    """Return an image message of a picture with edges: rgb8, or jpeg (CompressedImage)."""
    from bench.engine import scene
    from sensor_msgs.msg import CompressedImage, Image
    picture = scene(width, height)
    if encoding == 'jpeg':
        import cv2
        done, data = cv2.imencode('.jpg', picture[..., ::-1])
        assert done
        message = CompressedImage(format='jpeg')
        message.data.frombytes(data.tobytes())
        return message
    message = Image(width=width, height=height, encoding='rgb8', step=3 * width)
    message.data.frombytes(picture.tobytes())
    return message


def camera(pipe: Any) -> None:
    """Publish when told: ``('run', namespace, hertz, seconds, width, height, encoding)``."""
    from depth_anything_ros.process import set_up_process
    set_up_process()
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import CameraInfo, CompressedImage, Image
    rclpy.init()
    node = rclpy.create_node('bench_camera')
    pipe.send('ready')
    while (command := pipe.recv())[0] != 'end':
        _, space, hertz, seconds, width, height, encoding = command
        jpeg = encoding == 'jpeg'
        images = node.create_publisher(
            CompressedImage if jpeg else Image,
            f'{space}/image/compressed' if jpeg else f'{space}/image', qos_profile_sensor_data)
        infos = node.create_publisher(
            CameraInfo, f'{space}/camera_info', qos_profile_sensor_data)
        image = image_message(width, height, encoding)
        info = CameraInfo(width=width, height=height, distortion_model='plumb_bob')
        info.k = [0.7 * width, 0.0, width / 2, 0.0, 0.7 * width, height / 2, 0.0, 0.0, 1.0]
        info.p = [*info.k[:3], 0.0, *info.k[3:6], 0.0, 0.0, 0.0, 1.0, 0.0]
        info.d = [0.0] * 5
        end = time.monotonic() + 10.0
        while not (images.get_subscription_count() and infos.get_subscription_count()):
            assert time.monotonic() < end, f'nobody reads {space}/image'
            time.sleep(0.02)
        time.sleep(0.5)
        begin, sent = time.monotonic(), 0
        while sent < hertz * seconds:
            time.sleep(max(0.0, begin + sent / hertz - time.monotonic()))
            stamp = time.time_ns()
            for message in (info, image):
                message.header.frame_id = 'camera'
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10 ** 9)
            infos.publish(info)
            images.publish(image)
            sent += 1
        pipe.send(sent)
        time.sleep(0.3)
        node.destroy_publisher(images)
        node.destroy_publisher(infos)
    rclpy.shutdown()


def listener(pipe: Any) -> None:
    """
    Read the outputs of a namespace: ``('open', namespace)``, then ``('close',)``.

    Answers for every topic the list of (stamp, seconds from the stamp until the pixels are here).
    """
    from depth_anything_ros.process import set_up_process
    set_up_process()
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import CameraInfo, Image, PointCloud2
    rclpy.init()
    node = rclpy.create_node('bench_listener')
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    seen: dict[str, list[tuple[int, float]]] = {}

    def arrived(topic: str, message: Any) -> None:
        if hasattr(message, 'data'):
            np.frombuffer(message.data, np.uint8)
        stamp = message.header.stamp.sec * 10 ** 9 + message.header.stamp.nanosec
        seen[topic].append((stamp, (time.time_ns() - stamp) / 1e9))

    pipe.send('ready')
    subscriptions: list[Any] = []
    while True:
        if not pipe.poll():
            rclpy.spin_once(node, timeout_sec=0.02)
            continue
        command = pipe.recv()
        if command[0] == 'open':
            seen.clear()
            for topic, kind in (('depth/image', Image), ('depth/camera_info', CameraInfo),
                                ('depth/points', PointCloud2)):
                seen[topic] = []
                subscriptions.append(node.create_subscription(
                    kind, f'{command[1]}/{topic}', partial(arrived, topic), qos))
            pipe.send('open')
        elif command[0] == 'close':
            for subscription in subscriptions:
                node.destroy_subscription(subscription)
            subscriptions.clear()
            pipe.send({topic: list(values) for topic, values in seen.items()})
        else:
            break
    rclpy.shutdown()


def constant_engine(seconds: float) -> Any:
    """Return our engine with a network that takes so long and always sees the same."""
    from depth_anything_ros.engine.base import Inferred
    from depth_anything_ros.engine.da3 import Answer, DA3Engine
    from depth_anything_ros.engine.models import find
    from depth_anything_ros.engine.passes import RawMaps
    from depth_anything_ros.engine.streams import Mark
    from depth_anything_ros.engine.tiny import build_tiny
    import torch

    class Constant(DA3Engine):
        """Everything is the real engine's but the forward pass."""

        def infer(self, batch: Any) -> Any:
            start = time.perf_counter()
            mark = Mark(torch.device('cpu'))
            height, width = batch[0].shape
            depth = torch.linspace(0.6, 5.0, width).expand(height, width).contiguous()
            time.sleep(max(0.0, seconds - (time.perf_counter() - start)))
            took = time.perf_counter() - start
            return [Inferred(item, Answer(RawMaps(depth, sky=torch.zeros_like(depth)), mark,
                                          mark, took)) for item in batch]

    return Constant(build_tiny(), find('da3metric-large'))


def our_node(pipe: Any, space: str, model: str, seconds: float, parameters: list[str]) -> None:
    """Run our node; ``('counts',)`` answers what became of the images since the last time."""
    from depth_anything_ros.process import set_up_process
    set_up_process()
    from dataclasses import asdict

    from depth_anything_ros.ros.depth_node import DepthNode
    from depth_anything_ros.service import DepthService, load_engine
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    def service(settings: Any) -> Any:
        engine = load_engine(settings) if model else constant_engine(seconds)
        return DepthService(engine)

    rclpy.init()
    arguments = ['--ros-args', '-r', f'__ns:={space}', '-p', f'model.name:={model or "given"}']
    for parameter in parameters:
        arguments += ['-p', parameter]
    node = DepthNode(open_service=service, cli_args=arguments)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    done = threading.Event()

    def serve() -> None:
        while node.state != 'active':
            time.sleep(0.05)
        pipe.send('ready')
        while pipe.recv()[0] == 'counts':
            flow = node.cameras[0].flow
            pipe.send({'counts': asdict(node.counts()), 'age': flow.age.percentiles(50, 95),
                       'stages': {name: values.mean() for name, values in flow.stages.items()}})
            flow.age.__init__()
            flow.stages.clear()
        done.set()

    threading.Thread(target=serve, daemon=True).start()
    while not done.is_set():
        executor.spin_once(timeout_sec=0.2)
    node.destroy_node()
    rclpy.shutdown()


def usual_node(pipe: Any, space: str, seconds: float) -> None:
    """Run a node as tutorials write it: all in the callback, queue of 10, new messages."""
    from depth_anything_ros.process import set_up_process
    set_up_process(tune_malloc=False, switch_interval=False, opencv_threads=False)
    import cv2
    import rclpy
    from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
    rclpy.init()
    node = rclpy.create_node('usual', namespace=space)
    outputs = [node.create_publisher(kind, topic, 10) for kind, topic in (
        (Image, 'depth/image'), (CameraInfo, 'depth/camera_info'),
        (PointCloud2, 'depth/points'))]
    newest: list[Any] = [None]

    def on_image(message: Any) -> None:
        info = newest[0]
        if info is None:
            return
        width, height = message.width, message.height
        bgr = naive.read_image(message.data, width, height)
        size = (504, 504 * height // width // 14 * 14)
        naive.network_input(bgr, *size)
        time.sleep(seconds)
        depth = np.tile(np.linspace(0.6, 5.0, size[0], dtype=np.float32), (size[1], 1))
        depth = cv2.resize(depth * (info.k[0] * size[0] / width / 300.0), (width, height))
        depth = depth.astype(np.float32)
        image = Image(height=height, width=width, encoding='32FC1', step=4 * width)
        image.data.frombytes(depth.tobytes())
        cloud = PointCloud2(height=height, width=width, point_step=16, row_step=16 * width)
        cloud.fields = [PointField(name=name, offset=4 * index, datatype=7, count=1)
                        for index, name in enumerate(('x', 'y', 'z', 'rgb'))]
        cloud.data.frombytes(naive.cloud_bytes(
            depth, bgr, (info.k[0], info.k[4], info.k[2], info.k[5])))
        for publisher, out in zip(outputs, (image, info, cloud)):
            out.header = message.header
            publisher.publish(out)

    from rclpy.qos import QoSProfile, ReliabilityPolicy
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    node.create_subscription(Image, 'image', on_image, qos)
    node.create_subscription(CameraInfo, 'camera_info', lambda info: newest.__setitem__(0, info),
                             qos)
    pipe.send('ready')
    while not pipe.poll():
        rclpy.spin_once(node, timeout_sec=0.2)
    rclpy.shutdown()
