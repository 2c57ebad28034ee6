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

"""SIGINT and SIGTERM as a wish to look at, never as an exception in the middle of things."""

from __future__ import annotations

import signal
import threading

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_stop = threading.Event()


def stop_on_signals() -> threading.Event:
    """
    Take note of signals from now on; call it before slow imports and before ``rclpy.init``.

    The handlers of rclpy call these ones after shutting the context down.

    :returns: the event that a signal sets, the same one for every call.
    """
    for number in SIGNALS:
        signal.signal(number, lambda *_: _stop.set())
    return _stop


def ignore_signals(*, for_good: bool = False) -> None:
    """
    Let no further signal end a process that is taking itself down.

    :param for_good: rclpy is shut down. Until then its thread may hand on a signal that came
        before, and Python reports one that it is to ignore by then as an error.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN if for_good else lambda *_: None)
