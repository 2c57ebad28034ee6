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
Several cameras on one network in one process, against a process for each camera.

``python -m bench.multi_camera``. The network takes a constant time and holds the device meanwhile:
a lock that all processes share, as they would share a GPU. Every camera asks for more than its
share. ``da3-tiny`` runs on the cores that there are.
"""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from functools import partial
import multiprocessing
import threading
import time
from typing import Any, Iterator, Sequence

from bench import report
from bench.node_engines import constant, engine_of, Network, NETWORKS
from bench.pairs import spread
from bench.parts import Part, usage

CAMERAS = (1, 2, 4, 8)
WARM_UP = 1.0
"""Seconds of a turn that does not count."""

TINY = next(network for network in NETWORKS if network.model == 'da3-tiny')


def worker(pipe: Any, network: Network, device: Any) -> None:
    """Serve cameras: ``('run', cameras, hertz, seconds)`` answers how many results each got."""
    from depth_anything_ros.process import set_up_process
    set_up_process()
    from bench.node_engines import constant_engine
    from depth_anything_ros.service import DepthService
    service = DepthService(engine_of(network) if network.model else
                           constant_engine(network.delay, device))
    results(service, 1, 10, 0.2)
    pipe.send('ready')
    while (command := pipe.recv())[0] != 'end':
        pipe.send(results(service, *command[1:]))
    service.close()


def results(service: Any, cameras: int, hertz: float, seconds: float) -> list[int]:
    """Return how many results each camera got."""
    from bench.engine import scene
    from depth_anything_ros.core.camera import Intrinsics
    from depth_anything_ros.core.frame import Frame
    from depth_anything_ros.core.options import FrameOptions, Output
    frame = Frame(scene(640, 480), intrinsics=Intrinsics.from_focal(460.0, 640, 480))
    options = FrameOptions(outputs=frozenset({Output.DEPTH}))
    counts = [0] * cameras

    def count(index: int, result: Any) -> None:
        counts[index] += 1

    def fail(error: Exception) -> None:
        raise error

    streams = [service.stream(str(index), partial(count, index), fail)
               for index in range(cameras)]
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
    return list(counts)


class Turn:
    """What some processes did with some cameras each."""

    def __init__(self, parts: Sequence[Part], cameras: int, hertz: float, seconds: float) -> None:
        """Let them run together."""
        before = [usage(part.pid)['cpu'] for part in parts]
        for part in parts:
            part.tell('run', cameras, hertz, seconds)
        counts = [count for part in parts for count in part.reply()]
        after = [usage(part.pid) for part in parts]
        self.frames = sum(counts)
        self.least, self.most = min(counts), max(counts)
        used = sum(now['cpu'] - then for now, then in zip(after, before))
        self.cpu = 1e3 * used / max(1, self.frames)
        self.megabytes = sum(now['memory'] for now in after) / 1e6


@contextmanager
def processes(network: Network, count: int) -> Iterator[list[Part]]:
    """Give so many processes that share one device, started together."""
    device = multiprocessing.get_context('spawn').Lock()
    parts: list[Part] = []
    try:
        for _ in range(count):
            parts.append(Part(worker, network, device, wait=False))
        for part in parts:
            part.wait()
        yield parts
    finally:
        for part in parts:
            part.close()


def rows_of(
    network: Network, parts: Sequence[Part], rounds: int, hertz: float, seconds: float,
) -> list[report.Row]:
    """Return the rows of a camera for each of the processes: one for all, and one for each."""
    cameras = len(parts)
    one, many = [], []
    for index in range(rounds + 1):
        # The first round warms up and does not count.
        each = seconds if index else min(WARM_UP, seconds)
        turns = {way: Turn(parts[:1], cameras, hertz, each) if way else
                 Turn(parts, 1, hertz, each) for way in ((1, 0) if index % 2 else (0, 1))}
        if index:
            one.append(turns[1])
            many.append(turns[0])

    def columns(turns: Sequence[Turn]) -> dict[str, Any]:
        return {'hertz': spread([each.frames / seconds for each in turns]).median,
                'cpu': spread([each.cpu for each in turns]).median,
                'least': min(each.least for each in turns),
                'most': max(each.most for each in turns),
                'megabytes': round(max(each.megabytes for each in turns))}

    name = f'{network.name}, {cameras} camera{"s" if cameras > 1 else ""}'
    return [
        report.row(f'{name}: results, one process / {cameras}', spread(
            [a.frames / max(1, b.frames) for a, b in zip(one, many)]), **columns(one)),
        report.row(f'{name}: least / most results of a camera, one process', spread(
            [each.least / max(1, each.most) for each in one]), report.bar('at least', 0.8)),
        report.row(f'{name}: least / most results of a camera, {cameras} processes', spread(
            [each.least / max(1, each.most) for each in many]), **columns(many))]


def measure(
    rounds: int, hertz: float, seconds: float, delay: float, counts: Sequence[int] = CAMERAS,
    tiny: int = 4,
) -> list[report.Row]:
    """
    Return all rows.

    :param rounds: turns of each way that count.
    :param hertz: of each camera.
    :param seconds: of a turn.
    :param delay: milliseconds of the network of constant time.
    :param counts: numbers of cameras.
    :param tiny: number of cameras of da3-tiny, 0 for none.
    """
    rows = []
    for network, numbers in ((constant(delay), counts), (TINY, [tiny] if tiny else [])):
        # Those that a smaller number of cameras leaves out wait for a command.
        with processes(network, max(numbers, default=0)) as parts:
            for cameras in numbers:
                rows += rows_of(network, parts[:cameras], rounds, hertz, seconds)
    return rows


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=float, default=4.0, help='of a turn')
    parser.add_argument('--hertz', type=float, default=30.0, help='of each camera')
    parser.add_argument('--delay', type=float, default=30.0, help='of the network, ms')
    arguments = parser.parse_args()
    rows = measure(arguments.rounds, arguments.hertz, arguments.seconds, arguments.delay)
    report.save(
        'multi_camera', 'ratio', rows, rounds=arguments.rounds, seconds=arguments.seconds,
        hertz=arguments.hertz, columns={
            'hertz': 'results/s', 'cpu': 'CPU per result, ms', 'least': 'least of a camera',
            'most': 'most', 'megabytes': 'MB of all processes'},
        notes=['640x480, depth alone, no ROS. The network of constant time is one device that '
               'does one image at a time, for whichever process; da3-tiny runs on the same cores '
               'as all else. Columns are of one process in the first row of three, of a process '
               'for each camera in the last.'])


if __name__ == '__main__':
    main()
