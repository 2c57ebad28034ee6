"""A slow function in a thread of its own."""

from __future__ import annotations

from concurrent.futures import Future
import threading
from typing import Callable, TypeVar

T = TypeVar('T')


def in_background(function: Callable[[], T], name: str) -> Future[T]:
    """
    Run a function in a daemon thread and return its future.

    Unlike an executor's thread it does not keep the process alive: a model that takes a minute to
    load must not delay the answer to SIGINT.

    :param function: what to run.
    :param name: of the thread.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = function()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
