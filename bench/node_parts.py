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
import threading
import time
from typing import Any, Sequence

from bench import naive
from bench.node_engines import called, engine_of, Network, process_res
import numpy as np

PATIENCE = 10.0
"""Seconds that a camera waits for a reader."""


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


def cloud_message(width: int, height: int) -> Any:
    """Return a coloured cloud of as many points, as the node publishes it."""
    from depth_anything_ros.ros.buffers import CloudBuffer
    from std_msgs.msg import Header
    return CloudBuffer().fill(Header(), np.ones((height, width, 4), np.float32))


def info_message(width: int, height: int) -> Any:
    """Return the CameraInfo of a camera of that size."""
    from sensor_msgs.msg import CameraInfo
    info = CameraInfo(width=width, height=height, distortion_model='plumb_bob')
    info.k = [0.7 * width, 0.0, width / 2, 0.0, 0.7 * width, height / 2, 0.0, 0.0, 1.0]
    info.p = [*info.k[:3], 0.0, *info.k[3:6], 0.0, 0.0, 0.0, 1.0, 0.0]
    info.d = [0.0] * 5
    return info


def camera(pipe: Any) -> None:
    """
    Publish when told: ``('run', namespace, hertz, seconds, width, height, what)``.

    What is rgb8 or jpeg, with camera_info, or cloud: that alone, on depth/points. Answers how many
    there were. It waits for readers, but not for ever.
    """
    from depth_anything_ros.process import set_up_process
    set_up_process()
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    rclpy.init()
    node = rclpy.create_node('bench_camera')
    pipe.send('ready')
    while (command := pipe.recv())[0] != 'end':
        _, space, hertz, seconds, width, height, what = command
        messages = {'depth/points': cloud_message(width, height)} if what == 'cloud' else {
            'camera_info': info_message(width, height),
            'image/compressed' if what == 'jpeg' else 'image': image_message(width, height, what)}
        pairs = [(node.create_publisher(
            type(message), f'{space}/{topic}', qos_profile_sensor_data), message)
            for topic, message in messages.items()]
        end = time.monotonic() + PATIENCE
        while not all(publisher.get_subscription_count() for publisher, _ in pairs) \
                and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.5)
        begin, sent = time.monotonic(), 0
        while sent < hertz * seconds:
            time.sleep(max(0.0, begin + sent / hertz - time.monotonic()))
            stamp = time.time_ns()
            for publisher, message in pairs:
                message.header.frame_id = 'camera'
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10 ** 9)
                publisher.publish(message)
            sent += 1
        pipe.send(sent)
        time.sleep(0.3)
        for publisher, _ in pairs:
            node.destroy_publisher(publisher)
    rclpy.shutdown()


def listener(pipe: Any) -> None:
    """
    Read the outputs of a namespace: ``('open', namespace, topics)``, then ``('close',)``.

    Answers for every topic the list of (stamp, seconds from the stamp until the pixels are here).
    """
    from depth_anything_ros.process import set_up_process
    set_up_process()
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2
    rclpy.init()
    node = rclpy.create_node('bench_listener')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    kinds = {'camera_info': CameraInfo, 'estimated': CameraInfo, 'points': PointCloud2,
             'scan': LaserScan}
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
            executor.spin_once(timeout_sec=0.02)
            continue
        command = pipe.recv()
        if command[0] == 'open':
            seen.clear()
            for topic in command[2]:
                seen[topic] = []
                subscriptions.append(node.create_subscription(
                    kinds.get(topic.rpartition('/')[2], Image), f'{command[1]}/{topic}',
                    partial(arrived, topic), qos))
            pipe.send('open')
        elif command[0] == 'close':
            for subscription in subscriptions:
                node.destroy_subscription(subscription)
            subscriptions.clear()
            pipe.send({topic: list(values) for topic, values in seen.items()})
        else:
            break
    rclpy.shutdown()


def our_node(pipe: Any, space: str, network: Network, parameters: Sequence[str] = ()) -> None:
    """Run our node; ``('counts',)`` answers what became of the images since the last time."""
    from depth_anything_ros.process import set_up_process
    set_up_process()
    from dataclasses import asdict

    from depth_anything_ros.ros.depth_node import DepthNode
    from depth_anything_ros.ros.running import run
    from depth_anything_ros.service import DepthService
    arguments = ['--ros-args', '-r', f'__ns:={space}', '-p', 'model.name:=given']
    for parameter in parameters:
        arguments += ['-p', parameter]

    def serve(node: Any) -> None:
        while node.state != 'active':
            time.sleep(0.05)
        wake = node.create_guard_condition(lambda: None)
        flow = node.cameras[0].flow
        pipe.send('ready')
        past = node.counts()
        while pipe.recv()[0] == 'counts':
            now = node.counts()
            pipe.send({
                'counts': asdict(now - past), 'age': flow.age.percentiles(50, 95),
                'stages': {name: values.mean() for name, values in flow.stages.items()}})
            past = now
            flow.reset()
        node.exit_code = 0
        wake.trigger()

    def make() -> Any:
        node = DepthNode(open_service=lambda settings: DepthService(engine_of(network)))
        threading.Thread(target=serve, args=(node,), daemon=True).start()
        return node

    run(make, arguments)


def usual_node(pipe: Any, space: str, network: Network) -> None:
    """
    Run a node as tutorials write it: all in the callback, queue of 10, new messages.

    ``('open', encoding)`` subscribes, ``('close',)`` leaves with all that waits, and answers how
    many images came and went; so does ``('counts',)``.
    """
    from depth_anything_ros.process import set_up_process
    set_up_process(tune_malloc=False, switch_interval=False, opencv_threads=False,
                   openmp_spins=False)
    import cv2
    from depth_anything_ros.core.processed_size import plan
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField
    rclpy.init()
    node = rclpy.create_node('usual', namespace=space)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    outputs = {topic: node.create_publisher(
        {'camera_info': CameraInfo, 'points': PointCloud2}.get(topic.rpartition('/')[2], Image),
        topic, 10) for topic in network.topics}
    infer, longest = called(network), process_res(network)
    newest: list[Any] = [None]
    counts = {'received': 0, 'published': 0}

    def on_image(message: Any) -> None:
        counts['received'] += 1
        info = newest[0]
        if info is None:
            return
        width, height = info.width, info.height
        bgr = naive.read_image(message.data, width, height) if isinstance(message, Image) else \
            cv2.imdecode(np.array(message.data, np.uint8), cv2.IMREAD_COLOR)
        size = plan(width, height, longest, 'upper_bound_resize').size
        depth = infer(naive.network_input(bgr, *size))
        depth = cv2.resize(depth * (info.k[0] * size[0] / width / 300.0), (width, height))
        depth = depth.astype(np.float32)
        image = Image(height=height, width=width, encoding='32FC1', step=4 * width)
        image.data.frombytes(depth.tobytes())
        found = [image, info]
        if 'depth/points' in outputs:
            cloud = PointCloud2(height=height, width=width, point_step=16, row_step=16 * width)
            cloud.fields = [PointField(name=name, offset=4 * index, datatype=7, count=1)
                            for index, name in enumerate(('x', 'y', 'z', 'rgb'))]
            cloud.data.frombytes(naive.cloud_bytes(
                depth, bgr, (info.k[0], info.k[4], info.k[2], info.k[5])))
            found.append(cloud)
        for publisher, out in zip(outputs.values(), found, strict=True):
            out.header = message.header
            publisher.publish(out)
        counts['published'] += 1

    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    subscriptions: list[Any] = []
    pipe.send('ready')
    while True:
        if not pipe.poll():
            executor.spin_once(timeout_sec=0.2)
            continue
        command = pipe.recv()
        if command[0] == 'end':
            break
        if command[0] == 'open':
            kind, topic = (CompressedImage, 'image/compressed') if command[1] == 'jpeg' \
                else (Image, 'image')
            subscriptions = [node.create_subscription(kind, topic, on_image, qos),
                             node.create_subscription(
                                 CameraInfo, 'camera_info',
                                 lambda info: newest.__setitem__(0, info), qos)]
        elif command[0] == 'close':
            for subscription in subscriptions:
                node.destroy_subscription(subscription)
        pipe.send({'counts': dict(counts)})
        counts.update(received=0, published=0)
    rclpy.shutdown()
