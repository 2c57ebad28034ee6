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

"""Run one node until it is told to stop, and end cleanly however often it is told."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, Callable, NoReturn, Sequence

from depth_anything_ros.errors import DepthAnythingError
from depth_anything_ros.ros.reporting import RosHandler
from depth_anything_ros.ros.stopping import ignore_signals, stop_on_signals
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor


def run(
    make_node: Callable[[], Any], args: Sequence[str] | None = None, *,
    greeting: Sequence[str] = (),
) -> int:
    """
    Spin a node in this thread until SIGINT, SIGTERM, the end of the context, or its own wish.

    :param make_node: makes the node once rclpy is there; it may have an ``exit_code``, which ends
        the process as soon as it is not None, and a ``close`` that returns whether all its
        threads ended.
    :param args: command line; default: that of the process.
    :param greeting: lines for the log at start.
    :returns: 0 after a wish to stop, 2 when arguments or settings are refused, else its own code.
    """
    stop = stop_on_signals()
    node = executor = None
    code, ended = 0, True
    try:
        rclpy.init(args=args)
    except Exception as error:  # a different class for every kind of wrong argument
        print(f'cannot start: {error}', file=sys.stderr)
        return 2
    try:
        node = make_node()
        forward_logging(node.get_logger())
        for line in greeting:
            node.get_logger().info(line)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while rclpy.ok() and not stop.is_set() and getattr(node, 'exit_code', None) is None:
            executor.spin_once()
        if not stop.is_set():
            code = getattr(node, 'exit_code', None) or 0
    except ExternalShutdownException:
        pass
    except DepthAnythingError as error:
        print(f'cannot start: {error}', file=sys.stderr)
        code = 2
    except Exception:
        # A context that a signal shut down makes every call of rclpy fail.
        if not stop.is_set():
            raise
    finally:
        ignore_signals()
        if node is not None:
            close = getattr(node, 'close', None)
            ended = True if close is None else close()
            node.destroy_node()
        if executor is not None:
            executor.shutdown()
        rclpy.try_shutdown()
        ignore_signals(for_good=True)
    if not ended:
        # A thread is inside a library's call that nothing interrupts; taking the interpreter down
        # under it would crash.
        leave(code)
    return code


def leave(code: int) -> NoReturn:
    """
    End the process at once, without taking the interpreter down.

    :param code: exit code.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def forward_logging(logger: Any) -> None:
    """Send what our modules log to a node's logger, and nowhere else."""
    ours = logging.getLogger('depth_anything_ros')
    ours.handlers = [RosHandler(logger)]
    ours.propagate = False
    debug = logger.get_effective_level() <= rclpy.logging.LoggingSeverity.DEBUG
    ours.setLevel(logging.DEBUG if debug else logging.INFO)
