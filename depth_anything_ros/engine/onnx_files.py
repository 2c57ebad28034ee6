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

"""Networks as ONNX files of one image size, and what such a file says about itself."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
import json
import logging
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence
import warnings

from depth_anything_ros.engine.models import find, Model
from depth_anything_ros.engine.passes import FrameNetwork, RawMaps
from depth_anything_ros.errors import MissingDependency, ModelLoadFailed, UnknownModel
import numpy as np
import numpy.typing as npt
import torch

OPSET = 18
INPUT = 'image'
KEY = 'depth_anything_ros'
"""Under which a file's metadata says what it is."""

LARGEST = 1_500_000_000
"""Bytes of weights that are kept in the file itself; its format ends at 2 GB."""

TOLERANCE = 1e-3
"""Relative difference to PyTorch above which an export counts as failed."""

INSTALL = "pip install 'depth_anything_ros[onnx]' (onnx, onnxscript, onnxruntime)"


@dataclass(frozen=True)
class OnnxAbout:
    """``model`` is a name of the table, ``height`` and ``width`` the processed size in pixels."""

    model: str
    height: int
    width: int
    outputs: tuple[str, ...]

    @property
    def row(self) -> Model:
        """Return the model; an exported one takes single images of one size."""
        return replace(
            find(self.model), multi_view=False, process_res=max(self.height, self.width))


class _Exported(torch.nn.Module):
    """A network at one size, with the maps that it has as plain outputs."""

    def __init__(self, network: FrameNetwork, height: int, width: int) -> None:
        super().__init__()
        self.network = network
        self.tables = network.tables(height, width, torch.device('cpu'))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(each for each in self.network(image, self.tables) if each is not None)


def export(
    network: torch.nn.Module, model: Model, height: int, width: int, path: Path,
) -> float:
    """
    Write a network as an ONNX file and compare it with PyTorch on one image.

    :param network: upstream's network with its weights, on the CPU; it is changed in place.
    :param model: what the network is.
    :param height: processed height in pixels, a multiple of 14.
    :param width: processed width in pixels, a multiple of 14.
    :param path: file to write; weights over 1.5 GB go to a second file beside it.
    :returns: the largest relative difference of the depth, ONNX Runtime against PyTorch.
    :raises MissingDependency: when a package for it is not installed.
    :raises ModelLoadFailed: when the file does not compute what PyTorch does.
    """
    exported = _Exported(FrameNetwork(network), height, width).eval()
    image = torch.randn((1, 3, height, width), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = exported.network(image, exported.tables)
    names = tuple(name for name, each in maps._asdict().items() if each is not None)
    about = OnnxAbout(model.name, height, width, names)
    write(exported, {INPUT: image}, names, path, {KEY: json.dumps(asdict(about))})
    return check(path, image.numpy(), maps.depth.numpy())


def write(
    module: torch.nn.Module, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str],
    path: Path, metadata: Mapping[str, str], *, most: int = 0,
) -> None:
    """
    Write a module as an ONNX file.

    :param module: on the CPU.
    :param inputs: examples of its arguments by name, in order; of two images for batches.
    :param outputs: names of what it returns.
    :param path: file to write; weights over 1.5 GB go to a second file beside it.
    :param metadata: the file's own.
    :param most: the first side of all inputs may be 1 to so many, 0: it is that of the examples.
    :raises MissingDependency: when a package for it is not installed.
    :raises ModelLoadFailed: when PyTorch cannot export it, such as for batches that are too large.
    """
    first = {0: torch.export.Dim('batch', min=1, max=max(2, most))}
    with torch.no_grad(), warnings.catch_warnings(), _quiet():
        warnings.simplefilter('ignore')
        try:
            program = torch.onnx.export(
                module, tuple(inputs.values()), dynamo=True, opset_version=OPSET, verbose=False,
                input_names=list(inputs), output_names=list(outputs),
                dynamic_shapes=tuple(first for _ in inputs) if most else None)
        except ImportError as error:
            raise MissingDependency(f'exporting needs {error.name}; run: {INSTALL}') from error
        except torch.onnx.OnnxExporterError as error:
            raise ModelLoadFailed(f'PyTorch cannot export this at this size'
                                  f'{f" in batches of up to {most}" if most else ""}') from error
    assert program is not None
    program.model.metadata_props.update(metadata)
    size = sum(each.numel() * each.element_size() for each in module.parameters())
    program.save(str(path), external_data=size > LARGEST)


def check(
    path: Path, image: npt.NDArray[np.float32], depth: npt.NDArray[np.float32],
) -> float:
    """
    Return how far a file's depth is from what it should be, relative, at most.

    :param path: the file; it is removed when it is too far.
    :param image: (1, 3, H, W) float32 normalised.
    :param depth: (1, H, W) float32 by PyTorch.
    :raises ModelLoadFailed: when the file does not compute what PyTorch does.
    """
    session = import_runtime().InferenceSession(str(path), providers=['CPUExecutionProvider'])
    found = session.run(['depth'], {INPUT: image})[0]
    difference = float(np.abs(found / depth - 1).max())
    if not difference <= TOLERANCE:
        path.unlink()
        raise ModelLoadFailed(
            f'{path} differs from PyTorch by {difference:.1e} of the depth; accepted: up to '
            f'{TOLERANCE:g}. It was not kept.')
    return difference


def read_about(metadata: dict[str, str], path: str) -> OnnxAbout:
    """
    Return what a file of ours says about itself.

    :param metadata: the file's own metadata.
    :param path: for the error.
    :raises ModelLoadFailed: when it is not one of ours.
    """
    try:
        said: dict[str, Any] = json.loads(metadata[KEY])
        about = OnnxAbout(said['model'], int(said['height']), int(said['width']),
                          tuple(said['outputs']))
        find(about.model)
    except (KeyError, TypeError, ValueError, UnknownModel):
        raise ModelLoadFailed(
            f'{path} does not say which model it is; accepted: files made by depth-anything '
            'export --onnx') from None
    return about


def maps_of(about: OnnxAbout, values: list[npt.NDArray[Any]]) -> RawMaps:
    """Return a file's outputs as what the network gives."""
    named = {name: torch.from_numpy(each) for name, each in zip(about.outputs, values)}
    return RawMaps(**named)


def import_runtime() -> Any:
    """
    Return ONNX Runtime.

    :raises MissingDependency: when it is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingDependency(f'ONNX files need {error.name}; run: {INSTALL}') from error
    return onnxruntime


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's warnings about what we do not use off the terminal."""
    exporter = logging.getLogger('torch.onnx')
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        yield
    finally:
        exporter.setLevel(level)
