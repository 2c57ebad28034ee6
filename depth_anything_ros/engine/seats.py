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

"""Where the frames of a camera and the requests are while several devices share the work."""

from __future__ import annotations

import threading
from typing import Any

from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.owners import Request, Stream
from depth_anything_ros.engine.workers import Worker


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
        self._begun = self._left_behind = 0

    def expired(self, now: float) -> bool:
        """Return False: a newer frame ends a frame's time, and nothing else."""
        return False

    def begin(self) -> bool:
        """Return True: a frame that waits is wanted."""
        with self._camera.lock:
            self._begun += 1
            self.worker.seats[self] = None
        return True

    def done(self, result: DepthResult) -> None:
        """Hand a result on, unless the camera sits elsewhere by now."""
        with self._camera.lock:
            if self._is_over():
                return
            if self._camera.seat is self:
                self._camera.stream.done(result)
                return
        self.dropped()

    def failed(self, error: Exception) -> None:
        """Hand an error on."""
        with self._camera.lock:
            if self._is_over():
                return
        self._camera.stream.failed(error)

    def leave_behind(self) -> None:
        """Count what has begun as dropped now: the device may never answer."""
        with self._camera.lock:
            frames, self._left_behind = self._begun - self._left_behind, self._begun
        for _ in range(frames):
            self.dropped()

    def _is_over(self) -> bool:
        """Note that a frame has ended, and return whether it was counted before."""
        self._begun = max(0, self._begun - 1)
        if not self._begun:
            self.worker.seats.pop(self, None)
        over = self._left_behind > 0
        self._left_behind -= over
        return over

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

    def leave(self) -> None:
        """Get up; what waits there is dropped."""
        with self.lock:
            seat, self.seat = self.seat, None
        if seat is not None:
            seat.worker.runner.forget(seat)


class Turn:
    """A request's place at one worker; what comes out after it was given up is ignored."""

    newest_only = False

    def __init__(self, request: Request, worker: Worker, again: bool) -> None:
        """
        Belong to a request and a worker.

        :param again: whether the request was begun at another worker before.
        """
        self.request, self._worker, self._again = request, worker, again
        self.begun = self.left = False

    def expired(self, now: float) -> bool:
        """Return whether the request's deadline is over."""
        return self.request.expired(now)

    def begin(self) -> bool:
        """Return whether the request was not cancelled; from now on it cannot be."""
        self.begun = True
        return self._again or self.request.begin()

    def done(self, value: Any) -> None:
        """Answer the request."""
        if not self.left:
            self._end()
            self.request.done(value)

    def failed(self, error: Exception) -> None:
        """Answer the request with an error."""
        if not self.left:
            self._end()
            self.request.failed(error)

    def dropped(self) -> None:
        """Answer the request because the pool closes."""
        if not self.left:
            self._end()
            self.request.dropped()

    def give_up(self) -> None:
        """Leave the request to somebody else."""
        self.left = True
        self._end()

    def _end(self) -> None:
        self._worker.turns.pop(self, None)
