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
One whole frame outside the network, one thread: message in, messages out, against the usual way.

``python -m bench.frame``: an rgb8 image of 640x480 becomes the network's input, a depth map of
the network becomes a depth image, a camera_info and a coloured cloud, published without
subscribers. What the network itself takes is not in it.
"""

from __future__ import annotations

import argparse
from functools import partial
import multiprocessing
import os
import resource
import time
from typing import Any

from bench import naive, report
from bench.pairs import interleave, once, one_processor, Sample, spread
from depth_anything_ros.process import set_up_process
import numpy as np

WIDTH, HEIGHT = 640, 480
PROCESSED = 504, 378
FOCAL = 460.0


class Frame:
    """Both ways of one frame, on one node with one publisher a topic."""

    def __init__(self, node: Any) -> None:
        """Make the input and everything that lasts longer than a frame."""
        from depth_anything_ros.core.camera import Intrinsics
        from depth_anything_ros.core.options import FrameOptions, Output, Preprocess
        from depth_anything_ros.engine.da3 import Answer, DA3Engine
        from depth_anything_ros.engine.models import find
        from depth_anything_ros.engine.passes import RawMaps
        from depth_anything_ros.engine.streams import Mark
        from depth_anything_ros.engine.tiny import build_tiny
        from depth_anything_ros.ros.buffers import CloudBuffer, ImageBuffer, InfoBuffer
        from depth_anything_ros.ros.serialized import carrier
        from sensor_msgs.msg import CameraInfo, Image, PointCloud2
        import torch
        random = np.random.default_rng(0)
        rgb = random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        self.message = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH)
        self.message.data.frombytes(rgb.tobytes())
        self.camera = Intrinsics.from_focal(FOCAL, WIDTH, HEIGHT)
        # Walls and floor with things before them: some edges, some sky, as a room has.
        depth = np.tile(np.linspace(0.6, 5.0, PROCESSED[0], dtype=np.float32), (PROCESSED[1], 1))
        for _ in range(12):
            x, y = random.integers(0, PROCESSED[0] - 60), random.integers(0, PROCESSED[1] - 60)
            depth[y:y + 60, x:x + 60] *= 0.6
        self.depth, self.sky = depth, np.zeros_like(depth)
        self.sky[:20] = 1.0
        # The bundled network stands in for one of 504x378: it is built and never run.
        self.engine = DA3Engine(build_tiny(), find('da3metric-large'))
        self.publishers = [node.create_publisher(kind, name, 1) for kind, name in (
            (Image, 'depth'), (CameraInfo, 'info'), (PointCloud2, 'points'))]
        self.buffers = (
            ImageBuffer('32FC1', carrier()), InfoBuffer(carrier()), CloudBuffer(carrier()))
        # The node, too, makes them once for all frames between two changes of a setting.
        places = {Output.DEPTH: self.buffers[0].place, Output.POINTS: self.buffers[2].place}
        self.options = {each.value: FrameOptions(
            maximum=200.0, outputs=frozenset(places), preprocess=each,
            memory=lambda output, shape, kind: places[output](shape, kind))
            for each in Preprocess}
        mark = Mark(torch.device('cpu'))
        self.answer = Answer(
            RawMaps(torch.from_numpy(depth), sky=torch.from_numpy(self.sky)), mark, mark, 0.0)

    def ours(self, preprocess: str) -> Any:
        """Process one frame as the node does; return the result."""
        from depth_anything_ros.engine.base import Inferred
        from depth_anything_ros.ros.conversions import frame_of
        from depth_anything_ros.ros.headers import frame_header
        from depth_anything_ros.ros.serialized import publish
        prepared = self.engine.prepare(
            frame_of(self.message, self.camera), self.options[preprocess])
        result = self.engine.finish(Inferred(prepared, self.answer))
        header = frame_header(result.frame)
        for publisher, buffer, value in zip(
                self.publishers, self.buffers, (result.depth, result.intrinsics, result.cloud)):
            publish(publisher, buffer.fill(header, value))
        return result

    def usual(self) -> Any:
        """Process one frame the usual way; return depth and cloud message."""
        import cv2
        from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
        bgr = naive.read_image(self.message.data, WIDTH, HEIGHT)
        naive.network_input(bgr, *PROCESSED)
        depth = np.array(self.depth) * (FOCAL * PROCESSED[0] / WIDTH / 300.0)
        depth[self.sky > 0.3] = np.nan
        depth = cv2.resize(depth.astype(np.float32), (WIDTH, HEIGHT))
        image = Image(height=HEIGHT, width=WIDTH, encoding='32FC1', step=4 * WIDTH)
        image.header = self.message.header
        image.data.frombytes(depth.tobytes())
        info = CameraInfo(height=HEIGHT, width=WIDTH)
        info.header = self.message.header
        info.k = [FOCAL, 0.0, WIDTH / 2, 0.0, FOCAL, HEIGHT / 2, 0.0, 0.0, 1.0]
        cloud = PointCloud2(height=HEIGHT, width=WIDTH, point_step=16, row_step=16 * WIDTH)
        cloud.header = self.message.header
        cloud.fields = [PointField(name=name, offset=4 * index, datatype=7, count=1)
                        for index, name in enumerate(('x', 'y', 'z', 'rgb'))]
        cloud.data.frombytes(naive.cloud_bytes(
            depth, bgr, (FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2)))
        for publisher, message in zip(self.publishers, (image, info, cloud)):
            publisher.publish(message)
        return depth, cloud


def same_work(frame: Frame) -> None:
    """Check that both ways publish the same depth and points, edges apart."""
    result = frame.ours('exact')
    depth, message = frame.usual()
    alike = np.isclose(result.depth, depth, rtol=1e-3, equal_nan=True)
    assert alike.mean() > 0.95, alike.mean()
    theirs = np.frombuffer(message.data, np.float32).reshape(HEIGHT, WIDTH, 4)
    near = np.isclose(result.cloud[..., :3], theirs[..., :3], rtol=1e-3, equal_nan=True).all(-1)
    assert near.mean() > 0.94, near.mean()
    np.testing.assert_array_equal(
        result.cloud.view(np.uint32)[..., 3], theirs.view(np.uint32)[..., 3])


def in_default_process(pipe: Any) -> None:
    """Run the usual way whenever asked, in a process as Python starts it."""
    import cv2
    import rclpy
    rclpy.init()
    frame = Frame(rclpy.create_node('bench_frame_usual'))
    cv2.setNumThreads(1)
    while pipe.recv():
        before = resource.getrusage(resource.RUSAGE_SELF)
        start = time.perf_counter()
        frame.usual()
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send(Sample(seconds, 0.0, after.ru_minflt - before.ru_minflt))


def measure(node: Any, rounds: int) -> list[report.Row]:
    """Return all rows."""
    import cv2
    import torch
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    frame = Frame(node)
    same_work(frame)
    cloud = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    copy = np.zeros_like(cloud)
    fast, exact, limit = 'ours, fast', 'ours, exact', 'memcpy of the cloud'
    usual, tuned = 'usual way', 'usual way with our malloc'
    pipe, other = multiprocessing.Pipe()
    worker = multiprocessing.get_context('spawn').Process(
        target=in_default_process, args=(other,), daemon=True)
    worker.start()

    def elsewhere() -> Sample:
        pipe.send(True)
        found: Sample = pipe.recv()
        return found

    samples = interleave({
        fast: partial(once, lambda: frame.ours('fast')),
        exact: partial(once, lambda: frame.ours('exact')), usual: elsewhere,
        tuned: partial(once, frame.usual), limit: partial(once, lambda: np.copyto(copy, cloud))},
        rounds=rounds, warm_up=8, measure=lambda way: way())
    pipe.send(False)
    worker.join(10.0)

    def faults(found: list[Sample]) -> Any:
        return spread([sample.faults for sample in found])

    return [
        report.compared(samples, usual, fast, report.bar('at least', 10.0)),
        report.compared(samples, usual, exact),
        report.compared(samples, tuned, fast),
        report.compared(samples, fast, limit, report.bar('at most', 6.0)),
        report.compared(samples, exact, limit),
        report.row('page faults of a frame, ours', faults(samples[exact]),
                   report.bar('at most', 50)),
        report.row('page faults of a frame, usual way', faults(samples[usual]))]


def main() -> None:
    """Measure in this process as the node sets itself up, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=60)
    arguments = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    set_up_process()
    import rclpy
    rclpy.init()
    node = rclpy.create_node('bench_frame')
    one_processor()
    try:
        rows = measure(node, arguments.rounds)
    finally:
        node.destroy_node()
        rclpy.shutdown()
    report.save(
        'frame', 'ratio or count', rows, rounds=arguments.rounds, threads=1,
        columns={'milliseconds': 'ms', 'against_milliseconds': 'against, ms'},
        size=f'{WIDTH}x{HEIGHT}', notes=[
            'The usual way runs in a process of its own, as Python starts it, and once more in '
            'ours. `exact` is the default of `depth.preprocess`; its difference to `fast` is the '
            'resize by exact areas. A camera_info takes 10 microseconds to publish.'])


if __name__ == '__main__':
    main()
