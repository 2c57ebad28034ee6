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

"""What is handed out for a frame, and the law that turned the network's numbers into metres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import CANONICAL_FOCAL, DepthKind, FocalSource
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.core.scan import Scan
from depth_anything_ros.errors import InvalidImage, InvalidIntrinsics
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ScaleLaw:
    """
    How the network's depth became what is handed out: ``depth = network * factor``.

    ``focal`` is mean(fx, fy) in pixels at the processed size (0 where the law needs none or
    nobody knows it) and ``focal_source`` says who gave it. A raw result has the factor 1.
    """

    kind: DepthKind
    factor: float = 1.0
    focal: float = 0.0
    focal_source: FocalSource = FocalSource.NONE

    def __str__(self) -> str:
        """Return the law as one sentence for logs, diagnostics and replies."""
        if self.kind is DepthKind.RELATIVE:
            return 'relative: unknown scale'
        if self.kind is DepthKind.METRIC:
            return 'metric: metres as predicted by the model'
        if not self.focal:
            return f'canonical: metres = network * focal / {CANONICAL_FOCAL:.0f}, focal unknown'
        return (f'canonical: metres = network * {self.focal:.2f} / {CANONICAL_FOCAL:.0f} '
                f'(focal length in pixels at the processed size, from {self.focal_source.value})')


@dataclass(frozen=True)
class DepthResult:
    """
    Depth of one frame at the frame's own size, or at the processed one where that was asked for.

    ``depth`` is (H, W) float32 along the optical axis, NaN where invalid: metres when ``kind`` is
    METRIC, without a unit when it is RELATIVE. ``intrinsics`` belong to exactly these pixels
    (None when nobody knows them). ``confidence`` (H, W) float32 is in the model's own scale,
    (1, inf), higher is surer. ``sky`` (H, W) bool. ``cloud`` (H, W, 4) float32 holds x, y, z in
    metres in the optical frame and packed colour; with cloud options it may be smaller, a list
    (N, 4), without colour (..., 3), and in the frame of ``frame.placement``. ``preview`` (H, W, 3)
    uint8 RGB. ``scan`` is the planar scan, ``estimated`` the camera that the model predicts, at
    the depth's size. ``timings`` are seconds by stage. ``notes`` say what a reader must know, such
    as an assumed focal length. ``processed`` (h, w, 3) uint8 RGB are the pixels that the network
    saw, where the engine handed them on.

    A ``raw`` result holds the network's own numbers, and all its maps and its intrinsics are at
    the processed size.
    """

    frame: Frame
    depth: npt.NDArray[np.float32]
    scale_law: ScaleLaw
    model: str
    intrinsics: Intrinsics | None = None
    confidence: npt.NDArray[np.float32] | None = None
    sky: npt.NDArray[np.bool_] | None = None
    cloud: npt.NDArray[np.float32] | None = None
    preview: npt.NDArray[np.uint8] | None = None
    scan: Scan | None = None
    estimated: Intrinsics | None = None
    processed: npt.NDArray[np.uint8] | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    raw: bool = False

    @property
    def kind(self) -> DepthKind:
        """
        Return METRIC where the numbers are metres, RELATIVE where their scale is unknown.

        CANONICAL only for the raw depth of a canonical model.
        """
        if self.raw:
            return self.scale_law.kind
        relative = self.scale_law.kind is DepthKind.RELATIVE
        return DepthKind.RELATIVE if relative else DepthKind.METRIC

    @property
    def color(self) -> npt.NDArray[np.uint8]:
        """
        Return the (H, W, 3) uint8 RGB colour of every depth pixel.

        :raises InvalidImage: when the engine did not hand on the pixels of a processed size.
        """
        for pixels in (self.processed, self.frame.rgb):
            if pixels is not None and pixels.shape[:2] == self.depth.shape:
                return pixels
        raise InvalidImage(f'there are no colours of the size of the depth, {self.depth.shape}')

    def points(self) -> npt.NDArray[np.float32]:
        """
        Return the (H, W, 3) float32 points in the optical frame, NaN where invalid.

        In metres, or without a unit when the depth is relative.

        :raises InvalidIntrinsics: when the camera is unknown.
        """
        if self.intrinsics is None:
            raise InvalidIntrinsics(
                'points need intrinsics: give K, a focal length or a field of view')
        return unproject(self.depth, self.intrinsics)

    def timed(self, timings: Mapping[str, float]) -> DepthResult:
        """
        Return this result with other timings; its arrays are shared.

        :param timings: seconds by stage.
        """
        # dataclasses.replace would take a tenth of what a small request costs.
        same = object.__new__(type(self))
        same.__dict__.update(self.__dict__, timings=timings)
        return same

    def picture(self) -> npt.NDArray[np.uint8]:
        """Return the depth as a colour picture, (H, W, 3) uint8 RGB."""
        return colourise(self.depth) if self.preview is None else self.preview


def choose_intrinsics(
    frame: Frame, options: FrameOptions, predicted: Intrinsics | None = None,
) -> tuple[Intrinsics | None, FocalSource]:
    """
    Return the camera of a frame and where it came from.

    In this order: the frame's own, ``options.focal_length``, ``options.fov_deg``, the model's
    prediction.

    :param frame: the image.
    :param options: what the caller configured.
    :param predicted: what an any-view model predicted, at any size of the same image.
    :returns: the intrinsics at the frame's size, or None and ``FocalSource.NONE``.
    """
    width, height = frame.size
    if frame.intrinsics is not None:
        return frame.intrinsics, FocalSource.CAMERA_INFO
    if options.focal_length:
        camera = Intrinsics.from_focal(options.focal_length, width, height)
        return camera, FocalSource.FOCAL_LENGTH
    if options.fov_deg:
        camera = Intrinsics.from_fov(options.fov_deg, width, height)
        return camera, FocalSource.FIELD_OF_VIEW
    if predicted is not None:
        return predicted.resized(width, height), FocalSource.MODEL
    return None, FocalSource.NONE


def choose_law(
    kind: DepthKind, processed: Intrinsics | None, source: FocalSource,
) -> ScaleLaw:
    """
    Return the law for a network whose output is of ``kind``.

    :param kind: what the network's numbers mean.
    :param processed: the camera at the processed size.
    :param source: where that camera came from.
    :raises InvalidIntrinsics: when metres need a focal length and nobody gave one.
    """
    if kind is not DepthKind.CANONICAL:
        return ScaleLaw(kind, focal_source=source)
    if processed is None:
        raise InvalidIntrinsics(
            'metric depth needs a focal length: send a CameraInfo with K[0] > 0, or set '
            'focal_length (pixels) or fov_deg (degrees)')
    return ScaleLaw(kind, processed.focal / CANONICAL_FOCAL, processed.focal, source)
