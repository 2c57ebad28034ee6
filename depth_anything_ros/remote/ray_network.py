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

"""The replicas of a Ray Serve deployment, asked in bytes by whoever has the handle."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
import logging
import threading
import time
from typing import Any, Coroutine, TypeVar

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.base import EngineInfo
from depth_anything_ros.engine.elsewhere import Maps
from depth_anything_ros.engine.owners import CLOSING
from depth_anything_ros.errors import (
    Busy,
    DeadlineExceeded,
    DepthAnythingError,
    InferenceFailed,
    ModelLoadFailed,
    NotReady,
)
from depth_anything_ros.remote.network import check_same, error_in, LIMITS, maps_of
from depth_anything_ros.remote.replica import Reply
from depth_anything_ros.remote.replicas import Replicas
from depth_anything_ros.wire.message import from_body, to_body
from depth_anything_ros.wire.network_messages import image_message
from depth_anything_ros.wire.results import depth_reply
import numpy as np
import numpy.typing as npt
import ray
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, RayServeException

logger = logging.getLogger(__name__)

MEET_S = 60.0
"""Seconds in which a deployment that runs says what its engine is."""

LONGEST_S = 60.0
"""Seconds that an image has for its way where nobody gave it a deadline."""

Value = TypeVar('Value')


class RayNetwork:
    """
    Asks replicas, and keeps what they say of themselves.

    A request whose replica is lost, or whose device failed, is asked once more: Serve chooses
    another replica then, where there is one.
    """

    def __init__(self, handle: Any) -> None:
        """
        Ask what the engine is.

        :param handle: of a deployment of :class:`remote.replica.Replica`.
        :raises RayError: when no replica answers.
        :raises ModelLoadFailed: when the replicas are of another version of this package.
        """
        self._handle = handle
        about = handle.about.remote().result(timeout_s=MEET_S)
        try:
            info = about['info']
            self.scenes: bool = about['scenes']
            self._info = EngineInfo(**{
                **info, 'kind': DepthKind(info['kind']), 'device': f'ray ({info["device"]})',
                'warnings': tuple(info['warnings']), 'degraded': ''})
        except (KeyError, TypeError, ValueError) as error:
            raise ModelLoadFailed(
                f'the replicas are of another version of this package: {error!r}') from error
        self._trouble = ''
        self.replicas = Replicas(self._info.device, living)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self.loop.run_forever, name='depth-ray', daemon=True)
        self._thread.start()

    @property
    def info(self) -> EngineInfo:
        """Return what the replicas' engine is, and why none can be asked, if so."""
        return replace(self._info, degraded=self._trouble) if self._trouble else self._info

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> Maps:
        """Return the maps of an image, waiting for them; see :meth:`maps`."""
        return self.wait(self.maps(pixels, LONGEST_S))

    def wait(self, coroutine: Coroutine[Any, Any, Value]) -> Value:
        """
        Return what a coroutine of this network returns, from another thread than its loop's.

        :raises NotReady: when the network is closed meanwhile.
        """
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()
        except CancelledError:
            raise NotReady(CLOSING) from None

    async def maps(self, pixels: npt.NDArray[np.uint8], seconds: float) -> Maps:
        """
        Return the maps of an image.

        :param pixels: (h, w, 3) uint8 RGB at the processed size.
        :param seconds: how long it may take.
        :raises DepthAnythingError: as :meth:`ask` does.
        """
        body = b''.join(to_body(image_message(pixels)))
        reply = depth_reply(from_body(await self.ask('maps', body, seconds), LIMITS))
        try:
            check_same(reply, self._info, 'a replica')
        except NotReady as error:
            self._note(str(error))
            raise
        return maps_of(reply)

    async def ask(self, method: str, body: bytes, seconds: float) -> bytes:
        """
        Return a replica's answer.

        Cancelling this withdraws the question, from the replica too.

        :param method: of :class:`Replica`.
        :param body: the question.
        :param seconds: how long it may take with all its waiting.
        :raises Busy: when the replicas' queues are full.
        :raises DeadlineExceeded: when the time is over.
        :raises NotReady: when no replica can be asked.
        :raises DepthAnythingError: as the replica raised it.
        """
        until = time.monotonic() + seconds
        try:
            try:
                data = await self._once(method, body, until)
            except (NotReady, InferenceFailed) as error:
                logger.warning('asking once more: %s', error)
                data = await self._once(method, body, until)
        except NotReady as error:
            self._note(str(error))
            raise
        except Busy:
            raise
        except DepthAnythingError:
            self._note('')
            raise
        self._note('')
        return data

    async def _once(self, method: str, body: bytes, until: float) -> bytes:
        left = until - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded('the deadline was over before a replica was free')
        response = getattr(self._handle, method).remote(body, left)
        try:
            reply: Reply = await asyncio.wait_for(response, left)
        except asyncio.TimeoutError:
            withdraw(response)
            raise DeadlineExceeded(f'no replica answered within {left:.3g} s') from None
        except asyncio.CancelledError:
            withdraw(response)
            raise
        except BackPressureError:
            raise Busy('the queues of all replicas are full; try again') from None
        except RayTaskError as error:
            # Replicas answer by errors of ours; this is one that nobody foresaw.
            raise InferenceFailed(str(error)) from None
        except (RayError, RayServeException) as error:
            raise NotReady(f'a replica was lost: {type(error).__name__}') from None
        status, data, state = reply
        self.replicas.heard(state)
        if status != 200:
            raise error_in(status, data)
        return data

    def close(self) -> None:
        """Withdraw what is under way."""
        if self.loop.is_closed():
            return

        def stop() -> None:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            # What was cancelled ends in the next round.
            self.loop.call_soon(lambda: self.loop.call_soon(self.loop.stop))
        self.loop.call_soon_threadsafe(stop)
        self._thread.join()
        self.loop.close()
        # Else Serve goes on to report, and joins Ray anew where we have left it.
        with suppress(RayError, RayServeException):
            self._handle.shutdown()

    def _note(self, trouble: str) -> None:
        """Remember why no replica can be asked, '' where one can, and say when that changes."""
        before, self._trouble = self._trouble, trouble
        if trouble and not before:
            logger.warning('degraded: %s; every further image tries again', trouble)
        elif before and not trouble:
            logger.info('the replicas answer again')


def withdraw(response: Any) -> None:
    """Take a question back from Serve's queue, or from the replica that has it."""
    with suppress(RayError, RayServeException):
        response.cancel()


def living() -> frozenset[str]:
    """Return the names of all actors that live in the cluster."""
    return frozenset(actor['name'] for actor in ray.util.list_named_actors(all_namespaces=True))
