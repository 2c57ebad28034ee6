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

On a GPU it is one block, so that one copy brings all to the host; on a CPU each output is written
where whoever asked for it wants to have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from depth_anything_ros.core.options import Memory, Output
import numpy as np
import numpy.typing as npt
import torch


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
        sky: bool, memory: Memory | None = None,
    ) -> None:
        """
        Take the memory.

        :param memory: where the outputs are to be in the end; default: in memory of their own.
        """
        self._shape = (height, width)
        self._wanted = (cloud, confidence, sky)
        self._memory = memory
        self._host: HostOutputs | None = None
        if device.type == 'cpu':
            host = self._host = self._places()
            self.cloud, self.confidence, self.sky = (
                None if each is None else torch.from_numpy(each)
                for each in (host.cloud, host.confidence, host.sky))
            self.depth = torch.from_numpy(host.depth)
            return
        # The widest values come first, so that all are aligned.
        size = height * width * (16 * cloud + 4 + 4 * confidence + sky)
        self._block = torch.empty(size, dtype=torch.uint8, device=device)
        self.cloud, self.depth, self.confidence, self.sky = self._views(self._block)

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

    def _views(self, block: torch.Tensor) -> tuple[
            torch.Tensor | None, torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
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
        if self._host is not None:
            return self._host
        block = torch.empty(self._block.shape, dtype=torch.uint8, pin_memory=True)
        block.copy_(self._block, non_blocking=True)
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


def staged(image: npt.NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """
    Return a copy of an image in host memory that ``device`` can read by itself.

    Page-locked for CUDA, so that the upload does not hold up the thread; the image may be
    read-only, padded, and may change after this returns.

    :param image: uint8 array of any shape and strides.
    :returns: uint8 tensor of the same shape on the host.
    """
    host = torch.empty(image.shape, dtype=torch.uint8, pin_memory=device.type == 'cuda')
    np.copyto(host.numpy(), image)
    return host


def start_download(values: torch.Tensor) -> npt.NDArray[Any]:
    """
    Return a tensor on the host; on CUDA it is filled when ``Outputs.fetch`` returns.

    For what has no place in the block because its size depends on the data.
    """
    if values.device.type == 'cpu':
        return np.asarray(values.contiguous().numpy())
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    host.copy_(values, non_blocking=True)
    return np.asarray(host.numpy())
