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

"""An engine whose views are given: exact worlds for reconstructions in tests and benchmarks."""

from __future__ import annotations

from dataclasses import replace
import time
from typing import Any, Callable, Sequence

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.base import PreparedViews
from depth_anything_ros.engine.batches import check_views
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import InvalidImage
import numpy as np


class GivenViewsEngine(GivenDepthEngine):
    """
    An engine that asks a function for depth and cameras of several frames.

    The images of a scene must be of one size; they are not resized.
    """

    def __init__(
        self, views_of: Callable[[Sequence[Frame]], Views], *, multi_view: bool = True,
        kind: DepthKind = DepthKind.METRIC, delay: float = 0.0, **arguments: Any,
    ) -> None:
        """
        Make an engine from a function.

        :param views_of: returns the views of frames at their own size.
        :param multi_view: whether several images are taken, as any-view and nested models do.
        :param kind: what the numbers mean.
        :param delay: seconds that one call takes at least, to act as a slow device.
        :param arguments: further ones of :class:`GivenDepthEngine`.
        """
        super().__init__(
            lambda frame: views_of([frame]).depth[0], kind=kind, delay=delay, **arguments)
        self._views_of = views_of
        self._info = replace(self._info, multi_view=multi_view, predicts_intrinsics=multi_view)

    def prepare_views(
        self, frames: Sequence[Frame], options: FrameOptions, most_pixels: int,
    ) -> PreparedViews:
        """Check the frames and return them as they are."""
        sizes = {frame.size for frame in frames}
        if len(sizes) > 1:
            raise InvalidImage(f'given views are of one size, seen {sorted(sizes)}')
        width, height = frames[0].size
        check_views(self.info, len(frames), (width, height), most_pixels)
        return PreparedViews(tuple(frames), options, (height, width), None)

    def infer_views(self, prepared: PreparedViews) -> Views:
        """Return the given views."""
        if self._delay:
            time.sleep(self._delay)
        views = self._views_of(prepared.frames)
        assert views.depth.dtype == np.float32
        return views
