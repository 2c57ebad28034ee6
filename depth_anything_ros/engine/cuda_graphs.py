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

"""Record the network's work once, and let the GPU repeat it without Python."""

from __future__ import annotations

from functools import lru_cache
import threading
from typing import Any

from depth_anything_ros.engine.fast_calls import Captured, Way
from depth_anything_ros.engine.streams import cuda
import torch

RUNS_BEFORE = 3
"""Plain runs before recording: libraries choose kernels and take their memory in them."""

_recording = threading.Lock()
"""PyTorch records one graph per process at a time."""


@lru_cache(maxsize=64)
def _recording_stream(device: torch.device) -> Any:
    """Return the one stream of a device to record on: libraries take memory for every stream."""
    return cuda.Stream(device)


class CudaCapturer:
    """
    Records calls as CUDA graphs.

    All graphs of one engine share their memory: they run one after the other on one stream, and
    what they found is copied out before the next begins.
    """

    def __init__(self, device: torch.device) -> None:
        """
        Record nothing yet.

        :param device: a CUDA device.
        """
        self._device = device
        self._stream = _recording_stream(device)
        self._pool: Any = cuda.graph_pool_handle()

    def __call__(self, way: Way, images: torch.Tensor) -> Captured:
        """
        Return the recorded call of a function that never waits for the device.

        :param way: the function.
        :param images: any images of the shape that it is to be recorded for.
        :raises RuntimeError: when it cannot be recorded, or the memory is too small.
        """
        present = cuda.current_stream(self._device)
        # The outer block puts the stream back should recording fail on the way out.
        with _recording, cuda.device(self._device), cuda.stream(present):
            given = images.clone(memory_format=torch.preserve_format)
            self._stream.wait_stream(present)
            with cuda.stream(self._stream):
                for _ in range(RUNS_BEFORE):
                    way(given)
            present.wait_stream(self._stream)
            graph = cuda.CUDAGraph()
            # Other threads go on uploading and finishing frames meanwhile.
            with cuda.graph(graph, pool=self._pool, stream=self._stream,
                            capture_error_mode='thread_local'):
                found = way(given)

        def replay() -> None:
            with cuda.device(self._device):
                graph.replay()
        return Captured(given, found, replay)
