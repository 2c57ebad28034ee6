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

"""Where a camera's frames go while several devices share the work."""

from __future__ import annotations

import threading

from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.owners import Stream
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

    def leave(self) -> None:
        """Get up; what waits there is dropped."""
        with self.lock:
            seat, self.seat = self.seat, None
        if seat is not None:
            seat.worker.runner.forget(seat)
