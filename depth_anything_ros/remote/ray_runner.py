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

"""Streams and requests over Ray: what :class:`engine.runner.Runner` is for a device here."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
import logging
import time
from typing import Any, Callable, TypeVar

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Inferred, Prepared
from depth_anything_ros.engine.owners import CLOSING, Request, Stream
from depth_anything_ros.engine.queueing import Job, Owner
from depth_anything_ros.engine.tally import Statistics, Tally
from depth_anything_ros.engine.workers import DeviceStatus
from depth_anything_ros.errors import Busy, DeadlineExceeded, NotReady
from depth_anything_ros.remote.ray_engine import RayEngine
from depth_anything_ros.remote.ray_network import LONGEST_S

logger = logging.getLogger(__name__)

CALLS = 4
"""Functions that have the engine at the same time: each waits for replicas in a thread."""

PREPARE, INFER, FINISH = range(3)

Value = TypeVar('Value')


class RayRunner:
    """
    Prepares and finishes images here, and has replicas infer as many at once as they take.

    A stream has one frame on its way to the replicas and one that waits, replaced by a newer one;
    so its frames stay in order. Requests wait nowhere here: Serve has the queue, and refuses what
    it has no room for. Cancelling a request withdraws it from there.
    """

    def __init__(self, engine: RayEngine, *, queue_size: int = 4) -> None:
        """
        Start the threads.

        :param engine: asks the replicas; the runner does not close it.
        :param queue_size: requests that may be under way; one more is refused.
        """
        self._engine = engine
        self._tally = Tally(queue_size)
        self._loop = engine.network.loop
        self._before = ThreadPoolExecutor(1, 'depth-prepare')
        self._after = ThreadPoolExecutor(1, 'depth-finish')
        self._calls = ThreadPoolExecutor(CALLS, 'depth-call')
        self._closing = False
        # All this belongs to the loop's thread.
        self._under_way: dict[asyncio.Task[None], Job] = {}
        self._newest: dict[Owner, Job] = {}
        self._on_their_way: set[Owner] = set()
        self._in_stage = [0, 0, 0]

    def stream(
        self, name: str, on_result: Callable[[DepthResult], None],
        on_error: Callable[[Exception], None],
    ) -> Stream:
        """Open a stream; see :meth:`Runner.stream`."""
        return Stream(name, on_result, on_error, self._put, self._forget)

    def submit(
        self, source: Callable[[], Frame], options: FrameOptions, *,
        deadline: float | None = None, ready: bool = False, pixels: tuple[int, ...] = (),
    ) -> Future[DepthResult]:
        """
        Queue one request; see :meth:`Runner.submit`.

        It can be cancelled until its result is there, and its deadline goes with it.
        """
        request = self._admit(deadline)
        self._put(Job(source, options, request, ready=ready), deadline)
        return request.future

    def call(
        self, function: Callable[[Any], Value], *, deadline: float | None = None,
    ) -> Future[Value]:
        """Queue a function of the engine; see :meth:`Runner.call`. Several run at once."""
        request = self._admit(deadline)

        def work() -> None:
            if request.expired(time.monotonic()):
                request.failed(_late())
            elif request.begin():
                try:
                    request.done(function(self._engine))
                except Exception as error:
                    request.failed(error)

        def ended(task: Future[None]) -> None:
            if task.cancelled():
                request.dropped()
        self._calls.submit(work).add_done_callback(ended)
        return request.future

    def devices(self) -> tuple[DeviceStatus, ...]:
        """Return how each replica is."""
        return self._engine.network.replicas.status()

    def statistics(self) -> Statistics:
        """Return what was done so far: requests of this process, batches of the replicas."""
        prepare, infer, finish = self._in_stage
        return self._tally.snapshot(
            (prepare, infer, finish), **self._engine.network.replicas.work())

    def close(self, timeout: float = 5.0) -> bool:
        """
        Stop: what waits is dropped or answered ``NotReady``, what is on its way may come back.

        :param timeout: seconds to wait for that.
        :returns: True: what did not come back in time is withdrawn.
        """
        if self._closing:
            return True
        self._closing = True
        self._calls.shutdown(wait=False, cancel_futures=True)
        asyncio.run_coroutine_threadsafe(self._end(timeout), self._loop).result()
        self._before.shutdown()
        self._after.shutdown()
        return True

    async def _end(self, timeout: float) -> None:
        for job in self._newest.values():
            job.owner.dropped()
        self._newest.clear()
        if tasks := list(self._under_way):
            _, late = await asyncio.wait(tasks, timeout=timeout)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _admit(self, deadline: float | None) -> Request:
        if self._closing:
            raise NotReady(CLOSING)
        if not self._tally.admit():
            self._tally.refuse()
            raise Busy(f'{self._tally.queue_size} requests are under way already; try again')
        return Request(self._tally, deadline, self._forget)

    def _put(self, job: Job, deadline: float | None = None) -> None:
        until = time.monotonic() + LONGEST_S
        self._loop.call_soon_threadsafe(
            self._arrived, job, until if deadline is None else min(deadline, until))

    def _arrived(self, job: Job, until: float) -> None:
        if self._closing:
            job.owner.dropped()
        elif job.owner in self._on_their_way:
            if older := self._newest.pop(job.owner, None):
                older.owner.dropped()
            self._newest[job.owner] = job
        else:
            if job.owner.newest_only:
                self._on_their_way.add(job.owner)
            task = self._loop.create_task(self._serve(job, until))
            self._under_way[task] = job
            task.add_done_callback(self._under_way.pop)

    def _forget(self, owner: Owner) -> None:
        """Drop what waits of a stream, and withdraw a request that was cancelled."""
        self._loop.call_soon_threadsafe(self._withdraw, owner)

    def _withdraw(self, owner: Owner) -> None:
        if waiting := self._newest.pop(owner, None):
            waiting.owner.dropped()
        if not owner.newest_only:
            for task, job in self._under_way.items():
                if job.owner is owner:
                    task.cancel()

    async def _serve(self, job: Job, until: float) -> None:
        """Take a job through its stages and tell its owner what became of it."""
        try:
            try:
                item = await self._stage(PREPARE, self._before, self._prepare, job)
                if job.owner.expired(time.monotonic()):
                    raise _late()
                inferred = await self._ask(job, item, until)
            finally:
                self._next(job.owner)
            await self._stage(FINISH, self._after, self._finish, job, inferred)
        except asyncio.CancelledError:
            # Nobody waits for it any more, or the runner closes.
            job.owner.dropped()
            raise
        except Exception as error:
            logger.debug('a frame failed', exc_info=error)
            self._report(job.owner.failed, error)

    def _next(self, owner: Owner) -> None:
        """Send the frame of a stream that waits: what is finished after this stays in order."""
        self._on_their_way.discard(owner)
        if waiting := self._newest.pop(owner, None):
            self._arrived(waiting, time.monotonic() + LONGEST_S)

    def _prepare(self, job: Job) -> Prepared:
        start = _begun(job, 'prepare')
        if job.owner.expired(start):
            raise _late()
        item = self._engine.prepare(job.work(), job.options)
        _ended(job, 'prepare', start)
        return item

    async def _ask(self, job: Job, item: Prepared, until: float) -> Inferred:
        """Return a replica's answer; how long it waited there is part of the time it took."""
        start = _begun(job, 'infer')
        self._in_stage[INFER] += 1
        try:
            return await self._engine.ask(item, until - start)
        finally:
            self._in_stage[INFER] -= 1
            _ended(job, 'infer', start)

    def _finish(self, job: Job, inferred: Inferred) -> None:
        start = _begun(job, 'finish')
        result = self._engine.finish(inferred)
        _ended(job, 'finish', start)
        self._report(job.owner.done, replace(result, timings=job.times))

    async def _stage(
        self, stage: int, thread: Executor, work: Callable[..., Value], *given: Any,
    ) -> Value:
        """Do a part of a job in the thread of a stage."""
        self._in_stage[stage] += 1
        try:
            return await self._loop.run_in_executor(thread, work, *given)
        finally:
            self._in_stage[stage] -= 1

    @staticmethod
    def _report(callback: Callable[[Any], None], value: Any) -> None:
        # A receiver's own error must not end the thread that serves all others.
        try:
            callback(value)
        except Exception:
            logger.exception('the receiver of a result or error failed')


def _begun(job: Job, stage: str) -> float:
    """Note how long a job waited for a stage, and return the time."""
    now = time.monotonic()
    job.times[f'wait_{stage}'] = now - job.entered
    return now


def _ended(job: Job, stage: str, start: float) -> None:
    """Note how long a job was in a stage."""
    job.entered = time.monotonic()
    job.times[stage] = job.entered - start


def _late() -> DeadlineExceeded:
    return DeadlineExceeded('the deadline was over before a replica was free')
