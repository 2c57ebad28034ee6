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

"""A reconstruction from images to a scene, in steps that can be watched and stopped between."""

from __future__ import annotations

from dataclasses import replace
import time
from typing import Callable, Sequence, TypeVar

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.errors import Cancelled, InvalidRequest
from depth_anything_ros.reconstruction.fusion import fuse
from depth_anything_ros.reconstruction.options import ASSUMED_FOV_DEG, SceneOptions
from depth_anything_ros.reconstruction.scene import Scene

Progress = Callable[[str, float], None]
"""Is told the step that begins and how much is done, 0 to 1, never falling."""

PREPARING, INFERENCE, FUSING, DONE = 'preparing', 'inference', 'fusing', 'done'

SHARES = {PREPARING: 0.1, INFERENCE: 0.3, FUSING: 0.7, DONE: 1.0}
"""How much is done when a step begins: the numbers of the WebSocket seeds' progress bars."""

Prepared = TypeVar('Prepared')


def nobody(step: str, share: float) -> None:
    """Watch no progress."""


def never() -> bool:
    """Return False: nobody withdraws this."""
    return False


def reconstruct(
    prepare: Callable[[FrameOptions], Prepared], infer: Callable[[Prepared], Views],
    frames: Sequence[Frame], options: SceneOptions, *, predicts_intrinsics: bool,
    progress: Progress | None = None, cancelled: Callable[[], bool] | None = None,
) -> Scene:
    """
    Return the scene that images show.

    :param prepare: makes the frames ready for the network.
    :param infer: runs the network.
    :param frames: the images.
    :param options: how they become a scene.
    :param predicts_intrinsics: whether the network knows cameras by itself.
    :param progress: told when each step begins, in this thread.
    :param cancelled: asked before each step whether to stop.
    :raises Cancelled: when ``cancelled`` said so.
    :raises InvalidRequest: when the images cannot be reconstructed.
    """
    if not frames:
        raise InvalidRequest('a reconstruction needs at least one image')
    watch, withdrawn = progress or nobody, cancelled or never
    timings = {}

    def begin(step: str) -> float:
        if withdrawn():
            raise Cancelled(f'cancelled before {step}')
        watch(step, SHARES[step])
        return time.monotonic()

    start = begin(PREPARING)
    frame_options, notes = fallback_camera(frames, options, predicts_intrinsics)
    prepared = prepare(frame_options)
    timings[PREPARING] = time.monotonic() - start
    start = begin(INFERENCE)
    views = infer(prepared)
    timings[INFERENCE] = time.monotonic() - start
    start = begin(FUSING)
    scene = fuse(replace(views, notes=views.notes + notes), options)
    timings[FUSING] = time.monotonic() - start
    begin(DONE)
    return replace(scene, timings=timings)


def fallback_camera(
    frames: Sequence[Frame], options: SceneOptions, predicts_intrinsics: bool,
) -> tuple[FrameOptions, tuple[str, ...]]:
    """Return the engine's options, with an assumed field of view where nobody knows the camera."""
    given = options.focal_length or options.fov_deg or any(
        frame.intrinsics is not None for frame in frames)
    if given or predicts_intrinsics:
        return options.frame_options(), ()
    return options.frame_options(ASSUMED_FOV_DEG), (
        f'the camera is unknown: a horizontal field of view of {ASSUMED_FOV_DEG:g} degrees is '
        'assumed, and shape and scale are as wrong as that',)
