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

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Callable

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource, SKY_THRESHOLD
from depth_anything_ros.core.finish import raw_law
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, SkyMode
from depth_anything_ros.core.placement import Mount
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.core.remarks import cloud_missing, remarks, scan_missing
from depth_anything_ros.core.result import choose_intrinsics, choose_law, DepthResult
from depth_anything_ros.core.scan import Scan
from depth_anything_ros.core.view import (
    estimated_camera,
    processed_camera,
    processed_mask,
    processed_pixels,
    uncropped_camera,
    View,
    view_of,
)
from depth_anything_ros.engine.cloud import (
    filtered,
    make_cloud,
    point_depth,
    strided,
    trusted_depth,
)
from depth_anything_ros.engine.device_images import DeviceImage
from depth_anything_ros.engine.grids import Rays, rays, Sampler, sampler
from depth_anything_ros.engine.host import CloudWriter, HostSampler
from depth_anything_ros.engine.host_memory import HostMemory
from depth_anything_ros.engine.measured import Measured
from depth_anything_ros.engine.native import Kernels
from depth_anything_ros.engine.native_finish import Colouring, NativeSampler, NativeWriter
from depth_anything_ros.engine.native_points import native_cloud, NativeGrid
from depth_anything_ros.engine.one_pass import OnePass
from depth_anything_ros.engine.packing import Outputs
from depth_anything_ros.engine.scan import device_grid, DeviceGrid, scan_ranges
from depth_anything_ros.engine.streams import Mark
import numpy as np
import numpy.typing as npt
import torch


@dataclass(frozen=True)
class DeviceDepth:
    """
    What a network says about one frame, on the device: ``core.finish.NetworkDepth`` in torch.

    Maps are (h, w) float32; ``predicted`` is the camera of these pixels; ``pixels`` (h, w, 3)
    uint8 what the network saw, on the host, None where it is to be made again; ``image`` the frame
    on the device, None where it was prepared on the host.
    """

    depth: torch.Tensor
    kind: DepthKind
    confidence: torch.Tensor | None = None
    sky: torch.Tensor | None = None
    predicted: Intrinsics | None = None
    resized: tuple[int, int] | None = None
    offset: tuple[int, int] = (0, 0)
    pixels: npt.NDArray[np.uint8] | None = None
    image: DeviceImage | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) of the maps."""
        height, width = self.depth.shape
        return width, height

    def uncropped(self, values: torch.Tensor, fill: float) -> torch.Tensor:
        """Return a map of these pixels with ``fill`` where the crop took pixels away."""
        height, width = values.shape
        if self.resized is None or self.resized == (width, height):
            return values
        canvas = values.new_full(self.resized[::-1], fill)
        x, y = self.offset
        canvas[y:y + height, x:x + width] = values
        return canvas


class _Seen:
    """A frame's mask of what it shows; the same array is the same mask, a camera has one."""

    def __init__(self, mask: npt.NDArray[np.bool_]) -> None:
        self.mask = mask

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Seen) and other.mask is self.mask

    def __hash__(self) -> int:
        return id(self.mask)


def unseen(
    seen: _Seen, size: tuple[int, int], resized: tuple[int, int] | None, offset: tuple[int, int],
    *, device: torch.device,
) -> torch.Tensor:
    """Return where a network made its depth up, (h, w) bool; see ``core.view.processed_mask``."""
    return torch.from_numpy(~processed_mask(seen.mask, size, resized, offset)).to(device)


class FramePath:
    """Finish frames on one device; what depends only on sizes and cameras is kept."""

    def __init__(
        self, device: torch.device, *, on_host: bool | None = None, kernels: Kernels | None = None,
    ) -> None:
        """
        Make empty caches for a device.

        :param device: where the maps are.
        :param on_host: whether numpy and OpenCV do what they do faster; default: on a CPU.
        :param kernels: the compiled passes that take their place on the host; None: none do.
        """
        self._device = device
        self._on_host = device.type == 'cpu' if on_host is None else on_host
        self._memory = HostMemory(device)
        self._fetched = None if self._on_host else self._memory
        self._rays = lru_cache(maxsize=16)(partial(rays, device=device))
        make_sampler: Callable[[tuple[int, int], tuple[int, int]], Sampler | HostSampler] = (
            HostSampler if self._on_host else partial(sampler, device=device))
        make_writer: Callable[..., CloudWriter | NativeWriter] = CloudWriter
        make_grid: Callable[[Intrinsics, Mount], DeviceGrid | NativeGrid] = partial(
            device_grid, device=device)
        self._kernels = kernels if self._on_host else None
        if self._kernels is not None:
            make_grid = partial(NativeGrid, kernels=self._kernels)
            make_sampler = partial(NativeSampler, kernels=self._kernels)
            make_writer = partial(NativeWriter, kernels=self._kernels)
        self._sampler = lru_cache(maxsize=16)(make_sampler)
        self._writer = lru_cache(maxsize=16)(lambda camera: make_writer(*camera.rays()))
        self._grid = lru_cache(maxsize=16)(make_grid)
        self.one_pass = OnePass(self._sampler, self._writer) if self._kernels else None
        """What is quicker for frames of which little is wanted; None without compiled passes."""
        self._unseen = lru_cache(maxsize=16)(partial(unseen, device=device))

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
        raw = self._where_seen(raw, frame)
        known, source = choose_intrinsics(
            frame, options, uncropped_camera(raw.predicted, raw.resized, raw.offset))
        if options.raw:
            return self._finish_raw(raw, frame, options, model, known, source)
        shape = raw.resized or raw.size
        law = choose_law(raw.kind, known.resized(*shape) if known else None, source)
        view = view_of(options, frame.size, known, raw.size, raw.resized, raw.offset)
        wanted, metric = options.outputs, raw.kind is not DepthKind.RELATIVE
        points = Output.POINTS in wanted and not cloud_missing(options, frame, law, view.camera)
        out = Outputs(
            *view.size, self._device, cloud=points and options.points.whole,
            confidence=Output.CONFIDENCE in wanted and raw.confidence is not None,
            sky=Output.SKY in wanted and raw.sky is not None, memory=options.memory,
            host=self._fetched)
        limits = (options.minimum, options.maximum) if metric else (0.0, float('inf'))
        measured = Measured(raw.depth, raw.sky, law.factor, *limits)
        lay = Layout(raw, view, self._sampler(raw.size if view.processed else shape, view.size))
        pixels = self._processed_rgb(raw, frame) if view.processed else None
        rgb: torch.Tensor | npt.NDArray[np.uint8] = frame.rgb if pixels is None else pixels
        if raw.image is not None:
            rgb = raw.image.pixels if view.processed else raw.image.rgb
        if isinstance(lay.resize, NativeSampler):
            assert out.ready is not None
            colouring = None
            if out.ready.cloud is not None and not isinstance(rgb, torch.Tensor) \
                    and options.sky_mode is not SkyMode.FAR \
                    and not (options.points.limited or filtered(raw.confidence, options.points)):
                writer = self._writer(view.camera)
                assert isinstance(writer, NativeWriter)
                colouring = Colouring(out.ready.cloud, writer, rgb)
                points = False
            lay.finish(measured, out.ready.depth, colouring)
        else:
            lay.depth(measured.valid, out.depth)
        if out.confidence is not None and raw.confidence is not None:
            lay.nearest(raw.confidence, float('nan'), out.confidence)
        if out.sky is not None and raw.sky is not None:
            lay.nearest(raw.sky >= SKY_THRESHOLD, False, out.sky)
        beyond = scan = cloud = None
        if Output.SCAN in wanted or options.sky_mode is not SkyMode.NAN:
            beyond = torch.empty_like(out.depth, dtype=torch.bool)
            lay.nearest(measured.beyond, False, beyond)
        if points:
            cloud = self._cloud(lay, out, measured, rgb, beyond, frame, options)
        if beyond is not None and view.camera is not None and Output.SCAN in wanted \
                and not scan_missing(options, frame, law, view.camera):
            grid = self._grid(view.camera, options.mount)
            if isinstance(grid, NativeGrid):
                ranges = grid.ranges(out.depth.numpy(), beyond.numpy(), options.scan)
            else:
                ranges = self.download(scan_ranges(
                    out.depth.masked_fill(beyond, float('inf')), grid, options.scan))
            scan = Scan.of(ranges, grid.grid, options.scan, frame.frame_id)
        if beyond is not None and options.sky_mode is SkyMode.INF:
            out.depth.masked_fill_(beyond, float('inf'))
        host = out.fetch()
        estimated = estimated_camera(raw.predicted, view, raw.resized, raw.offset)
        return DepthResult(
            frame=frame, depth=host.depth, scale_law=law, model=model, intrinsics=view.camera,
            confidence=host.confidence, sky=host.sky,
            cloud=host.cloud if cloud is None else cloud,
            preview=None if Output.PREVIEW not in wanted else colourise(
                host.depth, out=options.place(
                    Output.PREVIEW, (*host.depth.shape, 3), np.uint8)), scan=scan,
            estimated=estimated if Output.INTRINSICS in wanted else None, processed=pixels,
            notes=remarks(options, frame, law, view.camera, raw.confidence is not None,
                          raw.sky is not None))

    def _where_seen(self, raw: DeviceDepth, frame: Frame) -> DeviceDepth:
        """Return the maps without what the network made up where the frame shows nothing."""
        if frame.seen is None:
            return raw
        made_up = self._unseen(_Seen(frame.seen), raw.size, raw.resized, raw.offset)
        return replace(
            raw, depth=raw.depth.masked_fill(made_up, float('nan')),
            sky=None if raw.sky is None else raw.sky.masked_fill(made_up, 0.0))

    def _cloud(
        self, lay: Layout, out: Outputs, measured: Measured,
        rgb: torch.Tensor | npt.NDArray[np.uint8], beyond: torch.Tensor | None, frame: Frame,
        options: FrameOptions,
    ) -> npt.NDArray[np.float32] | None:
        """Write the cloud into ``out``, or return one that has no place there."""
        wanted, camera = options.points, lay.view.camera
        assert camera is not None
        depth = out.depth
        if filtered(lay.raw.confidence, wanted):
            depth = torch.empty_like(depth)
            lay.depth(trusted_depth(measured.valid, lay.raw.confidence, wanted), depth)
        if options.sky_mode is not SkyMode.FAR:
            beyond = None
        table, step = self._rays(camera), wanted.stride
        if step > 1:
            table, depth, rgb = strided(table, step), depth[::step, ::step], rgb[::step, ::step]
            beyond = None if beyond is None else beyond[::step, ::step]
        placement = frame.placement.matrix if frame.placement and wanted.target_frame else None
        depth = point_depth(
            depth, table, wanted, to_level=options.mount.to_level, placement=placement,
            beyond=beyond, far_distance=options.far_distance)
        if out.cloud is not None and self._on_host and not isinstance(rgb, torch.Tensor):
            self._writer(camera).fill(out.cloud.numpy(), depth.numpy(), rgb)
            return None
        if self._kernels is not None and not (wanted.voxel_size or isinstance(rgb, torch.Tensor)):
            return native_cloud(
                self._kernels, depth.numpy(), (table.x.numpy(), table.y.numpy()),
                rgb if wanted.color else None, listed=wanted.listed, placement=placement,
                place=partial(options.place, Output.POINTS))
        colours = None
        if wanted.color:
            colours = rgb if isinstance(rgb, torch.Tensor) else self._uploaded(rgb)
        if out.cloud is None or colours is None:
            return self.download(make_cloud(depth, table, colours, wanted, placement))
        fill_cloud(out.cloud, depth, table, colours)
        return None

    def _finish_raw(
        self, raw: DeviceDepth, frame: Frame, options: FrameOptions, model: str,
        camera: Intrinsics | None, source: FocalSource,
    ) -> DepthResult:
        camera = processed_camera(camera, raw.size, raw.resized, raw.offset)
        law = raw_law(raw.kind, camera, source)
        out = Outputs(
            *raw.size, self._device, cloud=False,
            confidence=Output.CONFIDENCE in options.outputs and raw.confidence is not None,
            sky=Output.SKY in options.outputs and raw.sky is not None, memory=options.memory,
            host=self._fetched)
        out.depth.copy_(raw.depth)
        if out.confidence is not None and raw.confidence is not None:
            out.confidence.copy_(raw.confidence)
        if out.sky is not None and raw.sky is not None:
            out.sky.copy_(raw.sky >= SKY_THRESHOLD)
        host = out.fetch()
        return DepthResult(
            frame=frame, depth=host.depth, scale_law=law, model=model, intrinsics=camera,
            confidence=host.confidence, sky=host.sky, raw=True,
            notes=remarks(options, frame, law, camera, raw.confidence is not None,
                          raw.sky is not None))

    def download(self, values: torch.Tensor) -> npt.NDArray[Any]:
        """Return a tensor on the host; see :meth:`HostMemory.start_download`."""
        if self._on_host:
            return np.asarray(values.contiguous().numpy())
        return self._memory.start_download(values)

    def _uploaded(self, rgb: npt.NDArray[np.uint8]) -> torch.Tensor:
        values = self._memory.filled(rgb).to(self._device, non_blocking=True)
        self._memory.read_until(Mark(self._device))
        return values

    def _processed_rgb(self, raw: DeviceDepth, frame: Frame) -> npt.NDArray[np.uint8]:
        """Return the (h, w, 3) uint8 pixels that the network saw, see :meth:`download`."""
        if raw.image is not None:
            return self.download(raw.image.pixels)
        if raw.pixels is not None:
            return raw.pixels
        return processed_pixels(frame.rgb, raw.size, raw.resized, raw.offset)

    def clear(self) -> None:
        """Free what is kept on the device, and the host's end of the copies."""
        self._rays.cache_clear()
        self._sampler.cache_clear()
        self._writer.cache_clear()
        self._grid.cache_clear()
        self._unseen.cache_clear()
        if self.one_pass is not None:
            self.one_pass.clear()
        self._memory.clear()


@dataclass(frozen=True)
class Layout:
    """How maps of the processed pixels come to the pixels of a view."""

    raw: DeviceDepth
    view: View
    resize: Sampler | HostSampler

    def depth(self, depth: torch.Tensor, out: torch.Tensor) -> None:
        """Write a depth map at the size of the view."""
        self.resize.depth(self._whole(depth, float('nan')), out)

    def finish(
        self, measured: Measured, out: npt.NDArray[np.float32], colouring: Colouring | None,
    ) -> None:
        """Write depth and, where there is a ``colouring``, its cloud in one compiled pass."""
        assert isinstance(self.resize, NativeSampler)
        sky = None if measured.sky is None else self._whole(measured.sky, 0.0)
        self.resize.finish(
            self._whole(measured.depth, float('nan')), sky, (measured.factor, *measured.bounds),
            out, colouring)

    def nearest(self, values: torch.Tensor, fill: float, out: torch.Tensor) -> None:
        """Write any map at the size of the view, ``fill`` where a crop took pixels away."""
        self.resize.nearest(self._whole(values, fill), out)

    def _whole(self, values: torch.Tensor, fill: float) -> torch.Tensor:
        return values if self.view.processed else self.raw.uncropped(values, fill)


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
