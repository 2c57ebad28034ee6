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

from dataclasses import dataclass, replace
from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud import make_cloud, point_depth, trusted_depth
from depth_anything_ros.core.depth import (
    DepthKind,
    FocalSource,
    invalidate,
    looks_beyond,
    SKY_THRESHOLD,
)
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, SkyMode
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.core.remarks import cloud_missing, remarks, scan_missing
from depth_anything_ros.core.resize import resize_depth, resize_nearest
from depth_anything_ros.core.result import choose_intrinsics, choose_law, DepthResult, ScaleLaw
from depth_anything_ros.core.scan import make_scan
from depth_anything_ros.core.view import (
    estimated_camera,
    processed_camera,
    processed_mask,
    processed_pixels,
    uncropped_camera,
    View,
    view_of,
)
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

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) of the maps."""
        height, width = self.depth.shape
        return width, height

    def uncropped(self, values: npt.NDArray[Any], fill: float) -> npt.NDArray[Any]:
        """Return a map of these pixels with ``fill`` where the crop took pixels away."""
        if self.resized is None or self.resized == values.shape[::-1]:
            return values
        canvas = np.full(self.resized[::-1], fill, values.dtype)
        (x, y), (height, width) = self.offset, values.shape
        canvas[y:y + height, x:x + width] = values
        return canvas

    def where_seen(self, frame: Frame) -> NetworkDepth:
        """Return this without what the network made up where the frame shows nothing."""
        if frame.seen is None:
            return self
        seen = processed_mask(frame.seen, self.size, self.resized, self.offset)
        return replace(
            self, depth=np.where(seen, self.depth, np.float32(np.nan)),
            sky=None if self.sky is None else np.where(seen, self.sky, np.float32(0)))


def raw_law(kind: DepthKind, camera: Intrinsics | None, source: FocalSource) -> ScaleLaw:
    """Return the law of raw depth; ``camera`` is the one at the processed size."""
    needs_focal = kind is DepthKind.CANONICAL and camera is not None
    return ScaleLaw(kind, 1.0, camera.focal if camera and needs_focal else 0.0, source)


def finish(
    raw: NetworkDepth, frame: Frame, options: FrameOptions, model: str,
) -> DepthResult:
    """
    Return depth at the wanted size, in metres where the law allows, with what was asked for.

    :param raw: the network's answer at the processed size.
    :param frame: the image.
    :param options: limits, fallbacks and the wanted outputs.
    :param model: the model's name, carried into the result.
    :raises InvalidIntrinsics: when metres need a focal length that nobody gave.
    """
    raw = raw.where_seen(frame)
    known, source = choose_intrinsics(
        frame, options, uncropped_camera(raw.predicted, raw.resized, raw.offset))
    if options.raw:
        return _finish_raw(raw, frame, options, model, known, source)
    law = choose_law(
        raw.kind, known.resized(*(raw.resized or raw.size)) if known else None, source)
    view = view_of(options, frame.size, known, raw.size, raw.resized, raw.offset)
    wanted, metric = options.outputs, raw.kind is not DepthKind.RELATIVE
    minimum, maximum = (options.minimum, options.maximum) if metric else (0.0, float('inf'))

    def laid_out(values: npt.NDArray[Any], fill: float) -> npt.NDArray[Any]:
        return values if view.processed else raw.uncropped(values, fill)

    scaled = raw.depth * np.float32(law.factor)
    sky = None if raw.sky is None else raw.sky >= SKY_THRESHOLD
    valid = invalidate(scaled, sky=sky, minimum=minimum, maximum=maximum)
    depth = resize_depth(laid_out(valid, np.nan), *view.size)
    beyond = resize_nearest(
        laid_out(looks_beyond(scaled, maximum=maximum, sky=sky), False), *view.size)
    open_depth = np.where(beyond, np.float32(np.inf), depth)
    processed = processed_pixels(
        frame.rgb, raw.size, raw.resized, raw.offset) if view.processed else None
    rgb = frame.rgb if processed is None else processed
    confidence = cloud = preview = wide_sky = scan = None
    if Output.CONFIDENCE in wanted and raw.confidence is not None:
        confidence = resize_nearest(laid_out(raw.confidence, np.nan), *view.size)
    if Output.POINTS in wanted and not cloud_missing(options, frame, law, view.camera):
        trusted = trusted_depth(valid, raw.confidence, options.points)
        cloud = _cloud(
            resize_depth(laid_out(trusted, np.nan), *view.size), rgb, beyond, frame, view,
            options)
    if Output.SCAN in wanted and not scan_missing(options, frame, law, view.camera):
        assert view.camera is not None
        scan = make_scan(open_depth, view.camera, options.scan, options.mount, frame.frame_id)
    if options.sky_mode is SkyMode.INF:
        depth = open_depth
    if Output.PREVIEW in wanted:
        preview = colourise(depth)
    if Output.SKY in wanted and raw.sky is not None:
        wide_sky = resize_nearest(laid_out(raw.sky, 0.0), *view.size) >= SKY_THRESHOLD
    estimated = estimated_camera(raw.predicted, view, raw.resized, raw.offset)
    return DepthResult(
        frame=frame, depth=depth, scale_law=law, model=model, intrinsics=view.camera,
        confidence=confidence, sky=wide_sky, cloud=cloud, preview=preview, scan=scan,
        estimated=estimated if Output.INTRINSICS in wanted else None, processed=processed,
        notes=remarks(options, frame, law, view.camera, raw.confidence is not None,
                      raw.sky is not None))


def _cloud(
    depth: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8], beyond: npt.NDArray[np.bool_],
    frame: Frame, view: View, options: FrameOptions,
) -> npt.NDArray[np.float32]:
    assert view.camera is not None
    placement = frame.placement.matrix \
        if frame.placement and options.points.target_frame else None
    of_points = point_depth(
        depth, view.camera, options.points, to_level=options.mount.to_level, placement=placement,
        beyond=beyond if options.sky_mode is SkyMode.FAR else None,
        far_distance=options.far_distance)
    return make_cloud(of_points, view.camera, rgb, options.points, placement)


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
        notes=remarks(options, frame, law, camera, raw.confidence is not None,
                      raw.sky is not None),
        raw=True)
