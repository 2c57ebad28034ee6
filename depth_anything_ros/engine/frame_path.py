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

"""From a network's maps to a result on the device: the torch form of ``core.finish``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource, SKY_THRESHOLD
from depth_anything_ros.core.finish import processed_camera, raw_law, remarks
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.core.result import choose_intrinsics, choose_law, DepthResult
from depth_anything_ros.engine.grids import Rays, rays, sampler
from depth_anything_ros.engine.packing import Outputs, staged
import torch


@dataclass(frozen=True)
class DeviceDepth:
    """
    What a network says about one frame, on the device: ``core.finish.NetworkDepth`` in torch.

    Maps are (h, w) float32; ``predicted`` is the camera of these pixels.
    """

    depth: torch.Tensor
    kind: DepthKind
    confidence: torch.Tensor | None = None
    sky: torch.Tensor | None = None
    predicted: Intrinsics | None = None
    resized: tuple[int, int] | None = None
    offset: tuple[int, int] = (0, 0)

    def uncropped(self, values: torch.Tensor, fill: float) -> torch.Tensor:
        """Return a map of these pixels with ``fill`` where the crop took pixels away."""
        height, width = values.shape
        if self.resized is None or self.resized == (width, height):
            return values
        canvas = values.new_full(self.resized[::-1], fill)
        x, y = self.offset
        canvas[y:y + height, x:x + width] = values
        return canvas


class FramePath:
    """Finish frames on one device; what depends only on sizes and cameras is kept."""

    def __init__(self, device: torch.device) -> None:
        """Make empty caches for a device."""
        self._device = device
        self._rays = lru_cache(maxsize=16)(partial(rays, device=device))
        self._sampler = lru_cache(maxsize=16)(partial(sampler, device=device))

    def finish(
        self, raw: DeviceDepth, frame: Frame, options: FrameOptions, model: str,
    ) -> DepthResult:
        """
        Return what ``core.finish.finish`` returns, computed on the device.

        :param raw: the network's answer at the processed size.
        :param frame: the image.
        :param options: limits, fallbacks and the wanted outputs.
        :param model: the model's name, carried into the result.
        :raises InvalidIntrinsics: when metres need a focal length that nobody gave.
        """
        width, height = frame.size
        camera, source = choose_intrinsics(frame, options, self._predicted(raw))
        if options.raw:
            return self._finish_raw(raw, frame, options, model, camera, source)
        shape = raw.resized or (raw.depth.shape[1], raw.depth.shape[0])
        law = choose_law(raw.kind, camera.resized(*shape) if camera else None, source)
        metric = raw.kind is not DepthKind.RELATIVE
        wanted = options.outputs
        cloud = Output.POINTS in wanted and camera is not None and metric
        out = Outputs(
            width, height, self._device, cloud=cloud,
            confidence=Output.CONFIDENCE in wanted and raw.confidence is not None,
            sky=Output.SKY in wanted and raw.sky is not None)
        depth = invalidated(
            raw.depth * law.factor, raw.sky,
            options.minimum if metric else 0.0, options.maximum if metric else float('inf'))
        resize = self._sampler(shape, (width, height))
        resize.depth(raw.uncropped(depth, float('nan')), out.depth)
        if out.cloud is not None and camera is not None:
            rgb = staged(frame.rgb, self._device).to(self._device, non_blocking=True)
            fill_cloud(out.cloud, out.depth, self._rays(camera), rgb)
        if out.confidence is not None and raw.confidence is not None:
            resize.nearest(raw.uncropped(raw.confidence, float('nan')), out.confidence)
        if out.sky is not None and raw.sky is not None:
            is_sky = raw.uncropped(raw.sky, 0.0) >= SKY_THRESHOLD
            resize.nearest(is_sky, out.sky)
        host = out.fetch()
        return DepthResult(
            frame=frame, depth=host.depth, scale_law=law, model=model, intrinsics=camera,
            confidence=host.confidence, sky=host.sky, cloud=host.cloud,
            preview=colourise(host.depth) if Output.PREVIEW in wanted else None,
            notes=remarks(options, law, camera, raw.confidence is not None, raw.sky is not None))

    def _finish_raw(
        self, raw: DeviceDepth, frame: Frame, options: FrameOptions, model: str,
        camera: Intrinsics | None, source: FocalSource,
    ) -> DepthResult:
        height, width = raw.depth.shape
        camera = processed_camera(camera, (width, height), raw.resized, raw.offset)
        law = raw_law(raw.kind, camera, source)
        out = Outputs(
            width, height, self._device, cloud=False,
            confidence=Output.CONFIDENCE in options.outputs and raw.confidence is not None,
            sky=Output.SKY in options.outputs and raw.sky is not None)
        out.depth.copy_(raw.depth)
        if out.confidence is not None and raw.confidence is not None:
            out.confidence.copy_(raw.confidence)
        if out.sky is not None and raw.sky is not None:
            out.sky.copy_(raw.sky >= SKY_THRESHOLD)
        host = out.fetch()
        return DepthResult(
            frame=frame, depth=host.depth, scale_law=law, model=model, intrinsics=camera,
            confidence=host.confidence, sky=host.sky, raw=True,
            notes=remarks(options, law, camera, raw.confidence is not None, raw.sky is not None))

    def clear(self) -> None:
        """Free what is kept on the device."""
        self._rays.cache_clear()
        self._sampler.cache_clear()

    @staticmethod
    def _predicted(raw: DeviceDepth) -> Intrinsics | None:
        camera, (x, y) = raw.predicted, raw.offset
        if camera is None or raw.resized is None:
            return camera
        return Intrinsics(camera.fx, camera.fy, camera.cx + x, camera.cy + y, *raw.resized)


def invalidated(
    depth: torch.Tensor, sky: torch.Tensor | None, minimum: float, maximum: float,
) -> torch.Tensor:
    """Return depth with NaN where it is not a measurement; see ``core.depth.invalidate``."""
    valid = depth.isfinite() & (depth > 0) & (depth >= minimum) & (depth <= maximum)
    if sky is not None:
        valid &= ~(sky >= SKY_THRESHOLD)
    return torch.where(valid, depth, float('nan'))


def fill_cloud(
    cloud: torch.Tensor, depth: torch.Tensor, table: Rays, rgb: torch.Tensor,
) -> None:
    """
    Write an organised XYZRGB cloud; see ``core.pointcloud.organised_cloud``.

    :param cloud: (H, W, 4) float32 to fill.
    :param depth: (H, W) float32 metres, NaN where invalid.
    :param table: the camera's ray table.
    :param rgb: (H, W, 3) uint8 on the same device.
    """
    torch.mul(depth, table.x[None, :], out=cloud[..., 0])
    torch.mul(depth, table.y[:, None], out=cloud[..., 1])
    cloud[..., 2] = depth
    red, green, blue = rgb.to(torch.int32).unbind(-1)
    # As integers: the bits of a colour are a denormal float, which arithmetic may flush to 0.
    cloud.view(torch.int32)[..., 3] = (red << 16) | (green << 8) | blue
