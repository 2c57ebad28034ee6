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

"""What all routes share: the service, the limits, the pool, and what is under way."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
import os
import time
from typing import Any, Awaitable, Callable, Sequence, TypeVar

from depth_anything_ros.bridges.rest.metrics import Metrics
from depth_anything_ros.bridges.rest.options import RestOptions
from depth_anything_ros.bridges.rest.shares import Shares
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import (
    DeadlineExceeded,
    DepthAnythingError,
    NotReady,
    UnknownModel,
)
from depth_anything_ros.service import DepthService
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request

T = TypeVar('T')
Hook = Callable[[], Awaitable[None]]

WORKERS = max(2, min(4, os.cpu_count() or 2))
"""Threads that decode and encode; more would fight with the device's own thread."""

BODIES = 4
"""So many bodies of the largest size are held at once, by all requests together."""

LAST_ERRORS = 20

SOCKETS = 128
"""WebSockets that one client may have open, where its requests under way are not more: enough for
a socket of each of the 100 sessions."""

DEADLINE = 'x-deadline-ms'


class RestContext:
    """One server's state; used in its event loop, where nothing else is said."""

    def __init__(self, options: RestOptions) -> None:
        """
        Begin without a service: it is loading.

        :param options: what the operator decided.
        """
        self.options = options
        self.began = time.time()
        self.draining = asyncio.Event()
        self.shares = Shares(options.limits.in_flight, options.rate)
        # Sockets last: counted as requests, a few open ones would leave no request to a client.
        self.sockets = Shares(max(options.limits.in_flight, SOCKETS), options.rate)
        self.held = 0
        self.most_held = BODIES * options.limits.message.message_bytes
        self.open_pages: set[str] = set()
        self.pages: list[tuple[str, str]] = []
        """Title and path of further pages, for the dashboard's list; added by rooms."""
        self.models_loaded: list[str] = []
        self.documented: list[type[BaseModel]] = []
        """Models of bodies that routes read by themselves."""
        self.last_errors: deque[dict[str, Any]] = deque(maxlen=LAST_ERRORS)
        self.starting: list[Hook] = []
        self.stopping: list[Hook] = []
        self._services: tuple[DepthService, ...] = ()
        self.metrics = Metrics(lambda: self._services)
        self._pool = ThreadPoolExecutor(WORKERS, 'rest-work')

    def serve(self, *services: DepthService) -> None:
        """Use these services from now on, the first where nobody chooses; from any thread."""
        self._services = services

    @property
    def stage(self) -> str:
        """Return 'loading', 'ready' or 'closing'."""
        if self.draining.is_set():
            return 'closing'
        return 'ready' if self._services else 'loading'

    def services(self) -> Sequence[DepthService]:
        """
        Return the services, one of each model; there is at least one.

        :raises NotReady: while the model is loading, and when the server ends.
        """
        services = self._services
        if not services or self.draining.is_set():
            raise NotReady(f'the server is {self.stage}; try again')
        return services

    def service(self, model: str = '') -> DepthService:
        """
        Return the service of a model.

        :param model: its name, '' for the first one.
        :raises NotReady: as :meth:`services` does.
        :raises UnknownModel: when it is not loaded.
        """
        services = self.services()
        for service in services:
            if model in ('', service.info.model):
                return service
        raise UnknownModel(
            f'model {model[:60]!r} is not loaded; here is '
            f'{", ".join(service.info.model for service in services)}')

    def serves(self, service: DepthService) -> bool:
        """Return whether a service is still the one that answers."""
        return service in self._services and not self.draining.is_set()

    def on_start(self, hook: Hook) -> None:
        """Call an async function in the event loop before the first request."""
        self.starting.append(hook)

    def on_stop(self, hook: Hook) -> None:
        """Call an async function in the event loop after the last request."""
        self.stopping.append(hook)

    def hold(self, size: int) -> None:
        """Count bytes of bodies that are in memory; negative ones are gone again."""
        self.held += size

    def note(self, error: BaseException, request_id: str) -> None:
        """Remember an error for the dashboard."""
        code = error.code if isinstance(error, DepthAnythingError) else DepthAnythingError.code
        self.last_errors.append(
            {'time': time.time(), 'code': code, 'text': str(error)[:300] if isinstance(
                error, DepthAnythingError) else type(error).__name__, 'request_id': request_id})

    async def read_body(self, request: Request) -> bytes:
        """
        Return the body of a request.

        :raises PayloadTooLarge: as soon as it is larger than allowed.
        """
        return await request.body()

    async def work(self, function: Callable[..., T], *arguments: Any, **more: Any) -> T:
        """Return what a function returns, called in the pool."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(function, *arguments, **more))

    async def timed(
        self, stage: str, function: Callable[..., T], *arguments: Any, here: bool = False,
    ) -> T:
        """
        Return what a function returns; its time counts for a stage.

        :param stage: name of the stage.
        :param function: called in the pool.
        :param arguments: what it is called with.
        :param here: call it in the event loop instead, since it only looks at what is there.
        """
        begin = time.perf_counter()
        try:
            return function(*arguments) if here else await self.work(function, *arguments)
        finally:
            self.metrics.stage(stage, time.perf_counter() - begin)

    def deadline_of(self, request: Request) -> float:
        """
        Return when a reply is due, in seconds of the monotonic clock.

        The header X-Deadline-Ms shortens the server's own time, counted from now.
        """
        text = request.headers.get(DEADLINE, '')
        seconds = self.options.limits.request_s
        if text.isascii() and text.isdecimal():
            seconds = min(seconds, int(text) / 1000)
        return time.monotonic() + seconds

    async def estimate(
        self, request: Request, frame: Frame, options: FrameOptions,
        deadline: float | None = None, service: DepthService | None = None,
    ) -> DepthResult:
        """
        Return the result for a frame; queued work is cancelled when nobody waits any more.

        :param request: who asks; its body has been read.
        :param frame: the image.
        :param options: what is asked of it.
        :param deadline: when it is due, default: as :meth:`deadline_of` says.
        :param service: whose model is asked, default: the first one's.
        :raises Busy: when the queue is full.
        :raises DeadlineExceeded: when it is not done in time.
        :raises starlette.requests.ClientDisconnect: when the client is gone.
        """
        due = self.deadline_of(request) if deadline is None else deadline
        chosen, pixels = service or self.service(), frame.rgb.shape
        if due > time.monotonic():
            result = chosen.at_once(lambda: frame, options, pixels)
            if result is not None:
                self.metrics.result(result)
                return result
        future: Future[DepthResult] = chosen.submit(
            lambda: frame, options, deadline=due, ready=True, pixels=pixels)
        waiting = asyncio.wrap_future(future)
        gone: asyncio.Future[Any] = asyncio.ensure_future(_disconnected(request))
        try:
            futures: set[asyncio.Future[Any]] = {waiting, gone}
            await asyncio.wait(
                futures, timeout=max(0.0, due - time.monotonic()),
                return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                result = waiting.result()
                self.metrics.result(result)
                return result
            if gone.done():
                raise ClientDisconnect
            raise DeadlineExceeded('the result was not ready in the time that was given')
        finally:
            gone.cancel()
            future.cancel()
            waiting.cancel()

    def close(self) -> None:
        """End the pool; what it does is finished first."""
        self._pool.shutdown(wait=False, cancel_futures=True)


async def _disconnected(request: Request) -> None:
    """Return when the client is gone."""
    while (await request.receive())['type'] != 'http.disconnect':
        pass
