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
