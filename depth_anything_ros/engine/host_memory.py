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

"""The host's end of copies to and from a device: page-locked for CUDA, and used again."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any, Callable
import weakref

from depth_anything_ros.engine.streams import Mark
import numpy as np
import numpy.typing as npt
import torch

MOST = 8
"""Buffers that are kept; where all are held by readers, the next ones are for one use."""

SMALLEST = 4096
"""Bytes of the smallest buffer; all are powers of two, so that sizes that change find one."""


@dataclass(eq=False)
class _Buffer:
    """Memory, its last view while anything holds that, and until when a device reads it."""

    memory: torch.Tensor
    view: Callable[[], Any] = lambda: None
    read: Mark | None = None

    def free(self) -> bool:
        return self.view() is None and (self.read is None or self.read.reached())


class HostMemory:
    """
    Buffers in rotation: one is filled while another is copied and a third is read by somebody.

    Who gets memory owns it until the last array or tensor that looks into it is gone, only then
    is it given out again. One thread may take; anybody may hold.
    """

    def __init__(self, device: torch.device) -> None:
        """
        Begin without buffers.

        :param device: the other end of the copies; on the CPU memory is not page-locked.
        """
        self._locked = device.type == 'cuda'
        self._buffers: list[_Buffer] = []
        self._last: _Buffer | None = None
        self.made = 0

    def take(self, shape: tuple[int, ...], kind: torch.dtype) -> torch.Tensor:
        """
        Return memory that nobody else looks into, with any values in it.

        :param shape: of the tensor.
        :param kind: its type.
        """
        size = math.prod(shape) * kind.itemsize
        if not size:
            self._last = None
            return torch.empty(shape, dtype=kind)
        found = [each for each in self._buffers if len(each.memory) >= size and each.free()]
        self._last = min(found, key=lambda each: len(each.memory)) if found else self._made(size)
        view = self._last.memory[:size].numpy()
        # Whatever is made from this array refers to it, not to what is below it.
        self._last.view, self._last.read = weakref.ref(view), None
        return torch.from_numpy(view).view(kind).view(shape)

    def read_until(self, mark: Mark) -> None:
        """Keep the memory that was taken last until the device has reached a mark, too."""
        if self._last is not None:
            self._last.read = mark

    def filled(self, values: npt.NDArray[Any]) -> torch.Tensor:
        """
        Return a copy of an array that a device can read by itself.

        :param values: of any shape and strides, may be read-only and may change afterwards.
        """
        host = self.take(values.shape, torch.from_numpy(np.empty(0, values.dtype)).dtype)
        np.copyto(host.numpy(), values)
        return host

    def start_download(self, values: torch.Tensor) -> npt.NDArray[Any]:
        """
        Return a tensor on the host; on CUDA it is filled when ``Outputs.fetch`` returns.

        For what has no place in the block because its size depends on the data.
        """
        host = self.take(tuple(values.shape), values.dtype)
        host.copy_(values, non_blocking=True)
        self.read_until(Mark(values.device))
        return np.asarray(host.numpy())

    def clear(self) -> None:
        """Keep no buffer any more; those that are held live on for as long as they are."""
        self._buffers.clear()
        self._last = None

    def _made(self, size: int) -> _Buffer:
        rounded = max(SMALLEST, 1 << (size - 1).bit_length())
        buffer = _Buffer(torch.empty(rounded, dtype=torch.uint8, pin_memory=self._locked))
        self.made += 1
        if len(self._buffers) == MOST:
            idle = next((each for each in self._buffers if each.free()), None)
            if idle is None:
                return buffer
            self._buffers.remove(idle)
        self._buffers.append(buffer)
        return buffer
