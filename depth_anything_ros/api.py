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

"""The public Python API: one class, the same engine that the node and the bridges use."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Callable, Iterable, Sequence

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud_options import CloudOptions
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize, PER_PIXEL, SkyMode
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine, EngineInfo, MultiViewEngine, PreparedViews
from depth_anything_ros.engine.entry import import_engine
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.reconstruction.export import scene_bytes
from depth_anything_ros.reconstruction.glb import glb_bytes
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.reconstruction.steps import Progress, reconstruct
from depth_anything_ros.settings.reconstruction import ReconstructionSettings
import numpy as np
import numpy.typing as npt

__all__ = [
    'CloudOptions', 'DepthEstimator', 'DepthResult', 'FrameOptions', 'glb_bytes', 'Intrinsics',
    'Output', 'OutputSize', 'Scene', 'scene_bytes', 'SceneOptions', 'SkyMode']

EVERY_POINT = CloudOptions()


class DepthEstimator:
    """
    Depth from single images, and scenes from several.

    >>> estimator = DepthEstimator('da3-tiny', device='cpu')
    >>> result = estimator(rgb, K=K)
    >>> result.depth    # (H, W) float32 metres at the image's size, NaN where invalid
    """

    def __init__(
        self, model: str = 'da3metric-large', *, device: str = 'auto', precision: str = 'auto',
        architecture: str = '', download: bool = False, engine: Engine | None = None,
    ) -> None:
        """
        Load a model.

        :param model: model name, local directory or .safetensors file.
        :param device: ``auto``, ``cuda``, ``cuda:N`` or ``cpu``.
        :param precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        :param architecture: model name for a .safetensors file without a config.json.
        :param download: fetch weights that are not on this machine from the model hub.
        :param engine: an engine to use instead of loading one; closed with the estimator.
        :raises UnknownModel: when no model has that name.
        :raises ModelLoadFailed: when the weights are missing or do not fit.
        :raises ConfigError: when the device or precision is not to be had.
        """
        if engine is None:
            engine = import_engine().load(
                model, device=device, precision=precision, architecture=architecture,
                download=download)
        self._engine = engine
        self._lock = threading.Lock()

    @property
    def info(self) -> EngineInfo:
        """Return model, device, precision, licence of the weights and warnings."""
        return self._engine.info

    def __call__(
        self, rgb: npt.NDArray[np.uint8], K: npt.ArrayLike | None = None, *,
        fov_deg: float = 0.0, focal_length: float = 0.0, process_res: int = 0,
        process_res_method: str = 'upper_bound_resize', minimum: float = 0.0,
        maximum: float = float('inf'), outputs: Iterable[Output | str] = PER_PIXEL,
        points: CloudOptions = EVERY_POINT, sky_mode: SkyMode | str = SkyMode.NAN,
        output_size: OutputSize | str = OutputSize.INPUT,
    ) -> DepthResult:
        """
        Return the depth of an image.

        :param rgb: (H, W, 3) uint8, RGB order.
        :param K: 3x3 intrinsics of exactly this image in pixels, None when unknown.
        :param fov_deg: horizontal field of view in degrees for an image without K.
        :param focal_length: focal length in pixels for an image without K.
        :param process_res: side of the processed image in pixels, 0 for the model's own.
        :param process_res_method: one of upstream's four method names.
        :param minimum: nearer depths (metres) become NaN.
        :param maximum: farther depths (metres) become NaN.
        :param outputs: what to compute beside depth.
        :param points: which points are in the cloud, in which form.
        :param sky_mode: ``nan``, ``inf`` or ``far``: what becomes of sky and of farther depths.
        :param output_size: ``input``, the image's, or ``model``, that of the processed image.
        :returns: depth (metres, or relative for a relative model) at that size.
        :raises InvalidRequest: when the image, K or an option cannot be served.
        """
        frame = Frame(rgb)
        if K is not None:
            frame = Frame(rgb, intrinsics=Intrinsics.from_matrix(K, *frame.size))
        options = FrameOptions(
            process_res=process_res, process_res_method=process_res_method, minimum=minimum,
            maximum=maximum, focal_length=focal_length, fov_deg=fov_deg,
            outputs=frozenset(Output(item) for item in outputs), points=points,
            sky_mode=SkyMode(sky_mode), output_size=OutputSize(output_size))
        with self._lock:
            prepared = self._engine.prepare(frame, options)
            inferred, = self._engine.infer([prepared])
            return self._engine.finish(inferred)

    def reconstruct(
        self, images: Sequence[npt.NDArray[np.uint8]], K: npt.ArrayLike | None = None, *,
        options: SceneOptions | None = None, progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        max_megapixels: float = ReconstructionSettings.max_megapixels,
    ) -> Scene:
        """
        Return the scene that several images show: a coloured cloud and the cameras' poses.

        >>> scene = DepthEstimator('da3-small').reconstruct([first, second, third])
        >>> Path('scene.glb').write_bytes(glb_bytes(scene))

        Any-view models know no scale, the nested one gives metres; mono and metric models take
        one image.

        :param images: (H, W, 3) uint8 each, RGB order; sizes may differ.
        :param K: 3x3 intrinsics in pixels of a single image; several images have their cameras
            predicted.
        :param options: what is kept of the cloud; default: the defaults of SceneOptions.
        :param progress: told each step that begins and how much is done, 0 to 1.
        :param cancelled: asked before each step whether to stop.
        :param max_megapixels: processed pixels that all images together may have.
        :raises InvalidRequest: when these images cannot be reconstructed by this model.
        :raises PayloadTooLarge: when they are too many.
        :raises Cancelled: when ``cancelled`` said so.
        """
        engine = self._engine
        if not isinstance(engine, MultiViewEngine):
            raise InvalidRequest(f'the engine of {self.info.model} makes no reconstructions')
        frames = [Frame(rgb) for rgb in images]
        if K is not None:
            frames = [Frame(each.rgb, intrinsics=Intrinsics.from_matrix(K, *each.size))
                      for each in frames]

        def infer(prepared: PreparedViews) -> Views:
            with self._lock:
                return engine.infer_views(prepared)

        return reconstruct(
            lambda fitting: engine.prepare_views(frames, fitting, int(max_megapixels * 1e6)),
            infer, frames, options or SceneOptions(),
            predicts_intrinsics=self.info.predicts_intrinsics, progress=progress,
            cancelled=cancelled)

    def close(self) -> None:
        """Free the device's memory."""
        with self._lock:
            self._engine.close()

    def __enter__(self) -> DepthEstimator:
        """Return the estimator itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free the device's memory."""
        self.close()
