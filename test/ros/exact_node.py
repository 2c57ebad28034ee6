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

"""The depth node with an engine that reads the exact depth from the image's colours."""

import argparse

from depth_anything_ros.process import set_up_process
from depth_anything_ros.ros.stopping import stop_on_signals

if __name__ == '__main__':
    stop_on_signals()
    set_up_process()
    from depth_anything_ros.ros.depth_node import DepthNode
    from depth_anything_ros.ros.running import leave, run
    from ros_parts import exact_service

    parser = argparse.ArgumentParser()
    parser.add_argument('--kind', default='metric')
    parser.add_argument('--delay', type=float, default=0.0)
    parser.add_argument('--focal-per-width', type=float, default=1.0)
    own, rest = parser.parse_known_args()
    leave(run(
        lambda: DepthNode(open_service=lambda settings: exact_service(
            settings, own.kind, own.delay, own.focal_per_width)),
        ['exact_node', *rest]))
