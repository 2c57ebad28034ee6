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
The node for minutes at 30 Hz: what grows, and whether it gets later.

``python -m bench.soak --minutes 10``
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import time

from bench import node_parts, report
from bench.node_engines import constant, NETWORKS
from bench.parts import Part, usage
import numpy as np

SPACE = '/ours'


def held(pid: int) -> dict[str, float]:
    """Return what a process holds now: memory in MB, file descriptors and threads."""
    return {'memory': usage(pid)['memory'] / 1e6,
            'descriptors': len(list(Path(f'/proc/{pid}/fd').iterdir())),
            'threads': len(list(Path(f'/proc/{pid}/task').iterdir()))}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=10.0)
    parser.add_argument('--hertz', type=float, default=30.0)
    parser.add_argument('--network', default=constant(10).name,
                        choices=[network.name for network in NETWORKS])
    arguments = parser.parse_args()
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    network = next(each for each in NETWORKS if each.name == arguments.network)
    parts: dict[str, Part] = {}
    try:
        parts = {'camera': Part(node_parts.camera), 'listener': Part(node_parts.listener),
                 SPACE: Part(node_parts.our_node, SPACE, network)}
        pid = parts[SPACE].pid
        parts['listener'].ask('open', SPACE, network.topics)
        time.sleep(0.7)
        seconds = 60 * arguments.minutes
        parts['camera'].tell('run', SPACE, arguments.hertz, seconds, 640, 480, 'rgb8')
        # What is allocated once is there after a while; the rest must stay as it is.
        time.sleep(min(20.0, seconds / 4))
        before = held(pid)
        sent = parts['camera'].reply()
        after = held(pid)
        seen = parts['listener'].ask('close')[network.topics[-1]]
    finally:
        for part in parts.values():
            part.close()
    latency = np.array([value for _, value in seen])
    quarter = len(latency) // 4
    first, last = np.median(latency[quarter:2 * quarter]), np.median(latency[-quarter:])
    report.save('soak', 'change', [
        report.row('resident memory at the end / after the start',
                   after['memory'] / before['memory'], report.bar('at most', 1.05)),
        report.row('file descriptors more', after['descriptors'] - before['descriptors'],
                   report.bar('at most', 0)),
        report.row('threads more', after['threads'] - before['threads'],
                   report.bar('at most', 0)),
        report.row('latency p50, last quarter / second quarter', last / first,
                   report.bar('at most', 1.2)),
        report.row('frames that arrived, of images sent', len(seen) / sent)],
        minutes=arguments.minutes, hertz=arguments.hertz, network=network.name,
        memory=f'{after["memory"]:.0f} MB')


if __name__ == '__main__':
    main()
