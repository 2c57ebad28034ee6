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

"""From a model's name and a device's name to a network in memory, with all a user must know."""

from __future__ import annotations

from dataclasses import dataclass
import json
import logging
from pathlib import Path

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.checkpoint import load_into
from depth_anything_ros.engine.device import choose_device, choose_precision, precision_name
from depth_anything_ros.engine.failures import translated
from depth_anything_ros.engine.models import find, Model
from depth_anything_ros.engine.network import build, build_random
from depth_anything_ros.engine.weights import locate
import torch

logger = logging.getLogger(__name__)

KIND_TEXT = {
    DepthKind.RELATIVE: 'relative depth of unknown scale',
    DepthKind.CANONICAL: 'metres = network * focal length at the processed size / 300',
    DepthKind.METRIC: 'metres as predicted by the model',
}


@dataclass(frozen=True)
class Loaded:
    """A network with its weights, where it is to run, and what a user must know about it."""

    network: torch.nn.Module
    model: Model
    device: torch.device
    precision: torch.dtype
    warnings: tuple[str, ...]


def load_network(
    name: str, device_name: str, precision_setting: str, *, download: bool = False,
    architecture: str = '', random_weights: int | None = None,
) -> Loaded:
    """
    Return the network that the settings ask for; the log says what it is.

    :param name: model name, hub repository, directory or .safetensors file.
    :param device_name: ``auto``, ``cuda``, ``cuda:N`` or ``cpu``.
    :param precision_setting: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
    :param download: fetch weights that are not on this machine.
    :param architecture: model name whose network a .safetensors file fits.
    :param random_weights: seed; builds the network without any weights.
    """
    device, slow = choose_device(device_name)
    precision = choose_precision(precision_setting, device)
    warnings = [slow] if slow else []
    folder = None
    if random_weights is None:
        weights = locate(name, architecture=architecture, download=download)
        model, source, folder = weights.model, str(weights.path), weights.path.parent
        network = build(model)
        with translated(f'loading {model.name}'):
            load_into(network, weights.path, device)
    else:
        model, source = find(architecture or name), f'random weights, seed {random_weights}'
        network = build_random(model, random_weights)
        warnings.append(f'{model.name} runs on random weights: its depth means nothing')
    if model.note:
        warnings.append(f'{model.name} is {model.note}{_stated_accuracy(folder)}')
    logger.info(
        'loaded %s (%s): %s; weights under %s; backbone in %s on %s', model.name, source,
        KIND_TEXT[model.kind], model.licence, precision_name(precision), device)
    for warning in warnings:
        logger.warning('%s', warning)
    return Loaded(network, model, device, precision, tuple(warnings))


def _stated_accuracy(folder: Path | None) -> str:
    """Return the measured accuracy that stands beside weights, '' where none does."""
    path = folder / 'accuracy.json' if folder else None
    if path is None or not path.is_file():
        return ''
    measured = json.loads(path.read_text(encoding='utf-8'))
    known, other = (measured[rooms]['abs_rel'] for rooms in ('known_rooms', 'unknown_rooms'))
    return (f' (mean relative error {known:.2f} from new viewpoints in its demo rooms, '
            f'{other:.2f} in other rooms)')
