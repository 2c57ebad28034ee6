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

"""The run itself: start the programs, follow them, end when every image is accounted for."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
import time
from typing import Callable

from depth_anything_ros.cli.demo_plan import parameter_file, Plan
from depth_anything_ros.cli.demo_processes import DemoFailed, Program
from depth_anything_ros.ros.demo_listener import DemoListener, Topics
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

SILENCE = 60.0
"""Seconds without any sign of a program that runs after which the demo gives up."""

PROGRESS = 2.0
"""Seconds between two lines about the progress."""

CAMERA_ARGUMENTS = ('-r', '__ns:=/camera')
NODE_ARGUMENTS = ('-r', 'image:=/camera/image')


class Session:
    """One run of camera, node and listener."""

    def __init__(self, plan: Plan, output: Path, stack: ExitStack) -> None:
        """
        Start listening.

        :param plan: what to run.
        :param output: folder for parameter files and logs.
        :param stack: ends everything that is started here.
        """
        self._plan, self._output, self._stack = plan, output, stack
        # Python's own handling of Ctrl-C: it ends the programs on its way out.
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.try_shutdown)
        self.listener = DemoListener(Topics(
            image='/camera/image', camera_info='/depth/camera_info',
            depth='/depth/relative' if plan.relative else '/depth/image',
            points='' if plan.relative else '/depth/points',
            truth='/camera/ground_truth/depth' if plan.truth else ''))
        stack.callback(self.listener.destroy_node)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.listener)
        self._node: Program | None = None
        self._camera: Program | None = None

    def start_node(self) -> None:
        """
        Start the depth node and wait until it has loaded its model.

        :raises DemoFailed: when it ends or says nothing.
        """
        self._node = self._start(
            'depth_node', 'depth_anything_ros.ros.node', self._plan.node, 'node',
            NODE_ARGUMENTS)
        began = time.monotonic()
        self._follow(
            lambda: self._state() == 'active' and self.listener.matched(),
            lambda: f'depth_node: {self._state() or "starting"} '
                    f'({time.monotonic() - began:.0f} s)',
            lambda: self.listener.reports)
        print(f'depth_node: active after {time.monotonic() - began:.1f} s', flush=True)

    def start_camera(self) -> None:
        """Subscribe to everything, then start the camera, which waits for its subscribers."""
        self.listener.listen()
        self._camera = self._start(
            'demo_camera', 'depth_anything_ros.ros.demo_camera', self._plan.camera, 'camera',
            CAMERA_ARGUMENTS)

    def wait_for_the_end(self) -> None:
        """
        Follow the images until the camera has ended and the node has done its last one.

        :raises DemoFailed: when a program ends badly or nothing moves any more.
        """
        camera = self._camera
        assert camera is not None
        self._follow(
            lambda: camera.code == 0, self._progress,
            lambda: len(self.listener.observed.stamps['image']))
        counted = self.listener.reports
        self._follow(
            lambda: self.listener.reports >= counted + 2 and self._count('waiting') == 0,
            self._progress, lambda: self.listener.reports)

    def _start(
        self, name: str, module: str, parameters: object, short: str, arguments: tuple[str, ...],
    ) -> Program:
        assert isinstance(parameters, dict)
        file = parameter_file(self._output / f'{short}.yaml', parameters)
        program = Program(
            name, module, ['--ros-args', '--params-file', str(file), *arguments],
            self._output / f'{short}.log')
        return self._stack.enter_context(program)

    def _follow(
        self, done: Callable[[], bool], progress: Callable[[], str], sign: Callable[[], int],
    ) -> None:
        """Spin until it is done, say where it stands, and give up when nothing moves."""
        told = moved = time.monotonic()
        last = sign()
        while not done():
            self._executor.spin_once(timeout_sec=0.1)
            self._check()
            now = time.monotonic()
            if sign() != last:
                moved, last = now, sign()
            if now - moved > SILENCE:
                raise DemoFailed(self._nothing_moves())
            if now - told > PROGRESS:
                told = now
                print(progress(), flush=True)

    def _check(self) -> None:
        for program in (self._node, self._camera):
            if program is not None:
                program.check()
        if self._node is not None and self._node.code is not None:
            raise DemoFailed(f'depth_node ended by itself:\n{self._node.tail()}')

    def _state(self) -> str:
        return self.listener.report.values.get('state', '') if self.listener.report else ''

    def _count(self, name: str) -> int:
        return self.listener.report.count(name) if self.listener.report else 0

    def _progress(self) -> str:
        sent, out = (len(self.listener.observed.stamps[name]) for name in ('image', 'depth'))
        if not sent:
            return 'demo_camera: starting'
        return f'{sent:>5} of {self._plan.frames} images, {out} depth maps'

    def _nothing_moves(self) -> str:
        """Return what is known about why nothing comes."""
        report = self.listener.report
        said = f'the node says: {report.message}' if report else (
            'not even /diagnostics came: do processes on this machine find each other in ROS? '
            '(a firewall, a container without /dev/shm, another RMW_IMPLEMENTATION)')
        logs = '\n'.join(f'{program.name}:\n{program.tail()}'
                         for program in (self._node, self._camera) if program is not None)
        return f'nothing has come for {SILENCE:.0f} s; {said}\n{logs}'
