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
A REST server in a process of its own whose engine reads the depth from the image.

``given_server.py PORT [MODEL]``; prints its port as a line and ends with its input.
"""

import sys

from depth_anything_ros.bridges.rest.server import RestBridge
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
import numpy as np


def depth_of(frame):
    """Return the depth that the colours mean, as ``ros_parts.coded_image`` writes it."""
    code = frame.rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    return (code * 1e-5).astype(np.float32)


def main():
    port, model = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else 'given'
    service = DepthService(GivenDepthEngine(depth_of, kind=DepthKind.METRIC, model=model))
    bridge = RestBridge(port=port)
    bridge.listen()
    bridge.start(service)
    print(bridge.port, flush=True)
    sys.stdin.read()
    bridge.stop(1)
    service.close()


if __name__ == '__main__':
    main()
