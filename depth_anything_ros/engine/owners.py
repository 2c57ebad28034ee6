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

"""Who hands work to a runner: streams, of which the newest frame counts, and single requests."""

from __future__ import annotations

from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
import threading
from typing import Any, Callable

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.queueing import Job, Owner
from depth_anything_ros.engine.tally import Tally
from depth_anything_ros.errors import DeadlineExceeded, NotReady

CLOSING = 'the service is closing'


@dataclass(frozen=True)
class StreamCounts:
    """
    What became of the frames of a stream.

    ``received == done + failed + dropped + waiting`` at every moment.
    """

    received: int = 0
    done: int = 0
    failed: int = 0
    dropped: int = 0

    @property
    def waiting(self) -> int:
        """Return how many frames are in the pipeline now."""
        return self.received - self.done - self.failed - self.dropped


class Stream:
    """Frames of one camera, of which only the newest matters."""

    newest_only = True

    def __init__(
        self, name: str, on_result: Callable[[DepthResult], None],
        on_error: Callable[[Exception], None], put: Callable[[Job], None],
        forget: Callable[[Owner], None],
    ) -> None:
        """
        Belong to a runner; made by :meth:`Runner.stream`.

        :param name: for logs.
        :param on_result: takes each result.
        :param on_error: takes what stopped a frame.
        :param put: hands a job to the runner.
        :param forget: drops what waits there of an owner.
        """
        self.name = name
        self._on_result = on_result
        self._on_error = on_error
        self._put, self._forget = put, forget
        self._counts = dict.fromkeys(('received', 'done', 'failed', 'dropped'), 0)
        self._lock = threading.Lock()
        self._closed = False

    def submit(
        self, source: Callable[[], Frame], options: FrameOptions, *, ready: bool = False,
    ) -> None:
        """
        Hand in the newest frame and return at once.

        :param source: returns the frame; called in a thread of the runner, and not at all when a
            newer frame comes first.
        :param options: what is asked of it.
        :param ready: whether the source returns at once, with nothing to decode.
        """
        self._count('received')
        if self._closed:
            self._count('dropped')
            return
        self._put(Job(source, options, self, ready=ready))

    def counts(self) -> StreamCounts:
        """Return a consistent snapshot of the counters."""
        with self._lock:
            return StreamCounts(**self._counts)

    def close(self) -> None:
        """Drop what waits; the frame inside a stage still comes out."""
        self._closed = True
        self._forget(self)

    def expired(self, now: float) -> bool:
        """Return False: a newer frame ends a frame's time, and nothing else."""
        return False

    def begin(self) -> bool:
        """Return True: a frame that waits is wanted."""
        return True

    def done(self, result: DepthResult) -> None:
        """Hand a result on and count it."""
        try:
            self._on_result(result)
        except Exception as error:
            self.failed(error)
            return
        self._count('done')

    def failed(self, error: Exception) -> None:
        """Count a frame that failed and hand its error on."""
        self._count('failed')
        self._on_error(error)

    def dropped(self) -> None:
        """Count one frame that a newer one replaced."""
        self._count('dropped')

    def _count(self, outcome: str) -> None:
        with self._lock:
            self._counts[outcome] += 1


class Request:
    """
    One request: its place among those under way, which it leaves once, and its future.

    Until the device is free for it the future can be cancelled; that frees the place at once.
    """

    newest_only = False

    def __init__(
        self, tally: Tally, deadline: float | None, forget: Callable[[Owner], None],
    ) -> None:
        """
        Wait for an answer; the tally has admitted it already.

        :param tally: where its end is counted.
        :param deadline: when it need not be begun any more, by ``time.monotonic``.
        :param forget: drops what waits of it in the runner.
        """
        self.future: Future[Any] = Future()
        self._tally = tally
        self._deadline = deadline
        self._forget = forget
        self._lock = threading.Lock()
        self._ended = self._notified = False
        self.future.add_done_callback(self._cancelled)

    def expired(self, now: float) -> bool:
        """Return whether its deadline is over."""
        return self._deadline is not None and now >= self._deadline

    def begin(self) -> bool:
        """Return whether it was not cancelled; from now on it cannot be."""
        return self._notify()

    def done(self, value: Any) -> None:
        """Answer it."""
        self._answer('done', lambda: self.future.set_result(value))

    def failed(self, error: Exception) -> None:
        """Answer it with an error."""
        outcome = 'expired' if isinstance(error, DeadlineExceeded) else 'failed'
        self._answer(outcome, lambda: self.future.set_exception(error))

    def dropped(self) -> None:
        """Answer it because the runner closes."""
        self.failed(NotReady(CLOSING))

    def _answer(self, outcome: str, answer: Callable[[], None]) -> None:
        # The place is free before anybody hears of it: who hears may ask again at once.
        if self._end(outcome):
            try:
                answer()
            except InvalidStateError:
                # Cancelled in between: nobody waits for the answer.
                pass

    def _cancelled(self, future: Future[Any]) -> None:
        if future.cancelled() and self._end('cancelled'):
            # concurrent.futures.wait and as_completed hear of it only by this.
            self._notify()
            self._forget(self)

    def _notify(self) -> bool:
        with self._lock:
            if self._notified:
                return False
            self._notified = True
            return self.future.set_running_or_notify_cancel()

    def _end(self, outcome: str) -> bool:
        with self._lock:
            first, self._ended = not self._ended, True
        if first:
            self._tally.end(outcome)
        return first
