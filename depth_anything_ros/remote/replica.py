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

"""
The engine as a deployment of Ray Serve: bytes in, bytes out.

What goes to a replica is a message of our own form and the seconds that are left for it. What
comes back is ``(status, bytes, state)``: an HTTP status, the reply's message or an error's JSON,
and how the replica is, see :meth:`Replica.state`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
import json
import logging
import os
import time
from typing import Any, Callable, Sequence

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.engine.base import Engine, MultiViewEngine, Prepared
from depth_anything_ros.errors import (
    DeadlineExceeded,
    DepthAnythingError,
    InferenceFailed,
    MissingDependency,
)
from depth_anything_ros.wire.message import from_body, to_body
from depth_anything_ros.wire.network_messages import image_of, raw_options
from depth_anything_ros.wire.results import result_message
from depth_anything_ros.wire.scene_messages import images_of, SCENE_LIMITS, views_message
from depth_anything_ros.wire.status import failure
import numpy as np
import numpy.typing as npt

try:
    import ray
    from ray import serve
except ImportError as error:
    raise MissingDependency('Ray Serve is not installed: pip install "depth_anything_ros[ray]"'
                            ) from error

logger = logging.getLogger(__name__)

CUDA_BATCH = 4
"""Images that the network takes together on CUDA where nothing else is set."""

PROBE_SIZE = (112, 112)
"""Height and width in pixels of the image by which the device is tested."""

PROVEN_S = 5.0
"""Seconds for which an image that came out is the test of the device."""

Answer = tuple[int, bytes]
"""HTTP status, and the reply's message or the JSON of an error."""

Reply = tuple[int, bytes, dict[str, Any]]
"""An answer, and how the replica is that gave it."""


@dataclass(eq=False)
class Asked:
    """An image on its way through a replica; ``until`` is by ``time.monotonic``."""

    body: bytes
    until: float
    withdrawn: bool = False


class Replica:
    """One copy of the engine; Serve makes and ends it."""

    def __init__(
        self, load: Callable[[], Engine], max_batch: int = 0, batch_window: float = 0.0,
    ) -> None:
        """
        Load the engine.

        :param load: returns it, warm.
        :param max_batch: images of one processed shape that go through the network together; 0:
            ``CUDA_BATCH`` on CUDA, 1 elsewhere.
        :param batch_window: seconds to wait for more of them.
        """
        self._engine = load()
        on_cuda = self._engine.info.device.startswith('cuda')
        self._together = serve.batch(
            max_batch_size=max_batch or (CUDA_BATCH if on_cuda else 1),
            batch_wait_timeout_s=batch_window)(self._images)
        # Whatever asks the device does so here, one after the other.
        self._device = ThreadPoolExecutor(1, 'depth-device')
        self._name = ray.get_runtime_context().get_actor_name()
        self._proven = time.monotonic()
        self._batches: Counter[int] = Counter()
        self._busy = 0.0
        self._under_way = 0

    async def about(self) -> dict[str, Any]:
        """Return what the engine is, and whether it makes scenes, as JSON values."""
        info = self._engine.info
        return {'info': {**asdict(info), 'kind': info.kind.value},
                'scenes': isinstance(self._engine, MultiViewEngine)}

    async def maps(self, body: bytes, seconds: float) -> Reply:
        """
        Return the network's own maps of an image.

        :param body: a ``network_image`` of :mod:`wire.network_messages`.
        :param seconds: how long somebody waits for them.
        :returns: a raw result of :mod:`wire.results`.
        """
        asked = Asked(body, time.monotonic() + seconds)
        self._under_way += 1
        try:
            status, data = await self._together(asked)
        except asyncio.CancelledError:
            asked.withdrawn = True
            raise
        finally:
            self._under_way -= 1
        return status, data, self.state()

    async def views(self, body: bytes, seconds: float) -> Reply:
        """
        Return depth and cameras of the images of a scene.

        :param body: a ``scene_images`` of :mod:`wire.scene_messages`.
        :param seconds: how long somebody waits for them.
        :returns: ``scene_views``.
        """
        asked = Asked(body, time.monotonic() + seconds)
        self._under_way += 1
        try:
            status, data = await asyncio.get_running_loop().run_in_executor(
                self._device, self._scene, asked)
        except asyncio.CancelledError:
            asked.withdrawn = True
            raise
        finally:
            self._under_way -= 1
        return status, data, self.state()

    def state(self) -> dict[str, Any]:
        """Return its name, images, batches by size and the network's seconds since its start."""
        return {
            'name': self._name,
            'images': sum(size * count for size, count in self._batches.items()),
            'batches': {str(size): count for size, count in self._batches.items()},
            'busy_s': self._busy, 'load': self._under_way}

    async def check_health(self) -> None:
        """
        Let the device show that it works; called by Serve every ``health_check_period_s``.

        :raises Exception: whatever the device does instead.
        """
        await asyncio.get_running_loop().run_in_executor(self._device, self._probe)

    def _probe(self) -> None:
        if time.monotonic() - self._proven < PROVEN_S:
            return
        item = self._prepared(np.zeros((*PROBE_SIZE, 3), np.uint8))
        for inferred in self._engine.infer([item]):
            self._engine.finish(inferred)
        self._proven = time.monotonic()

    def _doubt(self, error: Exception) -> None:
        """
        End this replica where its device, not an image, is to blame for an error.

        It would fail quicker than others work, and draw all requests to itself.
        """
        if isinstance(error, DepthAnythingError) and not isinstance(error, InferenceFailed):
            return
        self._proven = float('-inf')
        try:
            self._probe()
        except Exception as proof:
            logger.error('the device fails, this replica ends: %s', proof)
            os._exit(1)

    def _prepared(self, pixels: npt.NDArray[np.uint8]) -> Prepared:
        info = self._engine.info
        return self._engine.prepare(Frame(pixels), raw_options(
            pixels, has_confidence=info.has_confidence, has_sky=info.has_sky))

    async def _images(self, batch: list[Asked]) -> list[Answer]:
        return await asyncio.get_running_loop().run_in_executor(
            self._device, self._answers, batch)

    def _answers(self, batch: Sequence[Asked]) -> list[Answer]:
        """Return the answers of images, those of one shape by one call of the network."""
        found: dict[Asked, Answer] = {}
        shapes: dict[tuple[int, int], list[tuple[Asked, Prepared]]] = {}
        for asked in batch:
            try:
                check_time(asked)
                item = self._prepared(image_of(from_body(asked.body)))
                shapes.setdefault(item.shape, []).append((asked, item))
            except Exception as error:
                found[asked] = refused(error)
        for group in shapes.values():
            self._network(group, found)
        return [found[asked] for asked in batch]

    def _scene(self, asked: Asked) -> Answer:
        try:
            check_time(asked)
            assert isinstance(self._engine, MultiViewEngine)  # else nobody asks
            scene = images_of(from_body(asked.body, SCENE_LIMITS))
            prepared = self._engine.prepare_views(scene.frames, scene.options, scene.most_pixels)
            start = time.monotonic()
            views = self._engine.infer_views(prepared)
            self._proven = time.monotonic()
            self._busy += self._proven - start
            return 200, b''.join(to_body(views_message(views)))
        except Exception as error:
            logger.warning('a scene failed: %s', error)
            self._doubt(error)
            return refused(error)

    def _network(
        self, group: Sequence[tuple[Asked, Prepared]], found: dict[Asked, Answer],
    ) -> None:
        """Answer images of one shape; where they fail together, each half by itself."""
        start = time.monotonic()
        try:
            results = [self._engine.finish(inferred)
                       for inferred in self._engine.infer([item for _, item in group])]
        except Exception as error:
            if len(group) == 1:
                logger.warning('an image failed: %s', error)
                found[group[0][0]] = refused(error)
                self._doubt(error)
                return
        else:
            self._proven = time.monotonic()
            self._busy += self._proven - start
            self._batches[len(group)] += 1
            for (asked, _), result in zip(group, results, strict=True):
                found[asked] = 200, b''.join(to_body(result_message(result)))
            return
        # Not above: the error holds what the device has no memory for.
        half = len(group) // 2
        self._network(group[:half], found)
        self._network(group[half:], found)


def check_time(asked: Asked) -> None:
    """
    Refuse what nobody waits for any more.

    :raises DeadlineExceeded: when it is so.
    """
    if asked.withdrawn or time.monotonic() >= asked.until:
        raise DeadlineExceeded('the deadline was over before the device was free')


def refused(error: Exception) -> Answer:
    """Return an error as an answer; what is unforeseen is a failure of the network."""
    seen = failure(error)
    if seen.face.http == 500:
        seen = failure(InferenceFailed(str(error)))
    return seen.face.http, json.dumps(seen.http_body()).encode()
