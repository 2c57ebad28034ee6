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

"""The program demo_camera: a camera for trying things out, with exact depth where it is known."""

from __future__ import annotations

import sys
from typing import Sequence

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.interfaces import ros_problem
from depth_anything_ros.process import set_up_process


def main(args: Sequence[str] | None = None) -> int:
    """
    Run the camera until it is told to stop or its pictures end.

    :param args: command line; default: that of the process.
    :returns: 0, or 2 when ROS is missing or a parameter is not accepted.
    """
    try:
        # Before rclpy and OpenCV are imported: they read their settings at start, and the
        # profile for large images must be in the process that publishes them.
        set_up = set_up_process()
    except ConfigError as error:
        print(f'demo_camera cannot start: {error}', file=sys.stderr)
        return 2
    problem = ros_problem()
    if problem is not None:
        print(f'demo_camera cannot start: {problem}', file=sys.stderr)
        return 2
    from depth_anything_ros.ros.demo_camera_node import DemoCamera
    from depth_anything_ros.ros.running import run
    return run(DemoCamera, args, greeting=(*set_up.done, *set_up.left))


if __name__ == '__main__':
    raise SystemExit(main())
