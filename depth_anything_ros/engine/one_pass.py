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
Frames that need one compiled pass alone: depth, and maybe its cloud, of an image as it came.

That is what most cameras are asked for. What such frames of a stream have in common is decided
once, so that Python does little for each; the result is that of ``FramePath.finish``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize, SkyMode
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.core.processed_size import Plan
from depth_anything_ros.core.remarks import cloud_missing, remarks
from depth_anything_ros.core.result import choose_intrinsics, choose_law, DepthResult, ScaleLaw
from depth_anything_ros.engine.cloud import filtered
from depth_anything_ros.engine.measured import bounds
from depth_anything_ros.engine.native_finish import Colouring, NativeSampler, NativeWriter
from depth_anything_ros.engine.passes import RawMaps
import numpy as np

OUTPUTS = frozenset({Output.DEPTH, Output.POINTS, Output.PREVIEW})
"""Nothing else may be wanted."""

MOST = 16
"""Streams that are remembered."""


@dataclass(frozen=True)
class Standing:
    """What holds for every frame of a stream; ``writer`` is None where there is no cloud."""

    law: ScaleLaw
    limits: tuple[float, float, float]
    camera: Intrinsics | None
    sampler: NativeSampler
    writer: NativeWriter | None
    preview: bool
    notes: tuple[str, ...]


class OnePass:
    """Finishes the frames that need one compiled pass alone."""

    def __init__(
        self, sampler: Callable[[tuple[int, int], tuple[int, int]], Any],
        writer: Callable[[Intrinsics], Any],
    ) -> None:
        """
        Remember no stream yet.

        :param sampler: returns the :class:`NativeSampler` of two sizes.
        :param writer: returns the :class:`NativeWriter` of a camera.
        """
        self._sampler, self._writer = sampler, writer
        self._known: list[tuple[tuple[Any, ...], Standing | None]] = []

    def finish(
        self, maps: RawMaps, kind: DepthKind, steps: Plan, frame: Frame, options: FrameOptions,
        model: str,
    ) -> DepthResult | None:
        """
        Return what ``FramePath.finish`` returns, None where more than one pass is needed.

        :param maps: the network's answer at the processed size, in the host's memory.
        :param kind: what its numbers mean.
        :param steps: how the image came to that size.
        :param frame: the image.
        :param options: limits, fallbacks and the wanted outputs.
        :param model: the model's name, carried into the result.
        :raises InvalidIntrinsics: when metres need a focal length that nobody gave.
        """
        rgb = frame.rgb
        if frame.seen is not None or frame.lens is not None or maps.scale is not None \
                or (maps.camera is not None and frame.intrinsics is None):
            return None
        # What is the same object needs no comparison, and most of it is.
        key = (options, frame.intrinsics, steps, rgb.shape, kind, maps.sky is None,
               maps.confidence is None)
        known = next((each for each in self._known if each[0] == key), None)
        if known is None:
            known = key, self._decided(maps, kind, steps, frame, options)
            self._known = [known, *self._known[:MOST - 1]]
        standing = known[1]
        if standing is None:
            return None
        shape = rgb.shape[:2]
        depth = options.place(Output.DEPTH, shape, np.float32)
        if depth is None:
            depth = np.empty(shape, np.float32)
        cloud = colouring = None
        if standing.writer is not None:
            cloud = options.place(Output.POINTS, (*shape, 4), np.float32)
            if cloud is None:
                cloud = np.empty((*shape, 4), np.float32)
            colouring = Colouring(cloud, standing.writer, rgb)
        standing.sampler.finish(maps.depth, maps.sky, standing.limits, depth, colouring)
        return DepthResult(
            frame, depth, standing.law, model, standing.camera, cloud=cloud,
            preview=colourise(depth, out=options.place(Output.PREVIEW, rgb.shape, np.uint8))
            if standing.preview else None, notes=standing.notes)

    def _decided(
        self, maps: RawMaps, kind: DepthKind, steps: Plan, frame: Frame, options: FrameOptions,
    ) -> Standing | None:
        wanted = options.outputs
        if not wanted <= OUTPUTS or options.raw or steps.resized != steps.size \
                or options.output_size is not OutputSize.INPUT \
                or options.sky_mode is not SkyMode.NAN:
            return None
        camera, source = choose_intrinsics(frame, options)
        law = choose_law(kind, camera.resized(*steps.size) if camera else None, source)
        writer = None
        if Output.POINTS in wanted and not cloud_missing(options, frame, law, camera):
            points = options.points
            if not points.whole or points.limited or filtered(maps.confidence, points):
                return None
            assert camera is not None
            writer = self._writer(camera)
        low, high = (0.0, float('inf')) if kind is DepthKind.RELATIVE else (
            options.minimum, options.maximum)
        return Standing(
            law, (law.factor, *bounds(low, high)), camera, self._sampler(steps.size, frame.size),
            writer, Output.PREVIEW in wanted,
            remarks(options, frame, law, camera, maps.confidence is not None,
                    maps.sky is not None))

    def clear(self) -> None:
        """Forget all streams."""
        self._known = []
