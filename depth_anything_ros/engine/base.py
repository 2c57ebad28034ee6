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

"""The one protocol that every engine implements, and the values that pass through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable, Sequence

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult


@dataclass(frozen=True)
class EngineInfo:
    """What an engine is, for logs, diagnostics and replies."""

    model: str
    kind: DepthKind
    device: str
    precision: str
    licence: str
    process_res: int
    has_confidence: bool = False
    has_sky: bool = False
    predicts_intrinsics: bool = False
    multi_view: bool = False
    """Whether several images of one scene get depth and poses in one world."""
    rectifies: bool = False
    """Whether it takes lens distortion (``Frame.lens``) out faster than OpenCV does on the CPU."""
    acceleration: str = ''
    """How the network is made faster than plain float32, and how far its depth is from that."""
    warnings: tuple[str, ...] = ()
    """What a user must know: CPU chosen by ``auto``, random weights, a model for demos only."""
    degraded: str = ''
    """Why nothing comes out now though it will again by itself, empty where all is well."""


@dataclass(frozen=True)
class Prepared:
    """
    A frame ready for the network.

    ``payload`` is the engine's own; frames with equal ``shape`` (height, width in pixels at the
    processed size) may share one call of :meth:`Engine.infer`.
    """

    frame: Frame
    options: FrameOptions
    shape: tuple[int, int]
    payload: Any


@dataclass(frozen=True)
class Inferred:
    """The network's answer for one prepared frame; ``payload`` is the engine's own."""

    prepared: Prepared
    payload: Any


class Engine(Protocol):
    """
    Depth from images in three steps that may run in three threads, one frame in each, or in one.

    No step is ever called twice at the same time; different steps may overlap.
    """

    @property
    def info(self) -> EngineInfo:
        """Return what this engine is."""
        ...

    def prepare(self, frame: Frame, options: FrameOptions) -> Prepared:
        """
        Check, resize and normalise a frame.

        :raises InvalidRequest: when the frame or the options cannot be served.
        """
        ...

    def infer(self, batch: Sequence[Prepared]) -> list[Inferred]:
        """
        Run the network on frames of one shape, in order.

        :raises OutOfMemory: when the device has too little memory.
        :raises InferenceFailed: when the network fails.
        """
        ...

    def finish(self, inferred: Inferred) -> DepthResult:
        """
        Turn the network's answer into depth at the frame's size, and what else was asked for.

        :raises InvalidIntrinsics: when metres need a focal length that nobody gave.
        """
        ...

    def warm_up(self, width: int, height: int) -> None:
        """Run once on an image of this size, so that the first real frame is not slow."""
        ...

    def close(self) -> None:
        """Free the device's memory; nothing may be called afterwards."""
        ...


@dataclass(frozen=True)
class PreparedViews:
    """
    Images of one scene ready for the network.

    ``shape`` is their common (height, width) in pixels at the processed size; ``payload`` is the
    engine's own.
    """

    frames: tuple[Frame, ...]
    options: FrameOptions
    shape: tuple[int, int]
    payload: Any


@runtime_checkable
class MultiViewEngine(Engine, Protocol):
    """
    An engine that also looks at the images of a scene together, in two steps.

    One that is not ``info.multi_view`` takes one image. ``prepare_views`` may run in any thread,
    ``infer_views`` runs where ``infer`` does, never at the same time.
    """

    def prepare_views(
        self, frames: Sequence[Frame], options: FrameOptions, most_pixels: int,
    ) -> PreparedViews:
        """
        Check and resize the images of a scene; different sizes are cut to the smallest.

        :param frames: one or more images.
        :param options: size, limits, and the camera to fall back on.
        :param most_pixels: pixels that all processed images together may have.
        :raises InvalidRequest: when the images or options cannot be served.
        :raises PayloadTooLarge: when they are too many for that size, before memory is taken.
        """
        ...

    def infer_views(self, prepared: PreparedViews) -> Views:
        """
        Return depth and cameras of all images in one world.

        :raises OutOfMemory: when the device has too little memory.
        :raises InferenceFailed: when the network fails.
        """
        ...
