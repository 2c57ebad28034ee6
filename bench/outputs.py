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
Filling and publishing every output of a frame against publishing alone.

``python -m bench.outputs``: one process, as the node sets itself up, and one that reads every
topic, for the node publishes nothing that is not read. What the engine writes into a message's
memory is there when filling begins, as in the node.
"""

from __future__ import annotations

import argparse
from functools import partial
import os
import time
from typing import Any, Callable

from bench import node_parts, report
from bench.pairs import interleave, seconds
from bench.parts import Part
from depth_anything_ros.process import set_up_process
import numpy as np

LIST = 'depth/points as a list'


def received_image(node: Any, width: int, height: int) -> Any:
    """Return an image of noise as the node gets it from a camera."""
    from depth_anything_ros.ros.received import ImageReader, take
    from sensor_msgs.msg import Image
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    image.header.frame_id, image.header.stamp.nanosec = 'camera', 1
    image.data.frombytes(pixels.tobytes())
    camera = node.create_publisher(Image, 'image', 1)
    subscription = node.create_subscription(Image, 'image', lambda data: None, 1, raw=True)
    until(camera.get_subscription_count)
    camera.publish(image)
    return ImageReader().read(until(lambda: take(subscription)))


def result_of(received: Any) -> Any:
    """Return a result with every output, of a received image."""
    from depth_anything_ros.core.camera import Intrinsics
    from depth_anything_ros.core.depth import DepthKind
    from depth_anything_ros.core.frame import Frame
    from depth_anything_ros.core.preview import colourise
    from depth_anything_ros.core.result import DepthResult, ScaleLaw
    from depth_anything_ros.core.scan import Scan
    from depth_anything_ros.ros.conversions import rgb_of
    random = np.random.default_rng(0)
    width, height = received.width, received.height
    depth = random.uniform(0.5, 60.0, (height, width)).astype(np.float32)
    depth[:height // 10] = np.nan
    camera = Intrinsics.from_focal(0.7 * width, width, height)
    return DepthResult(
        frame=Frame(rgb_of(received), 1, 'camera', camera),
        depth=depth, scale_law=ScaleLaw(DepthKind.METRIC), model='any', intrinsics=camera,
        confidence=depth + 1, sky=np.isnan(depth), preview=colourise(depth), estimated=camera,
        cloud=random.uniform(-5, 5, (height, width, 4)).astype(np.float32),
        scan=Scan('level', depth[height // 2], -0.6, 0.6, 1.2 / width, 0.5, 60.0))


def placed(buffer: Any, values: Any) -> Any:
    """Return values in the memory of a message, where the engine writes them."""
    place = buffer.place(values.shape, values.dtype.type)
    np.copyto(place, values)
    return place


def send(publish: Any, publisher: Any, buffer: Any, header: Any, value: Any) -> None:
    """Publish a value as the node does, by its function for that."""
    publish(publisher, buffer.fill(header, value))


def send_alone(publish: Any, publisher: Any, message: Any) -> None:
    """Publish a message that is ready."""
    publish(publisher, message)


def places_of_lists(buffer: Any, points: Any) -> Callable[[], Any]:
    """Return what asks for the place of a list a little longer or shorter than the one before."""
    random = np.random.default_rng(0)
    count, channels = points.shape
    lengths = random.integers(count * 99 // 100, count, 64).tolist()

    def place() -> Any:
        lengths.append(lengths.pop(0))
        return buffer.place((lengths[0], channels), np.float32)

    return place


def until(there: Callable[[], Any]) -> Any:
    """Return what is there, when it is; for ten seconds."""
    end = time.monotonic() + 10.0
    while not (found := there()):
        assert time.monotonic() < end, 'nothing came, nobody listens'
        time.sleep(0.01)
    return found


def measure(
    node: Any, reader: Part, width: int, height: int, rounds: int,
) -> list[report.Row]:
    """Return a row of every output, read by a listener, and one of all together."""
    from depth_anything_ros.ros.headers import frame_header
    from depth_anything_ros.ros.outputs import TOPICS
    from depth_anything_ros.ros.serialized import carrier, publish
    reader.ask('open', '', tuple(topic.name for topic in TOPICS))
    result = result_of(received_image(node, width, height))
    header = frame_header(result.frame)
    outputs: dict[str, tuple[Any, Any, Callable[[], Any]]] = {}
    making: dict[str, Callable[[], Any]] = {}
    for topic in TOPICS:
        buffer = topic.buffer(carrier())
        value = partial(topic.value, result, buffer)
        if topic.in_place:
            value = partial(lambda ready: ready, placed(buffer, value()))
        outputs[topic.name] = (
            node.create_publisher(topic.kind, topic.name, 1), buffer, value)
        if topic.name == 'depth/points':
            points = result.cloud.reshape(-1, 4)[: width * height * 9 // 10]
            lists = topic.buffer(carrier())
            outputs[LIST] = (outputs[topic.name][0], lists,
                             partial(lambda ready: ready, placed(lists, points)))
            making[LIST] = places_of_lists(topic.buffer(carrier()), points)
    until(lambda: all(each.get_subscription_count() for each, _, _ in outputs.values()))
    rows, ready = [], []
    for name, (publisher, buffer, value) in outputs.items():
        made = value()
        message = buffer.fill(header, made)
        # On its own: it would take what is published next out of the cache.
        alone = interleave({name: making.get(name, value)}, rounds=rounds // 10, warm_up=2)
        samples = interleave(
            {'fill and publish': partial(send, publish, publisher, buffer, header, made),
             'publish': partial(send_alone, publish, publisher, message)},
            rounds=rounds, warm_up=10)
        row = report.compared(
            samples, 'fill and publish', 'publish', report.bar('at most', 1.1),
            making=round(1e3 * seconds(alone[name]).median, 4))
        rows.append({**row, 'what': f'{name}: {row["what"]}'})
        ready.append((publisher, message))
        del made

    def all_of_node() -> None:
        for publisher, buffer, value in outputs.values():
            send(publish, publisher, buffer, header, value())

    def all_alone() -> None:
        for publisher, message in ready:
            publish(publisher, message)

    together = interleave({'all made, filled and published': all_of_node,
                           'all published': all_alone}, rounds=rounds, warm_up=10)
    return [*rows, report.compared(together, 'all made, filled and published', 'all published')]


def main() -> None:
    """Measure in this process as the node sets itself up, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=300)
    parser.add_argument('--size', default='640x480')
    arguments = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    set_up_process()
    import rclpy
    rclpy.init()
    node = rclpy.create_node('bench_outputs')
    width, height = (int(side) for side in arguments.size.split('x'))
    reader = Part(node_parts.listener)
    try:
        rows = measure(node, reader, width, height, arguments.rounds)
    finally:
        reader.close()
        node.destroy_node()
        rclpy.shutdown()
    report.save(
        'outputs', 'ratio', rows, rounds=arguments.rounds, size=arguments.size,
        columns={'milliseconds': 'ms', 'against_milliseconds': 'publish, ms',
                 'making': 'making, ms'},
        notes=['Making is what the node does to a result before it fills the message: '
               "millimetres and the sky's 255 are made in the message's memory, and that of a "
               'list becomes as long as this one is. What the engine makes there itself takes no '
               'time here. Colours are the message that was received; of a scan 2.5 kB are copied.'
               ])


if __name__ == '__main__':
    main()
