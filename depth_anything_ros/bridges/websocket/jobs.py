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

"""Reconstructions of sessions, in threads beside the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
import threading
from typing import Any, Awaitable, Callable

from depth_anything_ros.bridges.websocket.models import Model, Models, Order
from depth_anything_ros.errors import Cancelled, InvalidRequest
from depth_anything_ros.reconstruction.sessions import Session, SessionStatus
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.session_messages import progress

AT_ONCE = 2
"""Reconstructions that may prepare and fuse at once; the network takes one at a time anyway."""

NO_IMAGES = 'No images in session'

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Gone(Exception):
    """The client is not there any more, or reads too slowly."""


class Jobs:
    """Runs the reconstructions of all sessions."""

    def __init__(self) -> None:
        """Begin without work."""
        self.models = Models()
        self._pool = ThreadPoolExecutor(AT_ONCE, 'reconstruction')

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(
        self, service: DepthService, session: Session, send: Send, withdrawn: threading.Event, *,
        final: bool = False, incremental: bool = False, confidence: bool = False,
        zstd: bool = False,
    ) -> Model:
        """
        Return the model of all images of a session.

        :param service: what runs the network.
        :param session: the images; its status says what happens to them.
        :param send: takes progress messages, whose ``progress`` never falls.
        :param withdrawn: set to stop before the next stage.
        :param final: whether the session is completed by this.
        :param incremental: whether earlier work is gone on with.
        :param confidence: whether the points of the model carry theirs.
        :param zstd: whether the model is compressed.
        :raises Cancelled: when it was withdrawn.
        :raises Gone: as ``send`` does.
        :raises DepthAnythingError: when it failed; the session says so too.
        """
        images = session.images
        if not images:
            raise InvalidRequest(NO_IMAGES)
        session.begin()
        status, text = SessionStatus.ERROR, 'the reconstruction was given up'
        try:
            if final:
                await send(progress('finalizing', 0.1, 'Generating final 3D model...'))
            loop = asyncio.get_running_loop()
            steps: asyncio.Queue[tuple[str, float, str]] = asyncio.Queue()

            def began(*step: Any) -> None:
                loop.call_soon_threadsafe(steps.put_nowait, step)

            order = Order(service, session, images, began, withdrawn, confidence, zstd)
            make = self.models.grown if incremental else self.models.whole
            work = loop.run_in_executor(self._pool, make, order)
            # The seed's server has no other step beside finalizing at its share.
            model = await watched(work, steps, send, withdrawn, 0.1 if final else 0.0)
            status = SessionStatus.COMPLETED if final else SessionStatus.ACTIVE
        except (Cancelled, Gone):
            status = SessionStatus.ACTIVE
            raise
        except Exception as error:
            text = str(error) or type(error).__name__
            raise
        finally:
            session.end(status, text if status is SessionStatus.ERROR else None)
        return model


async def watched(
    work: asyncio.Future[Model], steps: asyncio.Queue[tuple[str, float, str]], send: Send,
    withdrawn: threading.Event, shown: float,
) -> Model:
    """
    Return what work returns, and send its steps meanwhile.

    :param work: what runs in a thread.
    :param steps: what it has come to.
    :param send: takes progress messages; only those that are farther than what was shown.
    :param withdrawn: set when nobody listens any more.
    :param shown: how much has been shown already.
    """
    waiting = asyncio.ensure_future(steps.get())
    try:
        while True:
            both: set[asyncio.Future[Any]] = {work, waiting}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                stage, share, text = waiting.result()
                waiting = asyncio.ensure_future(steps.get())
                # Work that found the device's queue full begins again; what is shown does not.
                if share > shown:
                    shown = share
                    await send(progress(stage, share, text))
            elif work.done():
                return work.result()
    finally:
        waiting.cancel()
        if not work.done():
            # The socket is gone: what runs ends before its next stage, and nobody looks.
            withdrawn.set()
            await asyncio.wait({work})
        work.exception()
