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
Several cameras on one network, in one process: how the frames are shared out.

``python -m bench.multi_camera``. The network takes a constant time per call, as a device does that
is busy with one image at a time, and every camera asks for more than its share.
"""

from __future__ import annotations

import argparse
import threading
import time
from typing import Any

from bench import report
from bench.engine import scene
from bench.node_parts import constant_engine
from depth_anything_ros.process import set_up_process


def results(service: Any, cameras: int, hertz: float, seconds: float) -> list[int]:
    """Return how many results each camera got."""
    from depth_anything_ros.core.camera import Intrinsics
    from depth_anything_ros.core.frame import Frame
    from depth_anything_ros.core.options import FrameOptions, Output
    frame = Frame(scene(640, 480), intrinsics=Intrinsics.from_focal(460.0, 640, 480))
    options = FrameOptions(outputs=frozenset({Output.DEPTH}))
    counts = [0] * cameras

    def count(index: int) -> None:
        counts[index] += 1

    streams = [service.stream(str(index), lambda result, index=index: count(index),
                              lambda error: None) for index in range(cameras)]
    end = time.monotonic() + seconds

    def publish(stream: Any) -> None:
        while time.monotonic() < end:
            stream.submit(lambda: frame, options)
            time.sleep(1 / hertz)

    threads = [threading.Thread(target=publish, args=(stream,)) for stream in streams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for stream in streams:
        stream.close()
    return counts


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=6.0)
    parser.add_argument('--hertz', type=float, default=30.0)
    parser.add_argument('--delay', type=float, default=0.03, help='of the network, s')
    arguments = parser.parse_args()
    set_up_process()
    from depth_anything_ros.service import DepthService
    rows = []
    service = DepthService(constant_engine(arguments.delay))
    try:
        for cameras in (1, 2, 4, 8):
            counts = results(service, cameras, arguments.hertz, arguments.seconds)
            rows.append(report.row(
                f'{cameras} cameras: results per second, of 1 / {arguments.delay * 1e3:g} ms',
                sum(counts) / arguments.seconds * arguments.delay,
                least=min(counts), most=max(counts)))
            rows.append(report.row(
                f'{cameras} cameras: most / least results of a camera',
                max(counts) / max(1, min(counts)), report.bar('at most', 1.2)))
    finally:
        service.close()
    report.save('multi_camera', 'ratio', rows, columns={'least': 'least', 'most': 'most'},
                seconds=arguments.seconds, hertz=arguments.hertz)


if __name__ == '__main__':
    main()
