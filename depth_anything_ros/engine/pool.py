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

"""Several devices behind the face of one runner: one worker each, the least loaded is next."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
import itertools
import logging
import threading
import time
from typing import Callable, Sequence, TypeVar

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine
from depth_anything_ros.engine.owners import CLOSING, Request, Stream
from depth_anything_ros.engine.queueing import Job, Owner
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.engine.seats import Camera, Seat, Turn
from depth_anything_ros.engine.tally import Statistics, Tally
from depth_anything_ros.engine.watched import Watched
from depth_anything_ros.engine.workers import anew, DeviceStatus, Probe, told, Worker
from depth_anything_ros.errors import Busy, DepthAnythingError, InferenceFailed, NotReady

logger = logging.getLogger(__name__)

PROBE_SIZE = (640, 480)
"""Size (width, height) in pixels of the image that a device must manage to come back."""

Value = TypeVar('Value')


class Pool:
    """
    Streams and requests on several devices, as :class:`Runner` has them on one.

    A job goes to the worker with the fewest jobs, of equal ones to the one that has waited
    longest. A camera stays with a worker while frames of it are under way. A device whose network
    fails or does not answer is taken out, its requests are repeated once elsewhere, and it comes
    back when it manages an image. The last one stays.
    """

    def __init__(
        self, engines: Sequence[Engine], *, queue_size: int = 4, max_batch: int = 1,
        batch_window: float = 0.0, request_share: float = 0.15, device_timeout: float = 0.0,
    ) -> None:
        """
        Start a runner for each engine.

        :param engines: the same model on several devices; the pool does not close them.
        :param queue_size: requests that may be under way on all together; one more is refused.
        :param max_batch: as of :class:`Runner`, as are the next ones.
        :param device_timeout: seconds after which a device that does not answer is taken out; 0:
            never.
        """
        self._tally = Tally(queue_size)
        self._lock = threading.RLock()
        self._closing = False
        self._order = itertools.count(1)
        self._cameras: dict[int, Camera] = {}
        self._workers: list[Worker] = []
        devices = [engine.info.device for engine in engines]
        for index, engine in enumerate(map(Watched, engines)):
            name, before = devices[index], devices[:index].count(devices[index])
            self._workers.append(Worker(
                f'{name}#{before + 1}' if before else name, engine, Runner(
                    engine, queue_size=queue_size, max_batch=max_batch,
                    batch_window=batch_window, request_share=request_share,
                    rescue=lambda job, error, index=index: self._rescue(  # type: ignore[misc]
                        self._workers[index], job, error))))
        self._timeout, self._closed = device_timeout, threading.Event()
        if device_timeout:
            threading.Thread(target=self._watch, name='depth-watch', daemon=True).start()

    def stream(
        self, name: str, on_result: Callable[[DepthResult], None],
        on_error: Callable[[Exception], None],
    ) -> Stream:
        """Open a stream; see :meth:`Runner.stream`."""
        camera = Camera()
        camera.stream = Stream(
            name, on_result, on_error, lambda job: self._frame(camera, job),
            lambda _: self._leave(camera))
        self._cameras[id(camera)] = camera
        return camera.stream

    def submit(
        self, source: Callable[[], Frame], options: FrameOptions, *,
        deadline: float | None = None, ready: bool = False, pixels: tuple[int, ...] = (),
    ) -> Future[DepthResult]:
        """Queue one request; see :meth:`Runner.submit`."""
        request = self._admit(deadline)
        self._place(Job(source, options, request, ready=ready), request)
        return request.future

    def call(
        self, function: Callable[[Engine], Value], *, deadline: float | None = None,
    ) -> Future[Value]:
        """Queue a function that needs one of the engines; see :meth:`Runner.call`."""
        request = self._admit(deadline)
        self._place(Job(lambda watched: function(watched.engine), None, request), request)
        return request.future

    def statistics(self) -> Statistics:
        """Return what was done so far on all devices together."""
        each = [worker.runner.statistics() for worker in self._workers]
        prepare, infer, finish = (sum(seen.waiting[stage] for seen in each) for stage in range(3))
        batches: dict[int, int] = {}
        for seen in each:
            for size, count in seen.batches.items():
                batches[size] = batches.get(size, 0) + count
        return self._tally.snapshot(
            (prepare, infer, finish), batches=batches, split=sum(seen.split for seen in each),
            busy_s=sum(seen.busy_s for seen in each), rate=sum(seen.rate for seen in each))

    def devices(self) -> tuple[DeviceStatus, ...]:
        """Return how each device is and what it has done."""
        return tuple(worker.status() for worker in self._workers)

    def close(self, timeout: float = 5.0) -> bool:
        """Stop all workers; see :meth:`Runner.close`."""
        with self._lock:
            self._closing = True
            self._closed.set()
            timers = [worker.timer for worker in self._workers if worker.timer]
        for timer in timers:
            timer.cancel()
        end = time.monotonic() + timeout
        # All stop taking work at once; only then is each waited for.
        for worker in self._workers:
            worker.runner.close(0.0)
        ended = [worker.runner.close(max(0.0, end - time.monotonic()))
                 for worker in self._workers]
        return all(ended)

    def _admit(self, deadline: float | None) -> Request:
        if self._closing:
            raise NotReady(CLOSING)
        if not self._tally.admit():
            for worker in self._workers:
                worker.runner.expire()
            if not self._tally.admit():
                self._tally.refuse()
                raise Busy(f'{self._tally.queue_size} requests are under way already; try again')
        return Request(self._tally, deadline, self._forget)

    def _place(self, job: Job, request: Request) -> None:
        with self._lock:
            worker = self._least_loaded()
            job.owner = turn = Turn(request, worker, job.retried)
            worker.turns[turn] = job
            worker.runner.put(1 if job.options is None else 0, job)

    def _least_loaded(self) -> Worker:
        worker = min((worker for worker in self._workers if worker.serving),
                     key=lambda worker: (worker.runner.load(), worker.last_given))
        worker.last_given = next(self._order)
        return worker

    def _forget(self, request: Owner) -> None:
        for worker in self._workers:
            for turn in list(worker.turns):
                if turn.request is request:
                    worker.runner.forget(turn)

    def _frame(self, camera: Camera, job: Job) -> None:
        # The camera's lock first, as where a result comes out.
        with camera.lock, self._lock:
            seat = camera.seat
            if seat is None or not seat.worker.serving or camera.stream.counts().waiting == 1:
                worker = self._least_loaded()
                if seat is None or seat.worker is not worker:
                    if seat is not None:
                        seat.worker.runner.forget(seat)
                    seat = camera.seat = Seat(camera, worker)
            job.owner = seat
            seat.worker.runner.put(0, job)

    def _leave(self, camera: Camera) -> None:
        self._cameras.pop(id(camera), None)
        camera.leave()

    def _rescue(self, worker: Worker, job: Job, error: Exception) -> bool:
        """Take a device out, and return whether the job is done elsewhere."""
        fault = isinstance(error, InferenceFailed) or not isinstance(error, DepthAnythingError)
        if not fault or isinstance(job.owner, Probe):
            return False
        with self._lock:
            # What fails on two devices is to blame itself.
            if self._closing or job.retried or not self._others(worker):
                return False
            waiting = self._take_out(worker, error) if worker.serving else []
        turn = job.owner
        if isinstance(turn, Turn):
            self._repeat(turn, job)
        self._elsewhere(waiting)
        return isinstance(turn, Turn)

    def _others(self, worker: Worker) -> bool:
        return any(each.serving and each is not worker for each in self._workers)

    def _repeat(self, turn: Turn, job: Job) -> None:
        """Do a job once more, from its beginning, unless somebody else does already."""
        if not turn.left:
            turn.give_up()
            self._place(anew(replace(job, retried=True, times={})), turn.request)

    def _elsewhere(self, jobs: Sequence[Job]) -> None:
        """Do what has waited at a worker at another one; a newer frame will come by itself."""
        for job in jobs:
            if isinstance(job.owner, Turn):
                job.owner.give_up()
                self._place(anew(job), job.owner.request)
            else:
                job.owner.dropped()

    def _watch(self) -> None:
        """Look after the devices: one that hangs says nothing."""
        while not self._closed.wait(min(1.0, self._timeout / 4)):
            for worker in self._workers:
                if not worker.serving:
                    # What was being prepared for it when it was taken out.
                    self._elsewhere(worker.runner.drain(Turn, Seat))
                elif worker.engine.busy_for() > self._timeout:
                    self._leave_behind(worker)

    def _leave_behind(self, worker: Worker) -> None:
        """Take out a device that does not answer; what it has begun is done elsewhere."""
        error = InferenceFailed(f'no answer for {self._timeout:g} s')
        with self._lock:
            if self._closing or not self._others(worker):
                return
            waiting = self._take_out(worker, error)
            begun = [(turn, job) for turn, job in list(worker.turns.items()) if turn.begun]
        for turn, job in begun:
            if job.retried:
                # What hangs on two devices is to blame itself.
                turn.failed(error)
            else:
                self._repeat(turn, job)
        self._elsewhere(waiting)
        for seat in list(worker.seats):
            seat.leave_behind()

    def _take_out(self, worker: Worker, error: Exception) -> list[Job]:
        worker.leave(error)
        logger.error('%s is taken out and tried again in %g s: %s', worker.name, worker.pause,
                     worker.error)
        self._try_later(worker)
        return worker.runner.drain(Turn, Seat)

    def _try_later(self, worker: Worker) -> None:
        if not self._closing:
            worker.try_later(self._try)

    def _try(self, worker: Worker) -> None:
        def ended(error: Exception | None) -> None:
            with self._lock:
                if error is not None:
                    worker.error = told(error)
                    self._try_later(worker)
                    return
                worker.come_back()
                cameras = list(self._cameras.values())
            logger.warning('%s works again and serves', worker.name)
            for camera in cameras:
                # Busy cameras keep their seats for ever; now there is room for them.
                camera.leave()

        worker.runner.put(1, Job(
            lambda engine: engine.warm_up(*PROBE_SIZE), None, Probe(ended)))
