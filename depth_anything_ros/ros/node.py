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

"""The program depth_node: sets the process up, chooses the engine, runs the node."""

from __future__ import annotations

import sys
from typing import Sequence

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.interfaces import ros_problem
from depth_anything_ros.loading import from_environment
from depth_anything_ros.process import set_up_process
from depth_anything_ros.ros.stopping import stop_on_signals
from depth_anything_ros.settings import Settings


def main(args: Sequence[str] | None = None) -> int:
    """
    Run the node until it is told to stop, then end the process.

    :param args: command line; default: that of the process.
    :returns: 2 when ROS is missing or the environment is not accepted. Once the node ran the
        process ends: with 0 when it was told to stop, 1 when it could not start its model, 2 when
        a setting is not accepted.
    """
    stop_on_signals()
    try:
        # Before rclpy, torch and OpenCV are imported: they read their settings at start.
        set_up = set_up_process()
        base = from_environment(Settings())
    except ConfigError as error:
        print(f'depth_node cannot start: {error}', file=sys.stderr)
        return 2
    problem = ros_problem()
    if problem is not None:
        print(f'depth_node cannot start: {problem}', file=sys.stderr)
        return 2
    from depth_anything_ros.bridges.from_settings import bridges_of
    from depth_anything_ros.ros.depth_node import DepthNode
    from depth_anything_ros.ros.running import leave, run
    code = run(lambda: DepthNode(base=base, companions=bridges_of), args,
               greeting=(*set_up.done, *set_up.left))
    # All of ours is closed; taking torch down would add a second, of two that a node has to end.
    leave(code)


if __name__ == '__main__':
    raise SystemExit(main())
