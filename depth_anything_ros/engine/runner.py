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

"""Three stages in three threads around one engine: prepare, infer, finish."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
import logging
import threading
import time
from typing import Any, Callable

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine
from depth_anything_ros.engine.queueing import Inbox, Job
from depth_anything_ros.errors import Busy, NotReady

logger = logging.getLogger(__name__)

STAGES = ('prepare', 'infer', 'finish')


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

    def __init__(
        self, runner: Runner, name: str, on_result: Callable[[DepthResult], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """Belong to a runner; made by :meth:`Runner.stream`."""
        self.name = name
        self._runner = runner
        self._on_result = on_result
        self._on_error = on_error
        self._counts = StreamCounts()
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, source: Callable[[], Frame], options: FrameOptions) -> None:
        """
        Hand in the newest frame and return at once.

        :param source: returns the frame; called in the prepare thread, and not at all when a
            newer frame comes first.
        :param options: what is asked of it.
        """
        self._count(received=1)
        if self._closed:
            self._count(dropped=1)
            return
        self._runner.put(0, Job(source, options, self, self._done, self._failed))

    def counts(self) -> StreamCounts:
        """Return a consistent snapshot of the counters."""
        with self._lock:
            return self._counts

    def close(self) -> None:
        """Drop what waits; the frame inside a stage still comes out."""
        self._closed = True
        self._runner.forget(self)

    def drop(self) -> None:
        """Count one frame that a newer one replaced."""
        self._count(dropped=1)

    def _done(self, result: DepthResult) -> None:
        try:
            self._on_result(result)
        except Exception as error:
            self._failed(error)
            return
        self._count(done=1)

    def _failed(self, error: Exception) -> None:
        self._count(failed=1)
        self._on_error(error)

    def _count(self, **changes: int) -> None:
        with self._lock:
            self._counts = replace(self._counts, **{
                key: getattr(self._counts, key) + value for key, value in changes.items()})


class Runner:
    """
    Runs an engine's three steps in three threads, one frame in each at a time.

    Streams are never queued: a newer frame replaces an older one in front of every stage.
    Requests are queued in order up to a limit and never dropped.
    """

    def __init__(self, engine: Engine, *, queue_size: int = 4) -> None:
        """
        Start the threads.

        :param engine: a loaded engine; the runner does not close it.
        :param queue_size: requests that may be under way; one more is refused.
        """
        self._engine = engine
        self._room = threading.BoundedSemaphore(queue_size)
        self._queue_size = queue_size
        self._inboxes = tuple(Inbox() for _ in STAGES)
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, args=(index,), name=f'depth-{stage}', daemon=True)
            for index, stage in enumerate(STAGES)]
        for thread in self._threads:
            thread.start()

    def stream(
        self, name: str, on_result: Callable[[DepthResult], None],
        on_error: Callable[[Exception], None],
    ) -> Stream:
        """
        Open a stream.

        :param name: for logs.
        :param on_result: called in the finish thread, in order, one result at a time.
        :param on_error: called in the thread of the stage that failed.
        """
        return Stream(self, name, on_result, on_error)

    def submit(
        self, source: Callable[[], Frame], options: FrameOptions,
    ) -> Future[DepthResult]:
        """
        Queue one request.

        :param source: returns the frame; called in the prepare thread.
        :param options: what is asked of it.
        :returns: a future with the result, or the error that stopped it.
        :raises Busy: when ``queue_size`` requests are under way already.
        :raises NotReady: when the runner is closing.
        """
        if self._closing:
            raise NotReady('the service is closing')
        if not self._room.acquire(blocking=False):
            raise Busy(f'{self._queue_size} requests are under way already; try again')
        future: Future[DepthResult] = Future()

        def failed(error: Exception) -> None:
            self._room.release()
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

        def done(result: DepthResult) -> None:
            self._room.release()
            if future.set_running_or_notify_cancel():
                future.set_result(result)

        self.put(0, Job(source, options, None, done, failed))
        return future

    def put(self, stage: int, job: Job) -> None:
        """Hand a job to a stage; what it replaces there is counted as dropped."""
        dropped = self._inboxes[stage].put(job)
        if dropped is not None:
            self._drop(dropped)

    def forget(self, stream: Stream) -> None:
        """Drop what waits of a stream."""
        for inbox in self._inboxes:
            for job in inbox.remove(stream):
                self._drop(job)

    def close(self, timeout: float = 5.0) -> bool:
        """
        Stop: what waits is dropped or answered ``NotReady``, what runs is finished.

        :param timeout: seconds to wait for the stages.
        :returns: whether all threads ended in time.
        """
        self._closing = True
        for inbox in self._inboxes:
            for job in inbox.close():
                self._drop(job)
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _drop(self, job: Job) -> None:
        if job.stream is None:
            job.failed(NotReady('the service is closing'))
        else:
            job.stream.drop()

    def _work(self, stage: int) -> None:
        while (job := self._inboxes[stage].take()) is not None:
            start = time.monotonic()
            job.times[f'wait_{STAGES[stage]}'] = start - job.entered
            try:
                self._step(stage, job)
            except Exception as error:
                logger.debug('%s failed', STAGES[stage], exc_info=True)
                self._report(job.failed, error)
                continue
            job.entered = time.monotonic()
            job.times[STAGES[stage]] = job.entered - start
            if stage + 1 < len(STAGES):
                self.put(stage + 1, job)
            else:
                self._report(job.done, replace(job.value, timings=job.times))

    @staticmethod
    def _report(callback: Callable[[Any], None], value: Any) -> None:
        # A receiver's own error must not end the thread that serves all others.
        try:
            callback(value)
        except Exception:
            logger.exception('the receiver of a result or error failed')

    def _step(self, stage: int, job: Job) -> None:
        if stage == 0:
            job.value = self._engine.prepare(job.source(), job.options)
        elif stage == 1:
            job.value, = self._engine.infer([job.value])
        else:
            job.value = self._engine.finish(job.value)
