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

"""What the node says about itself in time: /diagnostics, and a log line where it is wanted."""

from __future__ import annotations

from dataclasses import replace
import logging
from typing import Any, Callable

from depth_anything_ros.ros.counting import Counts
from depth_anything_ros.ros.diagnostics import array_of, diagnose, Health, summary
from depth_anything_ros.ros.distro import steady_timer
from depth_anything_ros.settings import Settings
from diagnostic_msgs.msg import DiagnosticArray

logger = logging.getLogger(__name__)

NEVER = 1e9
"""Seconds of a timer that is not wanted."""


class Monitor:
    """
    Publishes one status for the node and one for each camera, and says the same in the log.

    The messages are those of diagnostic_updater (``node: task`` as name, the device as hardware
    id of them all, a summary and key-value pairs) and need nothing of it: the same code runs with
    the wheels, which have no diagnostic_updater, and with an installed ROS. Its timer goes by the
    wall, so that diagnostics come while a simulated clock stands.
    """

    def __init__(self, node: Any, health: Callable[[], Health]) -> None:
        """
        Begin.

        :param node: with ``cameras``, ``settings`` and ``state``.
        :param health: returns the snapshot of the node as a whole, but for the counts.
        """
        self._node = node
        self._health = health
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 1)
        period, lines = self._periods(node.settings)
        self._timer = steady_timer(node, period, self._diagnose)
        self._lines = steady_timer(node, lines, self._say)

    def apply(self, settings: Settings) -> None:
        """Take over changed periods, from the next message and line on."""
        for timer, period in zip((self._timer, self._lines), self._periods(settings)):
            nanoseconds = int(period * 1e9)
            if timer.timer_period_ns != nanoseconds:
                timer.timer_period_ns = nanoseconds
                timer.reset()

    @staticmethod
    def _periods(settings: Settings) -> tuple[float, float]:
        return settings.diagnostic_updater.period, settings.node.statistics_period or NEVER

    def _diagnose(self) -> None:
        cameras = {camera.name: camera.health(self._node.state) for camera in self._node.cameras}
        whole = self._health()
        whole = whole.counting(
            sum((item.counts for item in cameras.values()), Counts()),
            sum((item.before for item in cameras.values()), Counts()))
        tasks = {'node': whole}
        tasks.update({f'camera {name}'.rstrip(): replace(item, degraded=whole.degraded)
                      for name, item in cameras.items()})
        device = whole.values.get('device', '')
        statuses = [diagnose(item, f'{self._name()}: {task}', device)
                    for task, item in tasks.items()]
        self._publisher.publish(array_of(self._node.get_clock().now().to_msg(), statuses))

    def _name(self) -> str:
        node = self._node
        return str(node.get_fully_qualified_name() if node.settings.diagnostic_updater.use_fqn
                   else node.get_name())

    def _say(self) -> None:
        for camera in self._node.cameras:
            prefix = f'{camera.name}: ' if camera.name else ''
            logger.info('%s%s', prefix, summary(camera.counts(), camera.flow))
