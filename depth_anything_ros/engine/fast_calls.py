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

"""The calls of a network, each shape by the fastest way that gives the same maps."""

from __future__ import annotations

from collections import Counter, OrderedDict
import logging
from typing import Any, Callable, NamedTuple

from depth_anything_ros.engine.gate import failure, gate_images, objection
from depth_anything_ros.engine.passes import FrameNetwork, RawMaps
import torch

logger = logging.getLogger(__name__)

COMPILED, RECORDED = 'compiled', 'CUDA graph'

SIGHTINGS = 3
"""A shape that comes for this time is worth the time that its own way takes to make."""

KEPT = 8
"""Shapes (batch, height, width) with a way of their own; PyTorch compiles no more either."""

MOST_SEEN = 256
"""Shapes that are counted before counting begins again."""

Way = Callable[[torch.Tensor], RawMaps]

Compiler = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Returns a faster function of the same arguments, as ``torch.compile`` does."""


class Captured(NamedTuple):
    """
    A recorded call: ``replay`` reads ``given`` and overwrites ``found``, always the same memory.

    ``keep`` is what the recording reads besides and nobody may free before it.
    """

    given: torch.Tensor
    found: RawMaps
    replay: Callable[[], None]
    keep: tuple[Any, ...] = ()

    def call(self, images: torch.Tensor) -> RawMaps:
        """Return the maps of other images of the same shape, in memory of their own."""
        self.given.copy_(images)
        self.replay()
        # The next replay overwrites them while this frame is still being finished.
        copies: Any = (None if each is None else each.clone() for each in self.found)
        return RawMaps(*copies)


Capturer = Callable[[Way, torch.Tensor], Captured]
"""Records a call for images of this shape, see :class:`engine.cuda_graphs.CudaCapturer`."""


class FastCalls:
    """
    Calls a network, compiled or recorded or both where that has been asked for.

    A way is made when its shape comes for the third time, and only used when it gives what the
    plain call gives on a fixed picture. A kind of way that failed once is not tried again, and
    said. For one thread.
    """

    def __init__(
        self, network: FrameNetwork, *, compiler: Compiler | None = None,
        capturer: Capturer | None = None,
    ) -> None:
        """
        Begin with plain calls.

        :param network: checked, on its device.
        :param compiler: makes the network faster by compiling it; None: it is not to be.
        :param capturer: records calls; None: they are not to be.
        """
        self._network: Any = network  # None once closed, as are the next two
        self._compiled: Any = None if compiler is None else compiler(network.forward)
        self._capturer: Any = capturer
        self._ways: OrderedDict[torch.Size, Way] = OrderedDict()
        self._seen: Counter[torch.Size] = Counter()
        self._made: Counter[str] = Counter()
        self.warnings: tuple[str, ...] = ()

    def __call__(self, images: torch.Tensor) -> RawMaps:
        """Return the maps of (B, 3, H, W) normalised images."""
        return self._way(images)(images)

    @property
    def runs_until_fast(self) -> int:
        """Return how often a shape must come until it has its own way."""
        return 1 if self._plain else SIGHTINGS

    @property
    def about(self) -> str:
        """Return what is done, and for how many shapes it was made; '' where nothing is."""
        kinds = {COMPILED: self._compiled, RECORDED: self._capturer}
        return ', '.join(f'{name} for {self._made[name]} shape(s)' for name, tool in kinds.items()
                         if tool is not None or self._made[name])

    def close(self) -> None:
        """Free the network and all that was made of it; nothing may be called afterwards."""
        self._ways.clear()
        self._network = self._compiled = self._capturer = None

    @property
    def _plain(self) -> bool:
        return self._compiled is None and self._capturer is None

    def _way(self, images: torch.Tensor) -> Way:
        shape = images.shape
        way = self._ways.get(shape)
        if way is not None:
            self._ways.move_to_end(shape)
            return way
        network: Way = self._network
        if self._plain:
            return network
        if len(self._seen) > MOST_SEEN:
            self._seen.clear()
        self._seen[shape] += 1
        if self._seen[shape] < SIGHTINGS:
            return network
        del self._seen[shape]
        way = self._ways[shape] = self._make(images)
        if len(self._ways) > KEPT:
            if images.device.type == 'cuda':
                # The oldest may still be running there.
                torch.cuda.synchronize(images.device)
            self._ways.popitem(last=False)
        return way

    def _make(self, images: torch.Tensor) -> Way:
        count, _, height, width = images.shape
        tables = self._network.tables(height, width, images.device)

        def plain(images: torch.Tensor) -> RawMaps:
            return RawMaps(*self._network(images, tables))

        way: Way = plain
        if self._compiled is not None:
            compiled = self._compiled

            def faster(images: torch.Tensor) -> RawMaps:
                return RawMaps(*compiled(images, tables))

            logger.info('compiling the network for %d image(s) of %dx%d: minutes the first time',
                        count, width, height)
            bad = self._objection(faster, images)
            if bad:
                self._compiled = None
                self._give_up('torch.compile', bad)
            else:
                way = faster
                self._made[COMPILED] += 1
        if self._capturer is not None:
            try:
                captured = self._capturer(way, gate_images(
                    count, images.device, size=(width, height)))
                bad = self._objection(captured.call, images)
            except Exception as error:
                bad = failure(error)
            if bad:
                self._capturer = None
                self._give_up('the CUDA graph', bad)
            else:
                way = captured._replace(keep=(way, tables)).call
                self._made[RECORDED] += 1
        return way

    def _objection(self, way: Way, images: torch.Tensor) -> str:
        """Return what speaks against a way, by other pictures than it was made with."""
        count, _, height, width = images.shape
        pictures = gate_images(count, images.device, size=(width, height), seed=1)
        try:
            found = way(pictures)
        except Exception as error:
            return failure(error)
        return objection(found, self._network(pictures), self._network.precision)[0]

    def _give_up(self, name: str, why: str) -> None:
        text = f'{name} is not used any more, the network runs as it is: {why}'
        self.warnings = (*self.warnings, text)
        logger.warning('%s', text)
