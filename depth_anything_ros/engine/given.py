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

"""An engine whose depth is given: exact worlds in tests, load tests without a network."""

from __future__ import annotations

import time
from typing import Callable, Sequence

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.finish import finish, NetworkDepth
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import EngineInfo, Inferred, Prepared
import numpy as np
import numpy.typing as npt


class GivenDepthEngine:
    """
    An engine that asks a function for the depth of a frame instead of a network.

    Everything after the network is what every engine does, by the numpy reference.
    """

    def __init__(
        self, depth_of: Callable[[Frame], npt.NDArray[np.float32]], *,
        kind: DepthKind = DepthKind.METRIC, model: str = 'given', delay: float = 0.0,
        confidence_of: Callable[[Frame], npt.NDArray[np.float32]] | None = None,
        sky_of: Callable[[Frame], npt.NDArray[np.float32]] | None = None,
        camera_of: Callable[[Frame], Intrinsics] | None = None,
    ) -> None:
        """
        Make an engine from a depth function.

        :param depth_of: returns (h, w) float32 depth of a frame, in the unit of ``kind``.
        :param kind: what the numbers mean.
        :param model: name carried into results.
        :param delay: seconds that one call of ``infer`` takes at least, to act as a slow device.
        :param confidence_of: returns (h, w) float32 confidence of a frame; None: there is none.
        :param sky_of: returns (h, w) float32, sky where it is 0.3 or more; None: there is none.
        :param camera_of: returns the camera that the model predicts, at the size of the depth;
            None: it predicts none.
        """
        self._depth_of = depth_of
        self._delay = delay
        self._confidence_of, self._sky_of, self._camera_of = confidence_of, sky_of, camera_of
        self._info = EngineInfo(
            model=model, kind=kind, device='cpu', precision='fp32', licence='none',
            process_res=0, has_confidence=confidence_of is not None, has_sky=sky_of is not None,
            predicts_intrinsics=camera_of is not None,
            warnings=('depth is given by a function, not by a network',))

    @property
    def info(self) -> EngineInfo:
        """Return what this engine is."""
        return self._info

    def prepare(self, frame: Frame, options: FrameOptions) -> Prepared:
        """Return the frame as it is, without its lens's distortion."""
        frame = frame.rectified()
        width, height = frame.size
        return Prepared(frame, options, (height, width), None)

    def infer(self, batch: Sequence[Prepared]) -> list[Inferred]:
        """Return the given depth of every frame."""
        if self._delay:
            time.sleep(self._delay)
        return [Inferred(item, self._depth_of(item.frame)) for item in batch]

    def finish(self, inferred: Inferred) -> DepthResult:
        """Return the result by the numpy reference of the laws."""
        item = inferred.prepared
        raw = NetworkDepth(
            inferred.payload, self._info.kind,
            self._confidence_of(item.frame) if self._confidence_of else None,
            self._sky_of(item.frame) if self._sky_of else None,
            self._camera_of(item.frame) if self._camera_of else None)
        return finish(raw, item.frame, item.options, self._info.model)

    def warm_up(self, width: int, height: int) -> None:
        """Do nothing: there is nothing to warm."""

    def close(self) -> None:
        """Do nothing: there is nothing to free."""
