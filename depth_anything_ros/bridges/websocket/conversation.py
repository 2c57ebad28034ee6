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

"""One socket of a session: messages answered strictly in the order in which they arrived."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
import logging
import threading
import time
from typing import Any, Awaitable, Callable

from depth_anything_ros.bridges.websocket.jobs import Gone, Jobs
from depth_anything_ros.core.pictures import decode_picture, picture_size
from depth_anything_ros.errors import DepthAnythingError, InvalidRequest
from depth_anything_ros.reconstruction.sessions import Session
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire import session_messages as messages
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.status import failure
from starlette.websockets import WebSocket, WebSocketDisconnect

logger = logging.getLogger(__name__)

BURST_S = 4.0
"""Seconds of its rate that a client may send at once."""

GOING_AWAY = 1001
POLICY = 1008

BRIEF = 64
"""A longer message is no ping and no request to cancel, and is not looked at before its turn."""


@dataclass(frozen=True)
class Room:
    """What all conversations of a server share."""

    jobs: Jobs
    limits: Limits
    service: Callable[[], DepthService]
    work: Callable[..., Awaitable[Any]]
    draining: asyncio.Event
    send_s: float
    idle_s: float
    images_per_s: float


class Conversation:
    """
    Talks to one client about one session.

    A second task reads ahead, up to twice the size of the largest message, so that a client that
    sends without waiting is served in order, and one that leaves or cancels is noticed while its
    reconstruction runs.
    """

    def __init__(self, socket: WebSocket, session: Session, room: Room) -> None:
        """
        Begin with an accepted socket.

        :param socket: the socket.
        :param session: what it is about.
        :param room: what is shared with others.
        """
        self._socket, self._session, self._room = socket, session, room
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._held = 0
        self._room_left = asyncio.Event()
        self._room_left.set()
        self._withdrawn: threading.Event | None = None
        self._paid = time.monotonic()

    async def run(self) -> None:
        """Talk until the client leaves or the server ends."""
        session = self._session
        session.connect()
        reader = asyncio.ensure_future(self._read())
        try:
            await self._send(messages.connected(
                session.id, len(session.images), session.max_images))
            while (message := await self._next()) is not None:
                await self._answer(message)
        except Gone:
            pass
        finally:
            reader.cancel()
            session.disconnect()

    async def _read(self) -> None:
        most = 2 * self._room.limits.message_bytes
        try:
            while True:
                await self._room_left.wait()
                received = await self._socket.receive()
                if received['type'] == 'websocket.disconnect':
                    return
                text = received.get('text')
                message = text if text is not None else received.get('bytes') or b''
                if self._withdrawn is not None and await self._aside(message):
                    continue
                self._held += len(message)
                if self._held >= most:
                    self._room_left.clear()
                self._inbox.put_nowait(message)
        except (Gone, WebSocketDisconnect, RuntimeError):
            return
        finally:
            if self._withdrawn is not None:
                self._withdrawn.set()
            self._inbox.put_nowait(None)

    async def _aside(self, message: str | bytes) -> bool:
        """Answer what need not wait for the reconstruction under way; return whether it was."""
        request = _brief(message)
        if isinstance(request, messages.Cancel) and self._withdrawn is not None:
            self._withdrawn.set()
            await self._send(messages.cancelling(self._session.id))
            return True
        # Behind a message that waits for its turn a ping waits, too: answers keep their order.
        if isinstance(request, messages.Ping) and self._inbox.empty():
            await self._send(messages.pong(self._session.id))
            return True
        return False

    async def _next(self) -> str | bytes | None:
        """Return the next message, None when there will be no more."""
        waiting = asyncio.ensure_future(self._inbox.get())
        ending = asyncio.ensure_future(self._room.draining.wait())
        try:
            await asyncio.wait(
                {waiting, ending}, timeout=self._room.idle_s,
                return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                message = waiting.result()
                if message is not None:
                    self._held -= len(message)
                    self._room_left.set()
                return message
            why = 'the server ends' if ending.done() else 'nothing was sent for too long'
            await self._close(GOING_AWAY if ending.done() else POLICY, why)
            return None
        finally:
            waiting.cancel()
            ending.cancel()

    async def _answer(self, message: str | bytes) -> None:
        limits = self._room.limits
        try:
            request = messages.parse_text(message, limits) if isinstance(message, str) \
                else messages.parse_binary(message, limits)
        except DepthAnythingError as error:
            await self._refuse(str(error), error)
            return
        if isinstance(request, messages.ImageSent):
            await self._image(request)
        elif isinstance(request, messages.Ping):
            await self._send(messages.pong(self._session.id))
        elif isinstance(request, messages.Cancel):
            await self._refuse('Nothing to cancel', InvalidRequest('nothing to cancel'))
        else:
            await self._generate(request)
        self._session.touch()

    async def _pace(self) -> None:
        """Let a client that sends more images than it may wait for its turn, once it has burst."""
        now = time.monotonic()
        self._paid = max(self._paid, now - BURST_S) + 1 / self._room.images_per_s
        if self._paid > now:
            await asyncio.sleep(self._paid - now)

    async def _image(self, sent: messages.ImageSent) -> None:
        session = self._session
        await self._pace()
        try:
            session.check_room()
            pixels = await self._room.work(checked_pixels, sent.data, self._room.limits.pixels)
        except InvalidRequest as error:
            await self._refuse(f'Failed to process image: Invalid image data: {error}', error)
            return
        except DepthAnythingError as error:
            await self._refuse(f'Failed to process image: {error}', error)
            return
        try:
            image = await self._room.work(session.add, sent.data, sent.filename, pixels)
        except DepthAnythingError as error:
            await self._refuse(f'Failed to process image: {error}', error)
            return
        count = len(session.images)
        await self._send(messages.ack(session.id, count, image.name))
        every = session.auto_generate_after
        if every and count % every == 0:
            await self._generate(messages.Generate(incremental=True))

    async def _generate(self, request: messages.Generate | messages.Finalize) -> None:
        final = isinstance(request, messages.Finalize)
        incremental = isinstance(request, messages.Generate) and request.incremental
        what = 'finalize' if final else 'generate point cloud'
        self._withdrawn = threading.Event()
        try:
            model = await self._room.jobs.run(
                self._room.service(), self._session, self._send, self._withdrawn, final=final,
                incremental=incremental, confidence=request.confidence,
                zstd=request.zstd)
        except Gone:
            raise
        except InvalidRequest as error:
            seen = str(error)
            text = seen if not self._session.images else f'Failed to {what}: {seen}'
            await self._refuse(text, error)
            return
        except Exception as error:
            if not isinstance(error, DepthAnythingError):
                logger.exception('a reconstruction failed')
            await self._refuse(f'Failed to {what}: {failure(error).text}', error)
            return
        finally:
            self._withdrawn = None
        for message in messages.results(
                'delta' if incremental else 'complete', model.glb, model.metadata,
                chunked=request.chunked, binary=request.binary):
            await self._send(message)

    async def _refuse(self, text: str, error: Exception) -> None:
        await self._send(messages.error(text, failure(error).code))

    async def _send(self, message: dict[str, Any] | bytes) -> None:
        """Send a message; a client that does not take it in time is let go, not buffered for."""
        sending = self._socket.send_bytes(message) if isinstance(message, bytes) \
            else self._socket.send_text(await self._text(message))
        try:
            await asyncio.wait_for(sending, self._room.send_s)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Gone from error
        except asyncio.TimeoutError as error:
            logger.warning('a client of session %s reads too slowly and is let go',
                           self._session.id)
            raise Gone from error

    async def _text(self, message: dict[str, Any]) -> str:
        if message.get('glb_base64'):
            text: str = await self._room.work(messages.text_of, message)
            return text
        return messages.text_of(message)

    async def _close(self, code: int, why: str) -> None:
        try:
            await self._socket.close(code, why)
        except RuntimeError:
            pass  # it was closed from the other side


def _brief(message: str | bytes) -> messages.Request | None:
    """Return what a short text message asks, None for any other."""
    if not isinstance(message, str) or len(message) > BRIEF:
        return None
    try:
        return messages.parse_text(message)
    except DepthAnythingError:
        return None


def checked_pixels(data: bytes, most: int) -> int:
    """
    Return width times height of an encoded image, which is decoded once to know that it is whole.

    :param data: the encoded bytes.
    :param most: pixels that are accepted; its header is read before anything is decoded.
    :raises InvalidRequest: when it is no JPEG, PNG or WebP, or damaged.
    :raises PayloadTooLarge: when it is too large.
    """
    view = memoryview(data)
    size = picture_size(view, most)
    decode_picture(view, size)
    return size.width * size.height
