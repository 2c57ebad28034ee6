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
from dataclasses import dataclass
import threading
import time
from typing import Any, Awaitable, Callable

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.pictures import decode_picture, picture_size
from depth_anything_ros.errors import Busy, Cancelled, InvalidRequest, SessionNotFound
from depth_anything_ros.reconstruction.glb import glb_bytes
from depth_anything_ros.reconstruction.sessions import Session, SessionStatus, StoredImage
from depth_anything_ros.reconstruction.steps import FUSING, INFERENCE, PREPARING
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.session_messages import progress

AT_ONCE = 2
"""Reconstructions that may prepare and fuse at once; the network takes one at a time anyway."""

PATIENCE_S = 30.0
"""Seconds that a reconstruction tries again when the device's queue is full."""

TRY_AGAIN_S = 0.2

NO_IMAGES = 'No images in session'

Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Model:
    """A finished reconstruction: the bytes of a GLB and what describes them."""

    glb: bytes
    metadata: dict[str, Any]


class Jobs:
    """Runs the reconstructions of all sessions."""

    def __init__(self) -> None:
        """Begin without work."""
        self._pool = ThreadPoolExecutor(AT_ONCE, 'reconstruction')

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(
        self, service: DepthService, session: Session, send: Send, withdrawn: threading.Event, *,
        final: bool,
    ) -> Model:
        """
        Return the model of all images of a session.

        :param service: what runs the network.
        :param session: the images; its status says what happens to them.
        :param send: takes progress messages, whose ``progress`` never falls.
        :param withdrawn: set to stop before the next stage.
        :param final: whether the session is completed by this.
        :raises Cancelled: when it was withdrawn.
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
            model = await self._watched(service, session, images, send, withdrawn, final)
            status = SessionStatus.COMPLETED if final else SessionStatus.ACTIVE
        except Cancelled:
            status = SessionStatus.ACTIVE
            raise
        except Exception as error:
            text = str(error) or type(error).__name__
            raise
        finally:
            withdrawn.set()
            session.end(status, text if status is SessionStatus.ERROR else None)
        return model

    async def _watched(
        self, service: DepthService, session: Session, images: tuple[StoredImage, ...],
        send: Send, withdrawn: threading.Event, final: bool,
    ) -> Model:
        loop = asyncio.get_running_loop()
        steps: asyncio.Queue[str] = asyncio.Queue()

        def began(step: str, share: float) -> None:
            loop.call_soon_threadsafe(steps.put_nowait, step)

        words = {
            PREPARING: ('loading_model', 0.1, 'Loading model...'),
            INFERENCE: ('inference', 0.3, f'Processing {len(images)} images...'),
            FUSING: ('exporting', 0.7, 'Generating 3D model...'),
        }
        if final:
            del words[PREPARING]  # the seed's server begins with another one
        work = loop.run_in_executor(
            self._pool, _reconstruct, service, session, images, began, withdrawn)
        shown = 0.0
        waiting = asyncio.ensure_future(steps.get())
        try:
            while True:
                both: set[asyncio.Future[Any]] = {work, waiting}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    stage, share, text = words.get(waiting.result(), ('', 0.0, ''))
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


def _reconstruct(
    service: DepthService, session: Session, images: tuple[StoredImage, ...],
    began: Callable[[str, float], None], withdrawn: threading.Event,
) -> Model:
    frames = [read_frame(image) for image in images]
    given_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            scene = service.reconstruct(
                frames, session.options, progress=began, cancelled=withdrawn.is_set)
            break
        except Busy:
            if time.monotonic() > given_up or withdrawn.wait(TRY_AGAIN_S):
                raise
    glb = glb_bytes(scene, show_cameras=session.options.show_cameras)
    return Model(glb, {**scene.metadata(), 'session_id': session.id})


def read_frame(image: StoredImage) -> Frame:
    """
    Return a stored image as a frame.

    :raises SessionNotFound: when the session was removed meanwhile.
    """
    try:
        data = memoryview(image.path.read_bytes())
    except FileNotFoundError:
        raise SessionNotFound('the session was removed') from None
    return Frame(decode_picture(data, picture_size(data)))
