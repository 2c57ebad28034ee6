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

"""The engine that runs a Depth Anything 3 network."""

from __future__ import annotations

from dataclasses import dataclass, replace
import time
from typing import Any, Sequence

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions, Output, Preprocess
from depth_anything_ros.core.processed_size import Plan, plan
from depth_anything_ros.core.result import choose_intrinsics, choose_law, DepthResult
from depth_anything_ros.engine.arithmetic import arithmetic_of, untouched
from depth_anything_ros.engine.base import EngineInfo, Inferred, Prepared, PreparedViews
from depth_anything_ros.engine.checked import Checked, checked_network
from depth_anything_ros.engine.compiled import inductor
from depth_anything_ros.engine.cuda_graphs import CudaCapturer
from depth_anything_ros.engine.device import precision_name
from depth_anything_ros.engine.device_images import DeviceImage, DeviceImages
from depth_anything_ros.engine.failures import translated
from depth_anything_ros.engine.fast_calls import Capturer, Compiler, FastCalls
from depth_anything_ros.engine.frame_path import DeviceDepth, FramePath
from depth_anything_ros.engine.loading import load_network
from depth_anything_ros.engine.models import Model
from depth_anything_ros.engine.native import load as load_kernels
from depth_anything_ros.engine.native_areas import NativeAreas
from depth_anything_ros.engine.native_prepare import NativePreparer
from depth_anything_ros.engine.passes import FrameNetwork, RawMaps
from depth_anything_ros.engine.predicted import NARROWEST, plausible_camera, WIDEST
from depth_anything_ros.engine.preprocess import normalised, normalised_on_host, process
from depth_anything_ros.engine.scene_steps import infer_scene, prepare_scene
from depth_anything_ros.engine.streams import Mark, SideStream, wait_for
from depth_anything_ros.errors import NotReady
import numpy as np
import numpy.typing as npt
import torch


@dataclass(frozen=True)
class Image:
    """
    A prepared image: how it was made, and in how many seconds.

    Prepared on the host: ``pixels`` (h, w, 3) uint8 and ``values``, the same as normalised
    float32. Prepared on the device: ``image``.
    """

    plan: Plan
    seconds: float
    pixels: npt.NDArray[np.uint8] | None = None
    values: torch.Tensor | None = None
    image: DeviceImage | None = None


@dataclass(frozen=True)
class Answer:
    """One frame's maps on the device, between two marks of the device's work."""

    maps: RawMaps
    start: Mark
    end: Mark
    seconds: float


class DA3Engine:
    """Depth from images with a Depth Anything 3 network; see :class:`engine.base.Engine`."""

    def __init__(
        self, network: Any, model: Model, *, device: torch.device | None = None,
        precision: torch.dtype = torch.float32, warnings: tuple[str, ...] = (),
        on_host: bool | None = None, compiler: Compiler | None = None,
        capturer: Capturer | None = None,
    ) -> None:
        """
        Make an engine of a network that is in memory; it is changed in place.

        :param network: upstream's DepthAnything3Net or NestedDepthAnything3Net.
        :param model: what the network is.
        :param device: where it is to run, default: the CPU.
        :param precision: arithmetic of the backbone; the heads run in float32.
        :param warnings: what a user must know.
        :param on_host: whether numpy and OpenCV do what they do faster than PyTorch, the lens and
            the resize among it; default: on a CPU.
        :param compiler: makes the network faster, see :class:`FastCalls`; None: nothing does.
        :param capturer: records its calls; default: on CUDA as graphs, else nothing does.
        """
        self._device = device or torch.device('cpu')
        self._model = model
        if on_host is None:
            on_host = self._device.type == 'cpu'
        with translated(f'moving {model.name} to {self._device}'):
            checked = self._checked(network, precision, cuda_like=not on_host)
            if capturer is None and self._device.type == 'cuda':
                capturer = CudaCapturer(self._device)
        self._network: FrameNetwork | None = checked.network
        self._calls = FastCalls(checked.network, compiler=compiler, capturer=capturer)
        self._arithmetic = untouched if on_host else arithmetic_of(checked.precision).inside
        kernels, missing = load_kernels() if on_host else (None, '')
        self._path = FramePath(self._device, on_host=on_host, kernels=kernels)
        self._prepare: dict[Preprocess, NativeAreas | NativePreparer] | None
        self._prepare = None if kernels is None else {
            Preprocess.EXACT: NativeAreas(kernels), Preprocess.FAST: NativePreparer(kernels)}
        self._images = None if on_host else DeviceImages(self._device)
        self._side = SideStream(self._device)
        self._accepted: tuple[FrameOptions, Intrinsics | None] | None = None
        self._info = EngineInfo(
            model=model.name, kind=model.kind, device=str(self._device),
            precision=precision_name(checked.precision), licence=model.licence,
            process_res=model.process_res, has_confidence=model.has_confidence,
            has_sky=model.has_sky, predicts_intrinsics=model.predicts_intrinsics,
            multi_view=model.multi_view, rectifies=not on_host,
            acceleration=checked.about,
            warnings=(*warnings, *checked.warnings, *filter(None, (missing,))))

    @classmethod
    def load(
        cls, name: str, *, device: str = 'auto', precision: str = 'auto', download: bool = False,
        architecture: str = '', random_weights: int | None = None, compiled: bool = False,
    ) -> DA3Engine:
        """
        Return an engine for a model.

        :param name: model name, hub repository, directory or .safetensors file.
        :param device: ``auto``, ``cuda``, ``cuda:N`` or ``cpu``.
        :param precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        :param download: fetch weights that are not on this machine.
        :param architecture: model name whose network a .safetensors file fits.
        :param random_weights: seed; builds the network without any weights, for benchmarks.
        :param compiled: compile the network for every size of image, see :func:`inductor`.
        :raises UnknownModel: when the name is neither a model nor a path.
        :raises ModelLoadFailed: when the weights are not there or do not fit.
        :raises MissingDependency: when a package is not installed.
        :raises ConfigError: when device or precision cannot be had.
        """
        loaded = load_network(
            name, device, precision, download=download, architecture=architecture,
            random_weights=random_weights)
        return cls(loaded.network, loaded.model, device=loaded.device,
                   precision=loaded.precision, warnings=loaded.warnings,
                   compiler=inductor() if compiled else None)

    @property
    def info(self) -> EngineInfo:
        """Return what this engine is, and what its network turned out to be able to do."""
        calls = self._calls
        return replace(
            self._info, warnings=(*self._info.warnings, *calls.warnings),
            acceleration='; '.join(filter(None, (self._info.acceleration, calls.about))))

    def prepare(self, frame: Frame, options: FrameOptions) -> Prepared:
        """
        Check, rectify and resize a frame; ``options.preprocess`` is for the host alone.

        :raises InvalidImage: when its shape leaves less than one patch.
        :raises InvalidIntrinsics: when metres need a focal length that nobody gave.
        """
        start = time.perf_counter()
        if not (self._model.predicts_intrinsics or options.raw) \
                and self._accepted != (options, frame.intrinsics):
            # Refused before the network runs for nothing.
            choose_law(self._model.kind, *choose_intrinsics(frame, options))
            self._accepted = options, frame.intrinsics
        width, height = frame.size
        steps = plan(width, height, options.process_res or self._model.process_res,
                     options.process_res_method)
        if self._images is None:
            frame = frame.rectified()
            if self._prepare is not None:
                pixels, values = self._prepare[options.preprocess](frame.rgb, steps)
            else:
                pixels = process(frame.rgb, steps, fast=options.preprocess is Preprocess.FAST)
                values = normalised_on_host(pixels)
            image = Image(steps, time.perf_counter() - start, pixels, values)
        else:
            with translated(f'uploading an image of {width}x{height}'), self._arithmetic():
                uploaded = self._images.put(frame, steps)
            image = Image(steps, time.perf_counter() - start, image=uploaded)
        return Prepared(frame, options, (steps.size[1], steps.size[0]), image)

    @torch.inference_mode()
    def infer(self, batch: Sequence[Prepared]) -> list[Inferred]:
        """
        Run the network on frames of one shape, in order.

        :raises OutOfMemory: when the device has too little memory.
        :raises InferenceFailed: when the network fails.
        """
        self._ready()
        height, width = batch[0].shape
        start = time.perf_counter()
        with translated(f'the network on {len(batch)} image(s) of {width}x{height}'), \
                self._arithmetic():
            begin = Mark(self._device)
            maps = self._calls(stacked([item.payload for item in batch]))
            end = Mark(self._device)
        seconds = time.perf_counter() - start
        return [
            Inferred(item, Answer(_one(maps, index), begin, end, seconds))
            for index, item in enumerate(batch)]

    def finish(self, inferred: Inferred) -> DepthResult:
        """
        Turn the network's answer into depth at the frame's size, and what else was asked for.

        :raises OutOfMemory: when the device has too little memory.
        :raises InferenceFailed: when the device fails.
        """
        start = time.perf_counter()
        item, answer, result = inferred.prepared, inferred.payload, None
        one_pass = self._path.one_pass
        width, height = item.frame.size
        with translated(f'finishing an image of {width}x{height}'):
            if one_pass is not None:
                result = one_pass.finish(
                    answer.maps, self._model.kind, item.payload.plan, item.frame, item.options,
                    self._model.name)
            if result is None:
                result = self._finish(item, answer)
        on_device = answer.end.seconds_since(answer.start)
        return result.timed({
            'prepare': item.payload.seconds,
            'infer': answer.seconds if on_device is None else on_device,
            'finish': time.perf_counter() - start})

    @torch.inference_mode()
    def _finish(self, item: Prepared, answer: Answer) -> DepthResult:
        frame, image = item.frame, item.payload.image
        read = answer.maps if image is None else (*answer.maps, image.rgb, image.pixels)
        with self._side.after(answer.end, read):
            raw, notes = self._device_depth(answer.maps, item)
            if frame.lens is not None and image is not None:
                frame = replace(frame, rgb=self._path.download(image.rgb), lens=None)
            result = self._path.finish(raw, frame, item.options, self._model.name)
        return replace(result, notes=notes + result.notes) if notes else result

    def prepare_views(
        self, frames: Sequence[Frame], options: FrameOptions, most_pixels: int,
    ) -> PreparedViews:
        """
        Check and resize the images of a scene.

        :raises InvalidRequest: when the model cannot look at them together.
        :raises PayloadTooLarge: when they have more than ``most_pixels`` at the processed size.
        """
        return prepare_scene(self._info, frames, options, most_pixels)

    @torch.inference_mode()
    def infer_views(self, prepared: PreparedViews) -> Views:
        """
        Return depth and cameras of all images in one world.

        :raises OutOfMemory: when the device has too little memory.
        :raises InferenceFailed: when the network fails.
        """
        (height, width), count = prepared.shape, len(prepared.frames)
        with translated(f'a scene of {count} image(s) of {width}x{height}'), self._arithmetic():
            return infer_scene(self._ready(), self._info, prepared)

    def warm_up(self, width: int, height: int) -> None:
        """Run on a black image of this size, with every output, until it is as fast as can be."""
        frame = Frame(np.zeros((height, width, 3), np.uint8), frame_id='warm_up_optical_frame')
        options = FrameOptions(fov_deg=60.0, outputs=frozenset(Output))
        for _ in range(self._calls.runs_until_fast):
            for inferred in self.infer([self.prepare(frame, options)]):
                self.finish(inferred)

    def close(self) -> None:
        """Free the device's memory; nothing may be called afterwards."""
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)  # a recorded call may still run
        self._calls.close()
        if isinstance(self._network, FrameNetwork):
            self._network.tables.cache_clear()
        self._network = None
        self._path.clear()
        if self._images is not None:
            self._images.clear()
        if self._device.type == 'cuda':
            torch.cuda.empty_cache()

    def _checked(self, network: Any, precision: torch.dtype, *, cuda_like: bool) -> Checked:
        """Return what maps normalised images to :class:`RawMaps`."""
        return checked_network(network, precision, self._device, cuda_like=cuda_like)

    def _ready(self) -> FrameNetwork:
        if self._network is None:
            raise NotReady(f'the engine of {self._model.name} is closed')
        return self._network

    def _device_depth(
        self, maps: RawMaps, item: Prepared,
    ) -> tuple[DeviceDepth, tuple[str, ...]]:
        """Return the maps of one frame with the predicted camera, and what to say about it."""
        height, width = item.shape
        steps: Plan = item.payload.plan
        depth, notes, predicted = maps.depth, [], None
        needed = choose_intrinsics(item.frame, item.options)[0] is None or maps.scale is not None \
            or Output.INTRINSICS in item.options.outputs
        if maps.camera is not None and needed:
            predicted = plausible_camera(maps.camera, width, height)
            if predicted is None:
                notes.append(
                    'the camera predicted by the model is impossible (field of view outside '
                    f'{NARROWEST:g} to {WIDEST:g} degrees) and not used')
        if maps.scale is not None and (predicted is None or not maps.scale.isfinite().item()):
            notes.append('no depth: the model found no metric scale in this image')
            depth = torch.full_like(depth, float('nan'))
        raw = DeviceDepth(
            depth, self._model.kind, maps.confidence, maps.sky, predicted, steps.resized,
            steps.offset, item.payload.pixels, item.payload.image)
        return raw, tuple(notes)


def stacked(images: Sequence[Image]) -> torch.Tensor:
    """Return (B, 3, h, w) float32 on the device, normalised, channels last in memory."""
    on_device = [image.image for image in images if image.image is not None]
    if not on_device:
        values = [image.values for image in images if image.values is not None]
        return torch.stack(values).permute(0, 3, 1, 2)
    for each in on_device:
        wait_for(each.ready, [each.pixels])
    return normalised(torch.stack([each.pixels for each in on_device]))


def _one(maps: RawMaps, index: int) -> RawMaps:
    parts: Any = (None if each is None else each[index] for each in maps)
    return RawMaps(*parts)
