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

"""
A network as a Triton model: pixels and K in, depth in the unit of the result out, in batches.

Triton runs nothing of ours, so what is around the network is in the file too: normalising, the
scale law, and NaN where there is no measurement. What is left to the client is the resize.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import tempfile
from typing import Any

from depth_anything_ros.core.depth import CANONICAL_FOCAL, SKY_THRESHOLD
from depth_anything_ros.engine.host import LARGEST, SMALLEST
from depth_anything_ros.engine.models import Model
from depth_anything_ros.engine.onnx_files import import_runtime, TOLERANCE, write
from depth_anything_ros.engine.passes import FrameNetwork
from depth_anything_ros.engine.predicted import is_plausible
from depth_anything_ros.engine.preprocess import DEVIATION, MEAN
from depth_anything_ros.engine.triton_config import CONFIG, config_text, facts, ServedModel
from depth_anything_ros.errors import ConfigError, ModelLoadFailed
import numpy as np
import numpy.typing as npt
import torch

TRIED = (1, 2, 3)
"""Images in the batches by which a file is compared with PyTorch."""


@dataclass(frozen=True)
class Written:
    """
    ``folder`` of the model, and how it was compared with PyTorch.

    ``difference`` is the largest relative one of all outputs, ``valid`` the share of pixels that
    had depth.
    """

    folder: Path
    difference: float
    valid: float


class ServedNetwork(torch.nn.Module):
    """A network at one size between the tensors that clients send and get."""

    def __init__(self, network: torch.nn.Module, served: ServedModel) -> None:
        """
        Cure a network, in place.

        :param network: upstream's network with its weights, on the CPU.
        :param served: what it is and the size.
        """
        super().__init__()
        self.network = FrameNetwork(network)
        self.served = served
        self.tables = self.network.tables(served.height, served.width, torch.device('cpu'))
        mean, deviation = torch.tensor((MEAN, DEVIATION)).view(2, 3, 1, 1)
        self.mean: torch.Tensor
        self.deviation: torch.Tensor
        self.register_buffer('mean', mean.clone(), persistent=False)
        self.register_buffer('deviation', deviation.clone(), persistent=False)

    def forward(
        self, image: torch.Tensor, intrinsics: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """
        Return the outputs of :attr:`served`, in their order.

        :param image: (B, H, W, 3) uint8 RGB.
        :param intrinsics: (B, 3, 3) float32 K of these pixels, where the scale law needs it.
        """
        maps = self.network(self._normalised(image), self.tables)
        depth = maps.depth
        if intrinsics is not None:
            focal = (intrinsics[:, 0, 0] + intrinsics[:, 1, 1]) / 2
            depth = depth * (focal / CANONICAL_FOCAL)[:, None, None]
        valid = (depth >= SMALLEST) & (depth <= LARGEST)
        found = {}
        if maps.sky is not None:
            found['sky'] = maps.sky >= SKY_THRESHOLD
            valid = valid & ~found['sky']
        if maps.scale is not None:
            assert maps.camera is not None
            known = is_plausible(maps.camera, self.served.width, self.served.height)
            valid = valid & known[:, None, None]
        found['depth'] = torch.where(valid, depth, float('nan'))
        if maps.confidence is not None:
            found['confidence'] = maps.confidence
        if maps.camera is not None:
            found['camera'] = maps.camera
        return tuple(found[tensor.name] for tensor in self.served.outputs)

    def _normalised(self, image: torch.Tensor) -> torch.Tensor:
        return (image.permute(0, 3, 1, 2).to(torch.float32) / 255 - self.mean) / self.deviation


def export_repository(
    network: torch.nn.Module, model: Model, height: int, width: int, repository: Path, *,
    max_batch: int = 8, warnings: tuple[str, ...] = (),
) -> Written:
    """
    Write a model into a Triton model repository, whole or not at all.

    :param network: upstream's network with its weights, on the CPU; it is changed in place.
    :param model: what the network is.
    :param height: processed height in pixels, a multiple of 14.
    :param width: processed width in pixels, a multiple of 14.
    :param repository: folder of models, made where it is not there.
    :param max_batch: images that Triton may put together.
    :param warnings: what a user must know, for the configuration.
    :raises ConfigError: when the model is in the repository already, or it cannot be written.
    :raises MissingDependency: when a package for it is not installed.
    :raises ModelLoadFailed: when the file does not compute what PyTorch does.
    """
    served = ServedModel(model, height, width, max_batch, warnings)
    folder = repository / model.name
    if folder.exists():
        raise ConfigError(f'{folder} is there already; remove it, or name another repository')
    module = ServedNetwork(network, served).eval()
    try:
        repository.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that the last step is a rename: Triton may be watching.
        with tempfile.TemporaryDirectory(prefix='.partial-', dir=repository) as partial:
            place = Path(partial) / model.name
            file = place / '1' / 'model.onnx'
            file.parent.mkdir(parents=True)
            names = [tensor.name for tensor in served.outputs]
            write(module, examples(served, 2, 0), names, file, facts(served), most=max_batch)
            (place / CONFIG).write_text(config_text(served), encoding='utf-8')
            difference, valid = compare(module, file)
            place.rename(folder)
    except OSError as error:
        raise ConfigError(f'{folder} cannot be written: {error.strerror or error}') from error
    return Written(folder, difference, valid)


def examples(served: ServedModel, count: int, seed: int) -> dict[str, torch.Tensor]:
    """Return noise, and where the model takes it a camera of some 60 degrees each, by name."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, served.height, served.width, 3)
    found = {'image': torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)}
    if served.takes_intrinsics:
        focal = 0.87 * served.width
        camera = torch.tensor([
            [focal, 0, served.width / 2], [0, focal, served.height / 2], [0, 0, 1]])
        steps = torch.arange(1, count + 1, dtype=torch.float32)[:, None, None]
        found['intrinsics'] = camera.expand(count, 3, 3) * steps
    return found


def compare(module: ServedNetwork, path: Path) -> tuple[float, float]:
    """
    Return the largest relative difference of a file's outputs to PyTorch's, and the valid share.

    :param module: what was written.
    :param path: the file.
    :raises ModelLoadFailed: when the difference is too large in any batch.
    """
    session = import_runtime().InferenceSession(str(path), providers=['CPUExecutionProvider'])
    names = [tensor.name for tensor in module.served.outputs]
    largest, valid = 0.0, []
    for count in TRIED:
        inputs = examples(module.served, count, count)
        with torch.no_grad():
            expected = module(*inputs.values())
        found = session.run(names, {name: each.numpy() for name, each in inputs.items()})
        for name, one, other in zip(names, found, expected, strict=True):
            difference = difference_of(one, other.numpy())
            if not difference <= TOLERANCE:
                raise ModelLoadFailed(
                    f'{name} of {count} image(s) differs from PyTorch by {difference:.1e}; '
                    f'accepted: up to {TOLERANCE:g}. Nothing was written.')
            largest = max(largest, difference)
        valid.append(float(np.isfinite(found[names.index('depth')]).mean()))
    return largest, float(np.mean(valid))


def difference_of(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float:
    """Return the largest relative difference, or the share of values that are not both valid."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return float('inf')
    if found.dtype == np.bool_:
        return float((found != expected).mean())
    both = np.isfinite(found) & np.isfinite(expected)
    share = float((np.isfinite(found) != np.isfinite(expected)).mean())
    size = np.abs(expected[both])
    error = np.abs(found[both] - expected[both]) / np.where(size > 0, size, 1)
    return max(share, float(error.max(initial=0.0)))
