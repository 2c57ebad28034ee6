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
import logging
import threading
import time
from typing import Any, Callable, Sequence, TypeVar

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine
from depth_anything_ros.engine.owners import CLOSING, Request, Stream
from depth_anything_ros.engine.queueing import Inbox, Job, Owner
from depth_anything_ros.engine.shares import Shares
from depth_anything_ros.engine.shortcut import kind_of, Shortcut
from depth_anything_ros.engine.tally import Statistics, Tally
from depth_anything_ros.errors import (
    Busy,
    DeadlineExceeded,
    InferenceFailed,
    NotReady,
    OutOfMemory,
)

logger = logging.getLogger(__name__)

STAGES = ('prepare', 'infer', 'finish')

Value = TypeVar('Value')


class Runner:
    """
    Runs an engine's three steps in three threads.

    Streams are never queued: a newer frame replaces an older one in front of every stage.
    Requests are queued in order up to a limit and never dropped. Neither starves the other, see
    :class:`Shares`. What waits for the network with one shape goes through it together.

    What finds nothing else in hand and has nothing to decode is prepared in the network's thread,
    and a request is finished there, too: a change of threads costs more than many a step. A quick
    request need not change threads at all: see ``at_once``.
    """

    def __init__(
        self, engine: Engine, *, queue_size: int = 4, max_batch: int = 1,
        batch_window: float = 0.0, request_share: float = 0.15,
        rescue: Callable[[Job, Exception], bool] | None = None,
    ) -> None:
        """
        Start the threads.

        :param engine: a loaded engine; the runner does not close it.
        :param queue_size: requests that may be under way; one more is refused.
        :param max_batch: images of one shape that one call of the network may take.
        :param batch_window: seconds to wait for more of them; 0 takes only what waits already.
        :param request_share: part of the time that requests have while frames wait for it.
        :param rescue: told which job failed on the device and why; returns whether somebody else
            answers it. None: its owner hears of it.
        """
        self._engine, self._rescue = engine, rescue
        self._preparing = threading.Lock()
        # There infer only begins the work: the thread that finishes waits for the device.
        self._waits_in_finish = engine.info.device.startswith('cuda')
        self._in_hand = [0] * len(STAGES)
        self._tally = Tally(queue_size)
        self._max_batch, self._window = max_batch, batch_window
        self._fitting: dict[tuple[int, int] | None, int] = {}
        self._inboxes = tuple(Inbox(Shares(request_share)) for _ in STAGES)
        # Who asks is not to wait for a device that works by itself, or for another machine.
        self._shortcut = Shortcut(
            engine, self._inboxes, self._preparing, self._tally,
            not batch_window and engine.info.device == 'cpu')
        self.at_once = self._shortcut.take
        self._closing = False
        self._threads = [
            threading.Thread(target=work, name=f'depth-{stage}', daemon=True)
            for stage, work in zip(STAGES, (self._prepare, self._infer, self._finish))]
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
        return Stream(name, on_result, on_error, lambda job: self.put(0, job), self.forget)

    def submit(
        self, source: Callable[[], Frame], options: FrameOptions, *,
        deadline: float | None = None, ready: bool = False,
        pixels: tuple[int, ...] = (),
    ) -> Future[DepthResult]:
        """
        Queue one request.

        :param source: returns the frame; called in a thread of the runner.
        :param options: what is asked of it.
        :param deadline: when it need not be begun any more, by ``time.monotonic``; None: never.
        :param ready: whether the source returns at once, with nothing to decode.
        :param pixels: shape of its pixels, by which :class:`Shortcut` knows such requests again.
        :returns: a future with the result, or the error that stopped it: ``DeadlineExceeded``
            when its time was over before the device was free. Cancelling it before that drops
            the work and frees its place.
        :raises Busy: when ``queue_size`` requests are under way already.
        :raises NotReady: when the runner is closing.
        """
        request = self._admit(deadline)
        kind = kind_of(options, pixels) if pixels else None
        self.put(0, Job(source, options, request, ready=ready, kind=kind))
        return request.future

    def call(
        self, function: Callable[[Engine], Value], *, deadline: float | None = None,
    ) -> Future[Value]:
        """
        Queue a function that needs the device for itself, between two calls of the network.

        It counts as one request.

        :param function: given the engine, in the infer thread.
        :param deadline: when it need not be begun any more, by ``time.monotonic``; None: never.
        :returns: a future with what it returned or raised, as of :meth:`submit`.
        :raises Busy: when ``queue_size`` requests are under way already.
        :raises NotReady: when the runner is closing.
        """
        request = self._admit(deadline)
        self.put(1, Job(function, None, request))
        return request.future

    def statistics(self) -> Statistics:
        """Return a consistent snapshot of what was done so far."""
        prepare, infer, finish = (len(inbox) for inbox in self._inboxes)
        return self._tally.snapshot((prepare, infer, finish))

    def close(self, timeout: float = 5.0) -> bool:
        """
        Stop: what waits is dropped or answered ``NotReady``, what runs is finished.

        :param timeout: seconds to wait for the stages.
        :returns: whether all threads ended in time.
        """
        self._closing = True
        for inbox in self._inboxes:
            for job in inbox.close():
                job.owner.dropped()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _admit(self, deadline: float | None) -> Request:
        if self._closing:
            raise NotReady(CLOSING)
        if not self._tally.admit():
            # Work whose time is over may hold places that nobody has needed until now.
            self.expire()
            if not self._tally.admit():
                self._tally.refuse()
                raise Busy(f'{self._tally.queue_size} requests are under way already; try again')
        return Request(self._tally, deadline, self.forget)

    def load(self) -> int:
        """Return how many jobs wait here or are worked on."""
        return sum(map(len, self._inboxes)) + sum(self._in_hand)

    def drain(self, *owners: type) -> list[Job]:
        """Take out and return what waits in front of the device and is of such owners."""
        return [job for inbox in self._inboxes[:2]
                for job in inbox.remove(lambda job: isinstance(job.owner, owners))]

    def put(self, stage: int, job: Job) -> None:
        """
        Hand a job to a stage.

        :param stage: an index of ``STAGES``: 0 for a frame, 1 for a function of the engine.
        :param job: admitted by somebody already.
        """
        job.entered = time.monotonic()
        prepare, infer, _ = self._inboxes
        if stage == 0 and job.ready and not self._window and prepare.idle and infer.idle:
            stage = 1
        dropped = self._inboxes[stage].put(job)
        if dropped is not None:
            dropped.owner.dropped()

    def forget(self, owner: Owner) -> None:
        """Drop what waits of an owner."""
        for inbox in self._inboxes:
            for job in inbox.forget(owner):
                job.owner.dropped()

    def expire(self) -> None:
        """Answer what waits for the device though its time is over."""
        now = time.monotonic()
        for inbox in self._inboxes[:2]:
            for job in inbox.remove(lambda job: job.owner.expired(now)):
                self._report(job.owner.failed, _late())

    def _prepare(self) -> None:
        while jobs := self._inboxes[0].take():
            job, = self._begun(0, jobs)
            if self._is_late(job):
                self._in_hand[0] = 0
                continue
            start = time.monotonic()
            if self._made_ready(job):
                self.put(1, job)
            self._inboxes[0].charge(job, time.monotonic() - start)
            self._in_hand[0] = 0

    def _made_ready(self, job: Job) -> bool:
        """Prepare a job, and return whether that succeeded."""
        try:
            frame = job.work()
            with self._preparing:
                job.value = self._engine.prepare(frame, job.options)
            job.shape = job.value.shape
        except Exception as error:
            self._fail(job, error)
            return False
        self._clock(0, job)
        return True

    def _infer(self) -> None:
        _, infer, finish = self._inboxes
        while jobs := infer.take(self._most, self._window):
            ready = [job for job in self._begun(1, jobs)
                     if not self._is_late(job) and job.owner.begin()]
            if ready and ready[0].options is None:
                self._call(ready[0])
            elif ready and ready[0].value is None:
                # Nothing else was in hand when it came.
                ready[0].times['wait_prepare'] = ready[0].times.pop('wait_infer')
                if self._made_ready(ready[0]):
                    self._at_once(1, ready[0])
                    self._network(ready)
            elif ready:
                self._network(ready)
            if self._waits_in_finish:
                # The device works on while this thread goes on: it gets one batch ahead and no
                # further.
                finish.wait_until_empty()
            self._in_hand[1] = 0

    def _finish(self) -> None:
        while jobs := self._inboxes[2].take():
            job, = self._begun(2, jobs)
            self._in_hand[2] = 0
            self._complete(job)

    def _complete(self, job: Job) -> None:
        try:
            result: DepthResult = self._engine.finish(job.value)
        except Exception as error:
            self._fail(job, error, on_device=True)
            return
        # The engine knows when the device was busy, the clock here only when it was asked.
        seconds = result.timings.get('infer', job.times['infer']) / job.batch
        self._tally.busy(seconds)
        if self._waits_in_finish:
            self._inboxes[1].charge(job, seconds)
        self._clock(2, job)
        if job.kind is not None:
            self._shortcut.pace.note(job.kind, sum(job.times[stage] for stage in STAGES))
        self._report(job.owner.done, result.timed(job.times))

    def _call(self, job: Job) -> None:
        try:
            value = job.work(self._engine)
        except Exception as error:
            self._clock(1, job)
            self._fail(job, error, on_device=isinstance(error, InferenceFailed))
        else:
            self._clock(1, job)
            self._report(job.owner.done, value)
        self._tally.busy(job.times['infer'])
        self._inboxes[1].charge(job, job.times['infer'])

    def _network(self, jobs: Sequence[Job]) -> None:
        try:
            values = self._engine.infer([job.value for job in jobs])
        except Exception as error:
            self._tally.batch(len(jobs), split=len(jobs) > 1)
            if len(jobs) == 1:
                self._fail(jobs[0], error, on_device=True)
                return
            logger.warning('%d images together failed and are repeated in parts: %s',
                           len(jobs), error)
            if isinstance(error, OutOfMemory):
                self._fitting[jobs[0].shape] = len(jobs) // 2
        else:
            self._tally.batch(len(jobs), split=False)
            # No frame that was computed is dropped for a newer one.
            self._inboxes[2].wait_until_empty()
            for job, value in zip(jobs, values, strict=True):
                job.value, job.batch = value, len(jobs)
                self._clock(1, job)
                if not self._waits_in_finish:
                    # Now: whose turn is next is decided before this one is finished.
                    self._inboxes[1].charge(job, job.times['infer'] / job.batch)
                if self._stays(job):
                    self._at_once(2, job)
                    self._complete(job)
                else:
                    self.put(2, job)
            return
        # One of them may be to blame, or their number; the others are not to suffer. Not above:
        # the error holds what the device has no memory for.
        half = len(jobs) // 2
        self._network(jobs[:half])
        self._network(jobs[half:])

    def _stays(self, job: Job) -> bool:
        """Return whether the network's thread finishes a job itself: nobody else is held up."""
        prepare, infer, finish = self._inboxes
        return not job.owner.newest_only and job.batch == 1 and not self._waits_in_finish \
            and finish.idle and not len(infer) and not len(prepare)

    def _most(self, job: Job) -> int:
        return min(self._max_batch, self._fitting.get(job.shape, self._max_batch))

    def _begun(self, stage: int, jobs: Sequence[Job]) -> Sequence[Job]:
        """Note how long jobs have waited for a stage, and that it begins."""
        self._in_hand[stage] = len(jobs)
        now = time.monotonic()
        for job in jobs:
            job.times[f'wait_{STAGES[stage]}'] = now - job.entered
            job.entered = now
        return jobs

    @staticmethod
    def _clock(stage: int, job: Job) -> None:
        job.times[STAGES[stage]] = time.monotonic() - job.entered

    @staticmethod
    def _at_once(stage: int, job: Job) -> None:
        """Note that a job goes on to a stage without waiting for it."""
        job.times[f'wait_{STAGES[stage]}'] = 0.0
        job.entered = time.monotonic()

    def _is_late(self, job: Job) -> bool:
        late = job.owner.expired(job.entered)
        if late:
            self._report(job.owner.failed, _late())
        return late

    def _fail(self, job: Job, error: Exception, on_device: bool = False) -> None:
        logger.debug('a frame failed', exc_info=error)
        if on_device and self._rescue is not None and self._rescue(job, error):
            return
        self._report(job.owner.failed, error)

    @staticmethod
    def _report(callback: Callable[[Any], None], value: Any) -> None:
        # A receiver's own error must not end the thread that serves all others.
        try:
            callback(value)
        except Exception:
            logger.exception('the receiver of a result or error failed')


def _late() -> DeadlineExceeded:
    return DeadlineExceeded('the deadline was over before the device was free')
