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

"""An engine whose network runs elsewhere: resize before it and all after it happen here."""

from __future__ import annotations

from dataclasses import dataclass, replace
import time
from typing import Protocol, Sequence

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Preprocess
from depth_anything_ros.core.processed_size import Plan, plan
from depth_anything_ros.core.result import choose_intrinsics, choose_law, DepthResult
from depth_anything_ros.engine.base import EngineInfo, Inferred, Prepared
from depth_anything_ros.engine.frame_path import DeviceDepth, FramePath
from depth_anything_ros.engine.native import load as load_kernels
from depth_anything_ros.engine.preprocess import process
from depth_anything_ros.errors import InferenceFailed
import numpy as np
import numpy.typing as npt
import torch


@dataclass(frozen=True)
class Maps:
    """
    What a network says about one image, at the size at which it saw it.

    ``depth`` and ``confidence`` are (h, w) float32, ``sky`` (h, w) bool, ``predicted`` is the
    camera of these pixels where the model predicts one, ``notes`` what must be known about them.
    """

    depth: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32] | None = None
    sky: npt.NDArray[np.bool_] | None = None
    predicted: Intrinsics | None = None
    notes: tuple[str, ...] = ()


class Network(Protocol):
    """A network that is asked for one image at a time."""

    @property
    def info(self) -> EngineInfo:
        """Return what it is, with ``degraded`` while it cannot be asked."""
        ...

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> Maps:
        """
        Return the maps of an image, (h, w, 3) uint8 RGB at the processed size.

        :raises NotReady: when it cannot be asked now.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True)
class _Image:
    pixels: npt.NDArray[np.uint8]
    steps: Plan | None
    seconds: float


class ElsewhereEngine:
    """
    Depth by a network that runs elsewhere; see :class:`engine.base.Engine`.

    What goes there is the image at the processed size, what comes back the network's own maps:
    the results are those of the same network here.
    """

    def __init__(self, network: Network) -> None:
        """
        Use a network.

        :param network: the engine's from now on.
        """
        self._network = network
        kernels, missing = load_kernels()
        self._path = FramePath(torch.device('cpu'), kernels=kernels)
        self._warnings = tuple(filter(None, (missing,)))

    @property
    def info(self) -> EngineInfo:
        """Return what the network is, and whether it can be asked."""
        info = self._network.info
        return replace(info, warnings=(*info.warnings, *self._warnings))

    def prepare(self, frame: Frame, options: FrameOptions) -> Prepared:
        """
        Check and resize a frame.

        :raises InvalidImage: when its shape leaves less than one patch.
        :raises InvalidIntrinsics: when metres need a focal length that nobody gave.
        """
        start = time.perf_counter()
        info = self.info
        if not (info.predicts_intrinsics or options.raw):
            choose_law(info.kind, *choose_intrinsics(frame, options))
        size = options.process_res or info.process_res
        steps = plan(*frame.size, size, options.process_res_method) if size else None
        pixels = frame.rgb if steps is None else process(
            frame.rgb, steps, fast=options.preprocess is Preprocess.FAST)
        height, width = pixels.shape[:2]
        return Prepared(frame, options, (height, width), _Image(
            pixels, steps, time.perf_counter() - start))

    def infer(self, batch: Sequence[Prepared]) -> list[Inferred]:
        """
        Ask the network about each frame.

        :raises NotReady: when it cannot be asked now.
        """
        found = []
        for item in batch:
            start = time.perf_counter()
            maps = self._network(self.pixels_of(item))
            found.append(self.answered(item, maps, time.perf_counter() - start))
        return found

    @staticmethod
    def pixels_of(item: Prepared) -> npt.NDArray[np.uint8]:
        """Return what the network is to be asked: (h, w, 3) uint8 RGB at the processed size."""
        pixels: npt.NDArray[np.uint8] = item.payload.pixels
        return pixels

    @staticmethod
    def answered(item: Prepared, maps: Maps, seconds: float) -> Inferred:
        """
        Return what the network said about a frame.

        :param item: the frame.
        :param maps: the answer.
        :param seconds: how long it took.
        :raises InferenceFailed: when it is not that of this frame.
        """
        if item.payload.steps is not None and maps.depth.shape != item.shape:
            raise InferenceFailed(
                f'the network answered an image of {item.shape} by maps of {maps.depth.shape}')
        return Inferred(item, (maps, seconds))

    @torch.inference_mode()
    def finish(self, inferred: Inferred) -> DepthResult:
        """Turn the network's maps into depth at the frame's size, and what else was asked for."""
        start = time.perf_counter()
        item, (maps, seconds) = inferred.prepared, inferred.payload
        image, info = item.payload, self.info
        steps = image.steps
        raw = DeviceDepth(
            _tensor(maps.depth), info.kind,
            None if maps.confidence is None else _tensor(maps.confidence),
            None if maps.sky is None else _tensor(maps.sky), maps.predicted,
            steps and steps.resized, steps.offset if steps else (0, 0), image.pixels)
        result = self._path.finish(raw, item.frame, item.options, info.model)
        return replace(result, notes=maps.notes + result.notes, timings={
            'prepare': image.seconds, 'infer': seconds, 'finish': time.perf_counter() - start})

    def warm_up(self, width: int, height: int) -> None:
        """Do nothing: the server warmed its own network, and may be busy with others."""

    def close(self) -> None:
        """Let go of the network and of what is kept for finishing."""
        self._network.close()
        self._path.clear()


def _tensor(values: npt.NDArray[np.generic]) -> torch.Tensor:
    """Return a map as (h, w) float32 in memory of its own; what came is read-only."""
    return torch.from_numpy(np.array(values, np.float32))
