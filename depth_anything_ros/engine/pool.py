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
from dataclasses import dataclass
import itertools
import logging
import threading
import time
from typing import Any, Callable, Sequence, TypeVar

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine, Inferred, Prepared
from depth_anything_ros.engine.owners import CLOSING, Request, Stream
from depth_anything_ros.engine.queueing import Job, Owner
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.engine.tally import Statistics, Tally
from depth_anything_ros.errors import Busy, DepthAnythingError, InferenceFailed, NotReady

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""A device that failed is tried again after the first, then twice as long, up to the longest."""

PROBE_SIZE = (640, 480)
"""Size (width, height) in pixels of the image that a device must manage to come back."""

Value = TypeVar('Value')


@dataclass(frozen=True)
class DeviceStatus:
    """How one of several devices is; ``rate`` is its images per second since the start."""

    name: str
    device: str
    serving: bool
    error: str
    images: int
    rate: float
    busy_s: float
    load: int


class Worker:
    """One device: its engine, its runner, and whether it serves."""

    def __init__(self, name: str, engine: Engine, runner: Runner) -> None:
        """Serve."""
        self.name, self.engine, self.runner = name, engine, runner
        self.error = ''
        self.serving = True
        self.pause = FIRST_PAUSE_S
        self.last_given = 0
        self.back_since = time.monotonic()
        self.timer: threading.Timer | None = None


class Probe:
    """The owner of a test of a device that is out."""

    newest_only = False

    def __init__(self, ended: Callable[[Exception | None], None]) -> None:
        """Tell a function what stopped the test, None when nothing did."""
        self._ended = ended

    def expired(self, now: float) -> bool:
        """Return False."""
        return False

    def begin(self) -> bool:
        """Return True."""
        return True

    def done(self, value: Any) -> None:
        """Hear that the device works."""
        self._ended(None)

    def failed(self, error: Exception) -> None:
        """Hear that the device does not work yet."""
        self._ended(error)

    def dropped(self) -> None:
        """Do nothing: the pool closes."""


class Seat:
    """
    A camera's place at one worker.

    It holds for as long as frames of the camera are under way there, so that none overtakes
    another. What comes out after the camera has left is late, and dropped.
    """

    newest_only = True

    def __init__(self, camera: Camera, worker: Worker) -> None:
        """Belong to a camera and a worker."""
        self._camera, self.worker = camera, worker

    def expired(self, now: float) -> bool:
        """Return False: a newer frame ends a frame's time, and nothing else."""
        return False

    def begin(self) -> bool:
        """Return True: a frame that waits is wanted."""
        return True

    def done(self, result: DepthResult) -> None:
        """Hand a result on, unless the camera sits elsewhere by now."""
        with self._camera.lock:
            if self._camera.seat is self:
                self._camera.stream.done(result)
                return
        self.dropped()

    def failed(self, error: Exception) -> None:
        """Hand an error on."""
        self._camera.stream.failed(error)

    def dropped(self) -> None:
        """Count one frame that a newer one replaced, or whose device was taken out."""
        self._camera.stream.dropped()


class Camera:
    """A stream and the seat that it has now."""

    stream: Stream

    def __init__(self) -> None:
        """Sit nowhere."""
        self.lock = threading.RLock()
        self.seat: Seat | None = None


class Pool:
    """
    Streams and requests on several devices, as :class:`Runner` has them on one.

    A job goes to the worker with the fewest jobs, of equal ones to the one that has waited
    longest. A camera stays with a worker while frames of it are under way. A device whose network
    fails is taken out, its requests are repeated once elsewhere, and it comes back when it
    manages an image. The last one stays.
    """

    def __init__(
        self, engines: Sequence[Engine], *, queue_size: int = 4, max_batch: int = 1,
        batch_window: float = 0.0, request_share: float = 0.15,
    ) -> None:
        """
        Start a runner for each engine.

        :param engines: the same model on several devices; the pool does not close them.
        :param queue_size: requests that may be under way on all together; one more is refused.
        :param max_batch: as of :class:`Runner`, as are the rest.
        """
        self._tally = Tally(queue_size)
        self._lock = threading.RLock()
        self._closing = False
        self._began = time.monotonic()
        self._turns = itertools.count(1)
        self._cameras: dict[int, Camera] = {}
        self._workers: list[Worker] = []
        devices = [engine.info.device for engine in engines]
        for index, engine in enumerate(engines):
            name, before = devices[index], devices[:index].count(devices[index])
            self._workers.append(Worker(
                f'{name}#{before + 1}' if before else name, engine, Runner(
                    engine, queue_size=queue_size, max_batch=max_batch,
                    batch_window=batch_window, request_share=request_share,
                    rescue=lambda job, error, index=index: self._rescue(  # type: ignore[misc]
                        self._workers[index], job, error))))

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
        deadline: float | None = None, ready: bool = False,
    ) -> Future[DepthResult]:
        """Queue one request; see :meth:`Runner.submit`."""
        return self._request(Job(source, options, self._admit(deadline), ready=ready))

    def call(
        self, function: Callable[[Engine], Value], *, deadline: float | None = None,
    ) -> Future[Value]:
        """Queue a function that needs one of the engines; see :meth:`Runner.call`."""
        return self._request(Job(function, None, self._admit(deadline)))

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
            busy_s=sum(seen.busy_s for seen in each))

    def devices(self) -> tuple[DeviceStatus, ...]:
        """Return how each device is and what it has done."""
        seconds = max(time.monotonic() - self._began, 1e-9)
        found = []
        for worker in self._workers:
            seen = worker.runner.statistics()
            images = sum(size * count for size, count in seen.batches.items())
            found.append(DeviceStatus(
                worker.name, worker.engine.info.device, worker.serving, worker.error, images,
                images / seconds, seen.busy_s, worker.runner.load()))
        return tuple(found)

    def close(self, timeout: float = 5.0) -> bool:
        """Stop all workers; see :meth:`Runner.close`."""
        with self._lock:
            self._closing = True
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

    def _request(self, job: Job) -> Future[Any]:
        future: Future[Any] = job.owner.future  # type: ignore[attr-defined]
        self._place(job)
        return future

    def _place(self, job: Job) -> None:
        with self._lock:
            worker = self._least_loaded()
            worker.runner.put(1 if job.options is None else 0, job)

    def _least_loaded(self) -> Worker:
        worker = min((worker for worker in self._workers if worker.serving),
                     key=lambda worker: (worker.runner.load(), worker.last_given))
        worker.last_given = next(self._turns)
        return worker

    def _forget(self, owner: Owner) -> None:
        for worker in self._workers:
            worker.runner.forget(owner)

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
        if camera.seat is not None:
            camera.seat.worker.runner.forget(camera.seat)

    def _rescue(self, worker: Worker, job: Job, error: Exception) -> bool:
        """Take a device out, and return whether the job is done elsewhere."""
        fault = isinstance(error, InferenceFailed) or not isinstance(error, DepthAnythingError)
        if not fault or isinstance(job.owner, Probe):
            return False
        with self._lock:
            others = [each for each in self._workers if each.serving and each is not worker]
            # What fails on two devices is to blame itself.
            if self._closing or not others or job.retried:
                return False
            waiting = self._take_out(worker, error) if worker.serving else []
        if job.owner.newest_only:
            again, answered = waiting, False
        else:
            job.retried = True
            again, answered = [job, *waiting], True
        for each in again:
            if each.owner.newest_only:
                each.owner.dropped()
            else:
                self._place(anew(each))
        return answered

    def _take_out(self, worker: Worker, error: Exception) -> list[Job]:
        if time.monotonic() - worker.back_since > LONGEST_PAUSE_S:
            worker.pause = FIRST_PAUSE_S
        worker.serving, worker.error = False, str(error) or type(error).__name__
        logger.error('%s is taken out and tried again in %g s: %s', worker.name, worker.pause,
                     worker.error)
        self._try_later(worker)
        return worker.runner.drain()

    def _try_later(self, worker: Worker) -> None:
        if self._closing:
            return
        worker.timer = threading.Timer(worker.pause, self._try, (worker,))
        worker.timer.daemon = True
        worker.timer.start()
        worker.pause = min(2 * worker.pause, LONGEST_PAUSE_S)

    def _try(self, worker: Worker) -> None:
        def ended(error: Exception | None) -> None:
            with self._lock:
                if error is None:
                    worker.serving, worker.error = True, ''
                    worker.back_since = time.monotonic()
                    cameras = list(self._cameras.values())
                else:
                    worker.error = str(error) or type(error).__name__
                    self._try_later(worker)
                    return
            logger.warning('%s works again and serves', worker.name)
            for camera in cameras:
                # Busy cameras keep their seats for ever; now there is room for them.
                with camera.lock:
                    seat, camera.seat = camera.seat, None
                if seat is not None:
                    seat.worker.runner.forget(seat)

        worker.runner.put(1, Job(
            lambda engine: engine.warm_up(*PROBE_SIZE), None, Probe(ended)))


def anew(job: Job) -> Job:
    """Return a job as it was before its first stage; a frame is not asked for twice."""
    value = job.value.prepared if isinstance(job.value, Inferred) else job.value
    if isinstance(value, Prepared):
        frame = value.frame
        job.work = lambda: frame
    job.value, job.shape, job.batch = None, None, 1
    return job
