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
One replica: the real ``depth-anything serve`` whose network takes a constant time and no CPU.

``python -m bench.replica SECONDS PLACES`` serves HTTP on a free port until SIGTERM.
"""

from __future__ import annotations

import sys

from depth_anything_ros.bridges import launcher
from depth_anything_ros.cli import main
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import Settings
import numpy as np


def run(seconds: float, places: int) -> int:
    """Serve; all but the network is the program's own."""
    def opened(settings: Settings) -> DepthService:
        return DepthService(
            GivenDepthEngine(lambda frame: np.ones(frame.size[::-1], np.float32), delay=seconds),
            queue_size=settings.model.queue_size)

    launcher.open_service = opened
    return main.main(['serve', '--rest', '--port', '0', '--queue-size', str(places),
                      '--log-level', 'ERROR'])


if __name__ == '__main__':
    sys.exit(run(float(sys.argv[1]), int(sys.argv[2])))
