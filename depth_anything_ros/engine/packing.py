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
Memory for the outputs of a frame.

On a device it is one block, so that one copy brings all to the host; where numpy and OpenCV do the
work each output is written where whoever asked for it wants to have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from depth_anything_ros.core.options import Memory, Output
from depth_anything_ros.engine.host_memory import HostMemory
import numpy as np
import numpy.typing as npt
import torch

Maps = tuple[torch.Tensor | None, torch.Tensor, torch.Tensor | None, torch.Tensor | None]
"""Cloud, depth, confidence and sky."""


@dataclass(frozen=True)
class HostOutputs:
    """The outputs in the host's memory; see :class:`Outputs`."""

    depth: npt.NDArray[np.float32]
    cloud: npt.NDArray[np.float32] | None
    confidence: npt.NDArray[np.float32] | None
    sky: npt.NDArray[np.bool_] | None


class Outputs:
    """
    The outputs that are wanted, in the device's memory.

    ``depth`` and ``confidence`` (H, W) float32, ``cloud`` (H, W, 4) float32, ``sky`` (H, W) bool.
    """

    def __init__(
        self, width: int, height: int, device: torch.device, *, cloud: bool, confidence: bool,
        sky: bool, memory: Memory | None = None, host: HostMemory | None = None,
    ) -> None:
        """
        Take the memory.

        :param memory: where the outputs are to be in the end; default: in memory of their own.
        :param host: where the one copy from the device ends; None: the outputs are written
            on the host, each in its place.
        """
        self._shape = (height, width)
        self._wanted = (cloud, confidence, sky)
        self._memory = memory
        self._host = host
        self.ready = self._places() if host is None else None
        """The outputs where they are written on the host; None where that is a device."""
        if host is not None:
            # The widest values come first, so that all are aligned.
            size = height * width * (16 * cloud + 4 + 4 * confidence + sky)
            self._block = torch.empty(size, dtype=torch.uint8, device=device)

    @property
    def cloud(self) -> torch.Tensor | None:
        """Return the cloud to fill, None where it is not wanted."""
        return self._maps[0]

    @property
    def depth(self) -> torch.Tensor:
        """Return the depth to fill."""
        return self._maps[1]

    @property
    def confidence(self) -> torch.Tensor | None:
        """Return the confidence to fill, None where it is not wanted."""
        return self._maps[2]

    @property
    def sky(self) -> torch.Tensor | None:
        """Return the sky mask to fill, None where it is not wanted."""
        return self._maps[3]

    @cached_property
    def _maps(self) -> Maps:
        if self.ready is None:
            return self._views(self._block)
        cloud, confidence, sky = (
            None if each is None else torch.from_numpy(each)
            for each in (self.ready.cloud, self.ready.confidence, self.ready.sky))
        return cloud, torch.from_numpy(self.ready.depth), confidence, sky

    def _places(self) -> HostOutputs:
        cloud, confidence, sky = self._wanted
        return HostOutputs(
            self._place(Output.DEPTH, np.float32),
            self._place(Output.POINTS, np.float32, 4) if cloud else None,
            self._place(Output.CONFIDENCE, np.float32) if confidence else None,
            self._place(Output.SKY, np.bool_) if sky else None)

    def _place(self, output: Output, kind: type, *channels: int) -> npt.NDArray[Any]:
        shape = (*self._shape, *channels)
        given = None if self._memory is None else self._memory(output, shape, kind)
        return np.empty(shape, kind) if given is None else given

    def _views(self, block: torch.Tensor) -> Maps:
        height, width = self._shape
        cloud, confidence, sky = self._wanted
        taken = 0

        def take(step: int) -> torch.Tensor:
            nonlocal taken
            taken += step * height * width
            return block[taken - step * height * width:taken]

        return (
            take(16).view(torch.float32).view(height, width, 4) if cloud else None,
            take(4).view(torch.float32).view(height, width),
            take(4).view(torch.float32).view(height, width) if confidence else None,
            take(1).view(torch.bool).view(height, width) if sky else None)

    def fetch(self) -> HostOutputs:
        """Return the outputs on the host; waits for the device, and for nothing else on it."""
        if self._host is None:
            assert self.ready is not None
            return self.ready
        block = self._host.take(tuple(self._block.shape), torch.uint8)
        block.copy_(self._block, non_blocking=True)
        if self._block.device.type == 'cuda':
            torch.cuda.current_stream(self._block.device).synchronize()
        cloud, depth, confidence, sky = (
            None if each is None else each.numpy() for each in self._views(block))
        assert depth is not None
        if self._memory is None:
            return HostOutputs(depth, cloud, confidence, sky)
        places = self._places()
        for place, values in ((places.depth, depth), (places.cloud, cloud),
                              (places.confidence, confidence), (places.sky, sky)):
            if place is not None and values is not None:
                # As bytes: a float copy may change the bits of a colour that looks like a NaN.
                np.copyto(place.view(np.uint8), values.view(np.uint8))
        return places
