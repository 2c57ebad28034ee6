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

"""A subscriber that puts the messages of one image together and measures what it sees."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from depth_anything_ros.core.accuracy import Accuracy, accuracy
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.camera_info import intrinsics_of
from depth_anything_ros.ros.conversions import data_of, frame_of, NANOSECONDS, stamp_ns
from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

PENDING = 32
"""Images whose messages may be waited for at the same time."""

KEPT = 12
"""Views that are kept at most, spread over the run."""


@dataclass(frozen=True)
class Topics:
    """Names of the topics; an empty one is not subscribed to."""

    image: str
    depth: str
    camera_info: str
    points: str = ''
    truth: str = ''


@dataclass(frozen=True)
class Seen:
    """
    All that came for one image.

    ``rgb`` (H, W, 3) uint8; ``depth`` (H, W) float32; ``truth`` likewise, metres; ``cloud``
    (H, W, 4) float32 with packed colour.
    """

    rgb: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]
    intrinsics: Intrinsics | None
    truth: npt.NDArray[np.float32] | None = None
    cloud: npt.NDArray[np.float32] | None = None
    accuracy: Accuracy | None = None


@dataclass
class Observed:
    """What was seen so far: counts and times by topic, delays in seconds, errors, some views."""

    stamps: dict[str, list[int]] = field(default_factory=dict)
    arrivals: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    accuracies: list[Accuracy] = field(default_factory=list)
    complete: int = 0
    views: list[Seen] = field(default_factory=list)
    _stride: int = 1

    def keep(self, seen: Seen) -> None:
        """Keep a view now and then, so that the kept ones are spread over the whole run."""
        if self.complete % self._stride == 0:
            self.views.append(seen)
        self.complete += 1
        if len(self.views) > KEPT:
            self.views = self.views[::2]
            self._stride *= 2


@dataclass(frozen=True)
class NodeReport:
    """What the depth node last said on /diagnostics."""

    level: int
    message: str
    values: Mapping[str, str]

    def count(self, name: str) -> int:
        """Return one of the node's counters."""
        return int(self.values.get(name, '0'))


class DemoListener(Node):  # type: ignore[misc]
    """The node ``demo_listener``."""

    def __init__(self, topics: Topics, **arguments: Any) -> None:
        """
        Listen to /diagnostics at once, to the topics when told.

        :param topics: what to subscribe to.
        :param arguments: handed on to rclpy's node.
        """
        super().__init__('demo_listener', **arguments)
        self._topics = topics
        self._pending: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self.observed = Observed()
        self.report: NodeReport | None = None
        self.reports = 0
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def listen(self) -> None:
        """Subscribe to the topics."""
        qos = QoSProfile(
            history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE)
        kinds = {'image': Image, 'depth': Image, 'camera_info': CameraInfo,
                 'points': PointCloud2, 'truth': Image}
        for name, kind in kinds.items():
            topic = getattr(self._topics, name)
            if topic:
                self.observed.stamps[name] = []
                self.create_subscription(kind, topic, self._receiver(name), qos)

    def matched(self) -> bool:
        """Return whether the depth node's publishers are known here."""
        names = [self._topics.depth, self._topics.camera_info, self._topics.points]
        return all(self.count_publishers(name) > 0 for name in names if name)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        node = [status for status in message.status if status.name.endswith(': node')]
        if not node:
            return
        # The camera's status has what only a camera can say, the node's has the sums.
        values: dict[str, str] = {}
        for status in reversed(message.status):
            values.update({item.key: item.value for item in status.values if item.value})
        worst = max(message.status, key=lambda status: level_of(status.level))
        self.report = NodeReport(level_of(worst.level), worst.message, values)
        self.reports += 1

    def _receiver(self, name: str) -> Callable[[Any], None]:
        return lambda message: self._receive(name, message)

    def _receive(self, name: str, message: Any) -> None:
        now = self.get_clock().now().nanoseconds
        stamp = stamp_ns(message.header.stamp)
        self.observed.stamps[name].append(stamp)
        if name == 'depth':
            self.observed.arrivals.append(now / NANOSECONDS)
            self.observed.latencies.append((now - stamp) / NANOSECONDS)
        parts = self._pending.setdefault(stamp, {})
        parts[name] = message
        if len(parts) == len(self.observed.stamps):
            del self._pending[stamp]
            self._complete(parts)
        while len(self._pending) > PENDING:
            self._pending.popitem(last=False)

    def _complete(self, parts: Mapping[str, Any]) -> None:
        image, info = parts['image'], parts['camera_info']
        depth = floats(parts['depth'])
        truth = floats(parts['truth']) if 'truth' in parts else None
        error = None if truth is None else accuracy(depth, truth)
        if error is not None:
            self.observed.accuracies.append(error)
        cloud = None
        if 'points' in parts:
            message = parts['points']
            cloud = np.frombuffer(message.data, '<f4').reshape(message.height, message.width, 4)
        self.observed.keep(Seen(
            frame_of(image, None).rgb, depth, intrinsics_of(info, info.width, info.height), truth,
            cloud, error))


def level_of(level: Any) -> int:
    """Return a status level as a number; Python's messages have one byte."""
    return int(level[0] if isinstance(level, bytes) else level)


def floats(message: Image) -> npt.NDArray[np.float32]:
    """Return the pixels of a 32FC1 message, (H, W) float32, as a view."""
    return data_of(message).view('<f4').reshape(message.height, message.width)
