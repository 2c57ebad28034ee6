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

"""Let one frame be finished while the device already computes the next."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterable, Iterator

import torch

cuda: Any = torch.cuda
"""PyTorch does not type its events and streams."""


class Mark:
    """A point in the device's work, and when the device reached it."""

    def __init__(self, device: torch.device) -> None:
        """Mark the end of all that was given to the device so far."""
        self.event: Any = None
        if device.type == 'cuda':
            self.event = cuda.Event(enable_timing=True)
            self.event.record(cuda.current_stream(device))

    def reached(self) -> bool:
        """Return whether the device is there."""
        return self.event is None or bool(self.event.query())

    def seconds_since(self, earlier: Mark) -> float | None:
        """Return the device's time between two reached marks, None on the CPU."""
        if self.event is None or earlier.event is None:
            return None
        return float(earlier.event.elapsed_time(self.event)) / 1000


class SideStream:
    """A second queue of the device's work; on the CPU there is none and this does nothing."""

    def __init__(self, device: torch.device) -> None:
        """Open the queue."""
        self._stream = cuda.Stream(device, priority=-1) if device.type == 'cuda' else None

    @contextmanager
    def after(
        self, mark: Mark | None, tensors: Iterable[torch.Tensor | None],
    ) -> Iterator[None]:
        """
        Put the work of a block into this queue, behind a mark of another queue.

        :param mark: where ``tensors`` were complete; None where there is nothing to wait for.
        :param tensors: what the block reads; their memory is not given away before it is done.
        """
        if self._stream is None:
            yield
            return
        with cuda.stream(self._stream):
            if mark is not None:
                wait_for(mark, tensors)
            yield


def wait_for(mark: Mark, tensors: Iterable[torch.Tensor | None]) -> None:
    """
    Let the device's present queue go on only behind a mark of another queue; nobody here waits.

    :param mark: where ``tensors`` were complete; nothing on the CPU.
    :param tensors: what the queue reads next; their memory is not given away before it has.
    """
    if mark.event is None:
        return
    for tensor in tensors:
        if tensor is not None:
            stream = cuda.current_stream(tensor.device)
            stream.wait_event(mark.event)
            tensor.record_stream(stream)
