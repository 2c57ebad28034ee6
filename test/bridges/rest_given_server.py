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
A REST server in a process of its own whose depth is given and whose camera never stops.

Prints its port as a line; answers each line on its standard input with the camera's counts and the
peak of its memory, as JSON; ends with its input.
"""

import dataclasses
import json
import sys
import threading

from depth_anything_ros.bridges.rest.options import REST_LIMITS, RestOptions
from depth_anything_ros.bridges.rest.server import RestBridge
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
import numpy as np

DEPTH = np.linspace(1, 9, 80 * 60, dtype=np.float32).reshape(60, 80)
CLIENTS = 64
QUEUE_SIZE = 32
MESSAGE_S = 3.0


def memory():
    with open('/proc/self/status', encoding='ascii') as status:
        for line in status:
            if line.startswith('VmHWM'):
                return int(line.split()[1]) // 1024
    return 0


def main():
    service = DepthService(
        GivenDepthEngine(lambda frame: DEPTH, kind=DepthKind.METRIC), queue_size=QUEUE_SIZE)
    limits = dataclasses.replace(REST_LIMITS, clients=CLIENTS, message_s=MESSAGE_S)
    bridge = RestBridge(RestOptions(limits=limits), 0)
    bridge.listen()
    bridge.start(service)
    stream = service.stream('front', lambda result: None, lambda error: None)
    stop = threading.Event()
    rgb = np.zeros((60, 80, 3), np.uint8)

    def feed():
        # Never two at once, so that none has to be replaced: a lost one would be our fault.
        while not stop.wait(0.01):
            if not stream.counts().waiting:
                stream.submit(lambda: Frame(rgb), FrameOptions())

    thread = threading.Thread(target=feed)
    thread.start()
    print(bridge.port, flush=True)
    for _ in sys.stdin:
        print(json.dumps({**dataclasses.asdict(stream.counts()), 'memory_mb': memory(),
                          'threads': threading.active_count()}), flush=True)
    stop.set()
    thread.join()
    bridge.stop(2)
    service.close()


if __name__ == '__main__':
    main()
