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

"""The engine that runs an exported network with ONNX Runtime, on its CPU, CUDA or TensorRT."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.base import Prepared
from depth_anything_ros.engine.checked import Checked
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.onnx_files import import_runtime, INPUT, maps_of, read_about
from depth_anything_ros.engine.passes import RawMaps
from depth_anything_ros.errors import ConfigError, InvalidRequest, ModelLoadFailed
import torch

logger = logging.getLogger(__name__)

PROVIDERS = {
    ('onnxruntime', 'cpu'): 'CPUExecutionProvider',
    ('onnxruntime', 'cuda'): 'CUDAExecutionProvider',
    ('tensorrt', 'cuda'): 'TensorrtExecutionProvider',
}


class OnnxNetwork:
    """An exported network as :class:`engine.passes.FrameNetwork` is called."""

    def __init__(self, path: str, engine: str, device: str) -> None:
        """
        Load a file.

        :param path: a file made by ``depth-anything export``.
        :param engine: ``onnxruntime`` or ``tensorrt``.
        :param device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        :raises ModelLoadFailed: when the file is not there or not one of ours.
        :raises ConfigError: when ONNX Runtime has no such provider here.
        :raises MissingDependency: when ONNX Runtime is not installed.
        """
        if not path.endswith('.onnx'):
            raise ConfigError(
                f'model.engine {engine} runs a file made by depth-anything export; model.name is '
                f'{path!r}; accepted: the path of an .onnx file')
        if not Path(path).expanduser().is_file():
            raise ModelLoadFailed(f'there is no file {path}')
        runtime = import_runtime()
        provider, options = choose_provider(engine, device, runtime.get_available_providers())
        try:
            self._session = runtime.InferenceSession(
                str(Path(path).expanduser()), providers=[(provider, options)])
        except Exception as error:
            # ONNX Runtime has a class of its own for everything that can be wrong with a file.
            raise ModelLoadFailed(f'{path} cannot be loaded: {error}') from error
        taken = self._session.get_providers()[0]
        if taken != provider:
            raise ConfigError(f'ONNX Runtime took {taken} where {provider} was asked for')
        self.provider = provider
        self.about = read_about(
            self._session.get_modelmeta().custom_metadata_map, path)
        logger.info('loaded %s: %s at %dx%d on %s', path, self.about.model, self.about.width,
                    self.about.height, provider)

    def __call__(self, images: torch.Tensor) -> RawMaps:
        """Return the maps of a batch, image by image: (B, 3, H, W) float32 normalised."""
        names = list(self.about.outputs)
        found = [maps_of(self.about, self._session.run(names, {
            INPUT: image[None].contiguous().numpy()})) for image in images]
        if len(found) == 1:
            return found[0]
        parts: Any = (None if each[0] is None else torch.cat(each)
                      for each in zip(*found, strict=True))
        return RawMaps(*parts)


class OnnxEngine(DA3Engine):
    """Depth from images with an exported network; all but the network is that of DA3Engine."""

    def __init__(self, network: OnnxNetwork) -> None:
        """Make an engine of a loaded file."""
        self._about = network.about
        super().__init__(network, network.about.row)

    @classmethod
    def load(  # type: ignore[override]
        cls, path: str, *, engine: str = 'onnxruntime', device: str = 'auto',
    ) -> OnnxEngine:
        """Return an engine for a file; see :class:`OnnxNetwork` for what may go wrong."""
        return cls(OnnxNetwork(path, engine, device))

    def prepare(self, frame: Frame, options: FrameOptions) -> Prepared:
        """
        Check and resize a frame.

        :raises InvalidRequest: when it does not get the size that the file was made for.
        """
        prepared = super().prepare(frame, options)
        size = self._about.height, self._about.width
        if prepared.shape != size:
            raise InvalidRequest(
                f'an image of {frame.size[0]}x{frame.size[1]} becomes {prepared.shape[1]}x'
                f'{prepared.shape[0]}; this ONNX file takes {size[1]}x{size[0]} and nothing else')
        return prepared

    def warm_up(self, width: int, height: int) -> None:
        """Run once at the size that the file has."""
        super().warm_up(self._about.width, self._about.height)

    def _checked(self, network: Any, precision: torch.dtype, *, cuda_like: bool) -> Checked:
        # The file was compared with PyTorch when it was made.
        return Checked(network, precision, about=network.provider)


def choose_provider(
    engine: str, device: str, available: list[str],
) -> tuple[str, dict[str, str]]:
    """
    Return the execution provider and its options.

    :param engine: ``onnxruntime`` or ``tensorrt``.
    :param device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    :param available: providers that this ONNX Runtime was built with.
    :raises ConfigError: when it has none that fits; never another one instead.
    """
    name, _, index = device.partition(':')
    if name == 'auto':
        name = 'cuda' if engine == 'tensorrt' or 'CUDAExecutionProvider' in available else 'cpu'
    provider = PROVIDERS.get((engine, name))
    if provider is None or provider not in available:
        raise ConfigError(
            f'model.engine {engine} on device {device!r} needs {provider or "a CUDA device"}; '
            f'this ONNX Runtime has {", ".join(available)}'
            + (' (onnxruntime-gpu has those for CUDA)' if name == 'cuda' else ''))
    return provider, {'device_id': index or '0'} if name == 'cuda' else {}
