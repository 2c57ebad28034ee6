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

"""The short way of a quick request: all steps in the thread that asks, without any change."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Callable, Hashable, Sequence

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine
from depth_anything_ros.engine.queueing import Inbox
from depth_anything_ros.engine.tally import Tally

logger = logging.getLogger(__name__)

QUICK_S = 0.001
"""So long one request may keep a thread that serves many clients, in seconds."""

KEPT = 64
"""Kinds of requests remembered."""

UNKNOWN = (math.inf, math.inf)


def kind_of(options: FrameOptions, pixels: tuple[int, ...]) -> Hashable:
    """
    Return what the time of a request depends on.

    :param options: what is asked; all of them would take longer to compare than they are worth.
    :param pixels: shape of the frame's pixels.
    """
    return pixels, options.process_res, options.output_size, options.outputs


class Pace:
    """How long the last three requests of each kind took, for any number of threads."""

    def __init__(self) -> None:
        """Know nothing: no kind is quick."""
        self.quick: set[Hashable] = set()
        """Kinds of which two of the last three requests were."""
        self._last: dict[Hashable, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def note(self, kind: Hashable, seconds: float) -> None:
        """
        Note a request.

        :param kind: what it was like, see :func:`kind_of`.
        :param seconds: how long its steps took.
        """
        before = self._last.get(kind)
        if before is not None and seconds < QUICK_S and max(before) < QUICK_S:
            # Quick as always: three of three, whatever their times were.
            return
        with self._lock:
            before = self._last.get(kind)
            if before is None:
                before = UNKNOWN
                if len(self._last) >= KEPT:
                    oldest = next(iter(self._last))
                    del self._last[oldest]
                    self.quick.discard(oldest)
            one, two = before
            self._last[kind] = seconds, one
            if (seconds < QUICK_S) + (one < QUICK_S) + (two < QUICK_S) > 1:
                self.quick.add(kind)
            else:
                self.quick.discard(kind)


class Shortcut:
    """
    Does all steps of one request in the thread that asks, when nothing else is in hand.

    A change of threads costs about a tenth of a millisecond, twice for each request; where the
    steps take less than ``QUICK_S`` it is most of what a client waits for. What takes longer stays
    with the runner's threads, and with the working memory and the helpers that those have.

    The code is in few and long functions: after the pixels have passed the processor's caches,
    each function that is entered costs more than what it does.
    """

    def __init__(
        self, engine: Engine, inboxes: Sequence[Inbox], preparing: threading.Lock, tally: Tally,
        usable: bool,
    ) -> None:
        """
        Belong to a runner.

        :param engine: the runner's.
        :param inboxes: of the runner's stages prepare, infer and finish.
        :param preparing: held by who prepares.
        :param tally: where requests are counted.
        :param usable: False where the stages must stay in their threads.
        """
        self._engine, self._preparing, self._tally = engine, preparing, tally
        self._before, self._infer, self._after = inboxes
        self._usable = usable
        self.pace = Pace()

    def take(
        self, source: Callable[[], Frame], options: FrameOptions, pixels: tuple[int, ...],
    ) -> DepthResult | None:
        """
        Return the result of a request, None when it has to be submitted.

        :param source: returns the frame at once, with nothing to decode.
        :param options: what is asked of it.
        :param pixels: shape of the frame's pixels.
        :raises DepthAnythingError: what stopped it.
        """
        kind = kind_of(options, pixels)
        if not self._usable or kind not in self.pace.quick or not self._before.idle \
                or not self._infer.lend():
            return None
        # What is finished now was on the device before: nothing can follow it any more.
        if not self._after.idle or not self._tally.admit():
            self._infer.take_back(0.0, 0.0)
            return None
        outcome, used, end = 'failed', 0.0, 0.0
        try:
            begin = time.monotonic()
            frame = source()
            with self._preparing:
                prepared = self._engine.prepare(frame, options)
            ready = time.monotonic()
            inferred, = self._engine.infer([prepared])
            there = time.monotonic()
            used = there - ready
            result = self._engine.finish(inferred)
            end = time.monotonic()
            outcome = 'done'
            self.pace.note(kind, end - begin)
            # Whole microseconds: seventeen digits take longer to write and read than the rest.
            return result.timed({
                'wait_prepare': 0.0, 'prepare': int((ready - begin) * 1e6) / 1e6,
                'wait_infer': 0.0, 'infer': int(used * 1e6) / 1e6,
                'wait_finish': 0.0, 'finish': int((end - there) * 1e6) / 1e6})
        except Exception as error:
            logger.debug('a frame failed', exc_info=error)
            raise
        finally:
            end = end or time.monotonic()
            self._tally.end_alone(outcome, used, end)
            self._infer.take_back(used, end)
