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

"""Log lines that are said once or not too often, and Python's logging handed to ROS."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable

PERIOD = 10.0
"""Seconds in which the same trouble is said once."""


class Reporter:
    """Says each kind of trouble at most once in a period, and remembers the last one."""

    def __init__(
        self, logger: Any, clock: Callable[[], float] = time.monotonic, *,
        prefix: str = '', parent: Reporter | None = None,
    ) -> None:
        """
        Report to a logger.

        :param logger: has ``warning`` and ``error``, as the loggers of rclpy and Python.
        :param clock: seconds, only differences count.
        :param prefix: stands in front of every line.
        :param parent: a reporter that shall remember the newest trouble too.
        """
        self._logger = logger
        self._prefix = prefix
        self._parent = parent
        self._clock = clock
        self._said: dict[str, float] = {}
        self._held_back: dict[str, int] = {}
        self._lock = threading.Lock()
        self._last_error = ''

    @property
    def last_error(self) -> str:
        """Return the text of the newest trouble, empty when there was none."""
        return self._last_error

    def info(self, text: str) -> None:
        """Say something that is no trouble."""
        self._logger.info(self._prefix + text)

    def forget(self) -> None:
        """Forget the newest trouble; what was said once is still not said again."""
        self._last_error = ''

    def warn(self, kind: str, text: str) -> None:
        """Warn, but not again about the same kind within the period."""
        text = self._prefix + text
        if self._parent is not None:
            self._parent._last_error = text
        with self._lock:
            self._last_error = text
            now = self._clock()
            if now - self._said.get(kind, -PERIOD) < PERIOD:
                self._held_back[kind] = self._held_back.get(kind, 0) + 1
                return
            self._said[kind] = now
            again = self._held_back.pop(kind, 0)
        if again:
            text += f' ({again} times more since the last line)'
        self._logger.warning(text)

    def once(self, kind: str, text: str) -> None:
        """Warn about this kind once for ever."""
        with self._lock:
            if kind in self._said:
                return
            self._said[kind] = self._clock()
        self._logger.warning(self._prefix + text)


class RosHandler(logging.Handler):
    """Sends the records of Python's logging to a ROS logger."""

    def __init__(self, logger: Any) -> None:
        """
        Send to this logger.

        :param logger: a logger of rclpy, which decides what is shown.
        """
        super().__init__(logging.DEBUG)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Say the record at its own level."""
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._logger.info(text)
        else:
            self._logger.debug(text)
