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


def ignore_signals() -> None:
    """Let no further signal end a process that is taking itself down."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
