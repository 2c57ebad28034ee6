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

"""From a network's depth map to a result: the numpy reference of the frame path's last step."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource, invalidate, SKY_THRESHOLD
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.core.resize import resize_depth, resize_nearest
from depth_anything_ros.core.result import choose_intrinsics, choose_law, DepthResult, ScaleLaw
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class NetworkDepth:
    """
    What a network says about one frame, at its processed size.

    ``depth`` (h, w) float32 in the unit of ``kind``; ``confidence`` (h, w) float32; ``sky``
    (h, w) float32 where the model has a sky head; ``predicted`` the camera of these pixels where
    the model predicts one. Where preparation cropped, ``resized`` is the (width, height) before
    the crop and ``offset`` the (x, y) of the window in it.
    """

    depth: npt.NDArray[np.float32]
    kind: DepthKind
    confidence: npt.NDArray[np.float32] | None = None
    sky: npt.NDArray[np.float32] | None = None
    predicted: Intrinsics | None = None
    resized: tuple[int, int] | None = None
    offset: tuple[int, int] = (0, 0)

    def uncropped(
        self, values: npt.NDArray[np.float32], fill: float,
    ) -> npt.NDArray[np.float32]:
        """Return a map of these pixels with ``fill`` where the crop took pixels away."""
        if self.resized is None or self.resized == values.shape[::-1]:
            return values
        canvas = np.full(self.resized[::-1], fill, np.float32)
        (x, y), (height, width) = self.offset, values.shape
        canvas[y:y + height, x:x + width] = values
        return canvas

    def predicted_uncropped(self) -> Intrinsics | None:
        """Return the predicted camera of the image before the crop."""
        camera, (x, y) = self.predicted, self.offset
        if camera is None or self.resized is None:
            return camera
        return Intrinsics(camera.fx, camera.fy, camera.cx + x, camera.cy + y, *self.resized)


def processed_camera(
    camera: Intrinsics | None, size: tuple[int, int], resized: tuple[int, int] | None,
    offset: tuple[int, int],
) -> Intrinsics | None:
    """
    Return the camera of the processed pixels.

    :param camera: that of the frame, None when unknown.
    :param size: (width, height) in pixels of the network's maps.
    :param resized: (width, height) before the crop, None without one.
    :param offset: (x, y) of the crop.
    """
    if camera is None:
        return None
    return camera.resized(*(resized or size)).cropped(*offset, *size)


def raw_law(kind: DepthKind, camera: Intrinsics | None, source: FocalSource) -> ScaleLaw:
    """Return the law of raw depth; ``camera`` is the one at the processed size."""
    needs_focal = kind is DepthKind.CANONICAL and camera is not None
    return ScaleLaw(kind, 1.0, camera.focal if camera and needs_focal else 0.0, source)


def finish(
    raw: NetworkDepth, frame: Frame, options: FrameOptions, model: str,
) -> DepthResult:
    """
    Return depth at the frame's size, in metres where the law allows, with what was asked for.

    :param raw: the network's answer at the processed size.
    :param frame: the image.
    :param options: limits, fallbacks and the wanted outputs.
    :param model: the model's name, carried into the result.
    :raises InvalidIntrinsics: when metres need a focal length that nobody gave.
    """
    width, height = frame.size
    camera, source = choose_intrinsics(frame, options, raw.predicted_uncropped())
    if options.raw:
        return _finish_raw(raw, frame, options, model, camera, source)
    processed = camera.resized(*(raw.resized or raw.depth.shape[::-1])) if camera else None
    law = choose_law(raw.kind, processed, source)
    sky = None if raw.sky is None else raw.sky >= SKY_THRESHOLD
    metric = raw.kind is not DepthKind.RELATIVE
    depth = invalidate(
        raw.depth * np.float32(law.factor), sky=sky,
        minimum=options.minimum if metric else 0.0,
        maximum=options.maximum if metric else float('inf'))
    depth = resize_depth(raw.uncropped(depth, np.nan), width, height)
    wanted = options.outputs
    confidence = cloud = preview = None
    if Output.CONFIDENCE in wanted and raw.confidence is not None:
        whole = raw.uncropped(raw.confidence, np.nan)
        confidence = resize_nearest(whole, width, height)
    if Output.POINTS in wanted and camera is not None and metric:
        cloud = organised_cloud(depth, camera, frame.rgb)
    if Output.PREVIEW in wanted:
        preview = colourise(depth)
    wide_sky = None
    if Output.SKY in wanted and raw.sky is not None:
        whole = raw.uncropped(raw.sky, 0.0)
        wide_sky = resize_nearest(whole, width, height) >= SKY_THRESHOLD
    return DepthResult(
        frame=frame, depth=depth, scale_law=law, model=model, intrinsics=camera,
        confidence=confidence, sky=wide_sky, cloud=cloud, preview=preview,
        notes=remarks(options, law, camera, raw.confidence is not None, raw.sky is not None))


def _finish_raw(
    raw: NetworkDepth, frame: Frame, options: FrameOptions, model: str,
    camera: Intrinsics | None, source: FocalSource,
) -> DepthResult:
    height, width = raw.depth.shape
    camera = processed_camera(camera, (width, height), raw.resized, raw.offset)
    law = raw_law(raw.kind, camera, source)
    wanted = options.outputs
    sky = None
    if Output.SKY in wanted and raw.sky is not None:
        sky = raw.sky >= SKY_THRESHOLD
    return DepthResult(
        frame=frame, depth=raw.depth, scale_law=law, model=model, intrinsics=camera,
        confidence=raw.confidence if Output.CONFIDENCE in wanted else None, sky=sky,
        notes=remarks(options, law, camera, raw.confidence is not None, raw.sky is not None),
        raw=True)


def remarks(
    options: FrameOptions, law: ScaleLaw, camera: Intrinsics | None, has_confidence: bool,
    has_sky: bool,
) -> tuple[str, ...]:
    """
    Return what a reader must know: what was assumed, and what was asked for but is not there.

    :param options: what was asked for.
    :param law: the scale law that was used.
    :param camera: the intrinsics that were used.
    :param has_confidence: whether the model predicts confidence.
    :param has_sky: whether the model predicts sky.
    """
    notes = []
    if law.focal_source is FocalSource.MODEL:
        notes.append('the intrinsics are predicted by the model, not calibrated')
    if Output.POINTS in options.outputs and law.kind is DepthKind.RELATIVE:
        notes.append('no cloud: the depth of this model has no unit')
    elif Output.POINTS in options.outputs and camera is None:
        notes.append('no cloud: the camera is unknown; give K, a focal length or a field of view')
    if Output.CONFIDENCE in options.outputs and not has_confidence:
        notes.append('no confidence: this model predicts none')
    if Output.SKY in options.outputs and not has_sky:
        notes.append('no sky mask: this model predicts none')
    return tuple(notes)
