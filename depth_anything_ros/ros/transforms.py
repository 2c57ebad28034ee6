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

"""Where optical frames are in other frames: the one place that knows tf2."""

from __future__ import annotations

from importlib.util import find_spec
import logging
import threading
from typing import Any, Callable, Iterable

from depth_anything_ros.core.placement import Placement
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.settings import Settings
from rclpy.duration import Duration
from rclpy.time import Time

logger = logging.getLogger(__name__)

JUMP_NS = 5_000_000_000
"""Stamps that fall behind the newest by so much, half of what tf2 remembers, come of a bag that
began again: what it remembers would then make tf2 ignore what is sent now."""

IDENTITY = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))


def check_transforms(settings: Settings) -> None:
    """
    Refuse a target frame where nothing can look transforms up.

    :raises ConfigError: naming the package.
    """
    target = settings.points.target_frame
    if target and find_spec('tf2_ros') is None:
        raise ConfigError(
            f'points.target_frame is {target!r}, but tf2_ros is not installed; install '
            'ros-$ROS_DISTRO-tf2-ros, or leave it empty and let the reader of the cloud transform '
            'it')


class Transforms:
    """
    A listener to /tf and /tf_static, there only while a camera has a target frame.

    :meth:`close` belongs to the node's thread, the others to any.
    """

    def __init__(self, node: Any, settings: Callable[[], Iterable[Settings]]) -> None:
        """
        Make a look-up that listens to nothing yet.

        :param node: the node that owns the subscriptions.
        :param settings: returns the newest snapshots of all cameras.
        """
        self._node = node
        self._settings = settings
        self._lock = threading.Lock()
        self._buffer: Any = None
        self._listener: Any = None
        self._reachable: set[tuple[str, str]] = set()
        self._newest = 0
        self._asked = False
        # What the executor may be waiting for is changed in its own thread.
        self._change = node.create_guard_condition(self._follow)

    def listen(self) -> None:
        """Subscribe soon when a target frame is set, unsubscribe when none is."""
        wanted = self._wanted()
        if wanted != (self._listener is not None):
            with self._lock:
                self._asked = True
                if wanted and self._buffer is None:
                    from tf2_ros import Buffer
                    self._buffer = Buffer()
            self._change.trigger()

    def _wanted(self) -> bool:
        return any(settings.points.target_frame for settings in self._settings())

    def _follow(self) -> None:
        with self._lock:
            asked, buffer = self._asked, self._buffer
        if not asked:
            return  # closed meanwhile
        if not self._wanted():
            self.close()
        elif self._listener is None and buffer is not None:
            from tf2_ros import TransformListener
            self._listener = TransformListener(buffer, self._node, spin_thread=False)

    def placement(
        self, target: str, frame_id: str, stamp_ns: int, timeout: float, reporter: Reporter,
    ) -> Placement | None:
        """
        Return the pose of an optical frame at the time of an image, None when nobody knows it.

        It waits only for a pair of frames that could be looked up before: a transform that lags
        behind comes soon, one that does not exist never.

        :param target: the frame of the points.
        :param frame_id: the optical frame.
        :param stamp_ns: stamp of the image.
        :param timeout: longest wait in seconds.
        :param reporter: is told why there is no transform.
        """
        if target == frame_id:
            return Placement(target, IDENTITY)
        with self._lock:
            buffer = self._buffer
            if buffer is not None and stamp_ns < self._newest - JUMP_NS:
                buffer.clear()
                self._newest = 0
            self._newest = max(self._newest, stamp_ns)
            wait = timeout if (target, frame_id) in self._reachable else 0.0
        if buffer is None:
            return None
        try:
            found = buffer.lookup_transform(
                target, frame_id, Time(nanoseconds=stamp_ns), timeout=Duration(seconds=wait))
        except Exception as error:
            # The exceptions' base class is in tf2_ros; whatever it is, there is no transform.
            with self._lock:
                self._reachable.discard((target, frame_id))
            reporter.warn(
                'no_transform', f'no cloud in {target!r}: no transform from {frame_id!r} at the '
                f'stamp of the image ({type(error).__name__}: {error})')
            return None
        with self._lock:
            self._reachable.add((target, frame_id))
        move, turn = found.transform.translation, found.transform.rotation
        return Placement.from_pose(
            target, (move.x, move.y, move.z), (turn.x, turn.y, turn.z, turn.w))

    def close(self) -> None:
        """Unsubscribe and forget what was heard."""
        with self._lock:
            self._asked = False
            self._buffer = None
            self._reachable.clear()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.unregister()
            logger.debug('no longer listening to /tf')
