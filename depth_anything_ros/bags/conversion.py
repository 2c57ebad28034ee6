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

"""Every image of a bag through the service, and the results into another bag."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
import logging
import time
from typing import Callable, Sequence

from depth_anything_ros.bags.copying import Copies
from depth_anything_ros.bags.frames import Decode, Frames
from depth_anything_ros.bags.library import Connection
from depth_anything_ros.bags.notes import Notes
from depth_anything_ros.bags.outputs import serialised
from depth_anything_ros.bags.pairing import Pair, Pairing
from depth_anything_ros.bags.reading import InputBag
from depth_anything_ros.bags.records import Record
from depth_anything_ros.bags.summary import Summary
from depth_anything_ros.bags.writing import OutputBag
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.service import DepthService

logger = logging.getLogger(__name__)

WINDOW = 6
"""Images under way at once: one in each stage, one being written, and one waiting for either."""

COPIES = 64
"""Copied records that may wait to be written."""


@dataclass(frozen=True)
class Plan:
    """
    What is read and what is written.

    ``image`` and ``info`` are names of topics of the input bag (``info`` None without one).
    ``outputs`` are names from ``outputs.TOPICS``; they are written below ``namespace``, which is
    empty or starts with a slash. ``copy_input`` hands all records of the input bag on as well.
    """

    image: str
    info: str | None
    outputs: tuple[str, ...]
    namespace: str = ''
    copy_input: bool = False
    needs_camera: bool = False


class Window:
    """Jobs of which only so many may be unfinished."""

    def __init__(self, limit: int) -> None:
        """Start empty; ``limit`` is at least 1."""
        self._limit = limit
        self._jobs: deque[Future[None]] = deque()

    def make_room(self) -> None:
        """Wait until one more job is allowed; raises what a finished one raised."""
        while len(self._jobs) >= self._limit:
            self._jobs.popleft().result()

    def add(self, job: Future[None]) -> None:
        """Take a job in."""
        self._jobs.append(job)

    def drain(self) -> None:
        """Wait for all jobs; raises what one of them raised."""
        while self._jobs:
            self._jobs.popleft().result()


class Conversion:
    """One run over one bag."""

    def __init__(
        self, source: InputBag, target: OutputBag, service: DepthService, plan: Plan,
        options: FrameOptions, decode: Decode, *,
        say: Callable[[str], None] = logger.warning,
        progress: Callable[[Summary], None] = lambda summary: None,
    ) -> None:
        """
        Set up.

        :param source: the bag to read.
        :param target: the bag to write.
        :param service: what turns frames into depth; must take ``WINDOW`` requests at once.
        :param plan: what is read and written.
        :param options: what is asked of every frame.
        :param decode: reads raw images.
        :param say: receives what a reader must know, each remark once; from several threads.
        :param progress: called after every image, in the writing thread.
        """
        self._source, self._target, self._service = source, target, service
        self._plan, self._options, self._progress = plan, options, progress
        self._notes = Notes(say)
        self._frames = Frames(decode, self._notes, needs_camera=plan.needs_camera)
        self._copies = Copies(target, self._notes)
        self._images, self._copying = Window(WINDOW), Window(COPIES)
        self.summary = Summary()

    def run(self) -> Summary:
        """
        Convert; an image that cannot be served is counted, the others go on.

        Ctrl-C, or a bag that cannot be read to its end, stop the run; what was read comes out.

        :raises DepthAnythingError: when the output cannot be written.
        """
        start = time.monotonic()
        pairing = Pairing()
        try:
            try:
                self._read(pairing)
            except InvalidRequest as error:
                self.summary.stopped = str(error)
            self._submit(pairing.flush())
            self._drain()
        except KeyboardInterrupt:
            self.summary.stopped = 'interrupted'
            self._drain()
        self.summary.elapsed = time.monotonic() - start
        return self.summary

    def _drain(self) -> None:
        self._images.drain()
        self._copying.drain()

    def _read(self, pairing: Pairing) -> None:
        plan, topics = self._plan, {self._plan.image}
        if plan.info is not None:
            topics.add(plan.info)
            pairing.expect(self._source.first(plan.info))
        wanted = {topic.name for topic in self._source.topics} if plan.copy_input else topics
        for connection, record in self._source.records(wanted):
            if plan.copy_input:
                self._copy(connection, record)
            if record.topic not in topics:
                continue
            try:
                stamp_ns = record.stamp_ns()
            except InvalidRequest as error:
                if record.topic == plan.image:
                    self._reject(record, error)
                continue
            add = pairing.add_image if record.topic == plan.image else pairing.add_info
            self._submit(add(stamp_ns, record))

    def _submit(self, pairs: Sequence[Pair]) -> None:
        for pair in pairs:
            self._images.make_room()
            result = self._service.submit(partial(self._frames.frame, pair), self._options)
            self._images.add(self._target.later(partial(self._finish, pair, result)))
            self.summary.arrived(pair.image.time_ns)

    def _reject(self, record: Record, error: Exception) -> None:
        failed: Future[DepthResult] = Future()
        failed.set_exception(error)
        self._images.make_room()
        pair = Pair(record, None, exact=False)
        self._images.add(self._target.later(partial(self._finish, pair, failed)))
        self.summary.arrived(record.time_ns)

    def _copy(self, connection: Connection, record: Record) -> None:
        def write() -> None:
            self._copies.write(connection, record)

        self._copying.make_room()
        self._copying.add(self._target.later(write))

    def _finish(self, pair: Pair, future: Future[DepthResult]) -> None:
        # In the writing thread, one image after the other: the output has the input's order.
        try:
            result = future.result()
        except Exception as error:
            logger.debug('an image failed', exc_info=error)
            self.summary.fail(error)
        else:
            self._write(pair, result)
        self._progress(self.summary)

    def _write(self, pair: Pair, result: DepthResult) -> None:
        summary, namespace = self.summary, self._plan.namespace
        for name, data in serialised(result, self._plan.outputs):
            topic = f'{namespace}/{name}'
            self._target.write(topic, pair.image.time_ns, data)
            summary.messages[topic] += 1
        summary.written += 1
        summary.exact += pair.exact
        summary.scale_law = str(result.scale_law)
        for note in result.notes:
            self._notes.once(f'note: {note}', note)
