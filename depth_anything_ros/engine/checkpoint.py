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

"""Read and write safetensors checkpoints in the form of the released ones, strictly."""

from __future__ import annotations

from collections.abc import Iterable
import json
from pathlib import Path
import re
from typing import Any

from depth_anything_ros.errors import ModelLoadFailed
from safetensors import safe_open, SafetensorError
from safetensors.torch import save_file
import torch
from torch import nn

PREFIX = 'model.'
"""Released files hold the network as an attribute of upstream's API object."""

SHARED = re.compile(r'(da3\.)?head\.scratch\.output_conv2_aux\.[123]\.2\.(weight|bias)')
"""One norm serves four branches of the any-view head; a file holds it once, under branch 0."""

LEFT_OUT = re.compile(r'(da3\.)?(gs_head|gs_adapter|cam_enc)\.')
"""Parts that a file may hold and our network may lack: Gaussian splats and the pose encoder."""

NAMED = 6
"""An error names so many keys and counts the rest."""


def load_into(network: nn.Module, path: Path, device: torch.device | str = 'cpu') -> None:
    """
    Fill a network with the weights of a file; shapes and names are compared before any is read.

    :param network: the network, on the meta device or with memory.
    :param path: safetensors file.
    :param device: where the weights are to lie.
    :raises ModelLoadFailed: when the file is damaged or does not fit, with the keys.
    """
    wanted = network.state_dict()
    try:
        with safe_open(str(path), framework='pt', device=str(device)) as file:
            names = {key.removeprefix(PREFIX): key for key in file.keys()}
            _compare(path, file, names, wanted)
            # The first key of a shared norm fills the module that the other keys name as well.
            state = {name: file.get_tensor(key).to(torch.float32)
                     for name, key in names.items() if name in wanted}
    except FileNotFoundError as error:
        raise ModelLoadFailed(f'{path} does not exist') from error
    except (OSError, SafetensorError) as error:
        raise ModelLoadFailed(
            f'{path} cannot be read as safetensors ({error}); a download that broke off? Fetch '
            'it again') from error
    network.load_state_dict(state, strict=False, assign=True)
    left = [name for name, value in network.state_dict().items() if value.is_meta]
    if left:
        raise ModelLoadFailed(f'{path} left weights unset: {_listed(left)}')


def save_checkpoint(network: nn.Module, directory: Path, model_name: str) -> Path:
    """
    Write a network as released ones are written and return the safetensors file.

    :param network: the network, all parts on one device.
    :param directory: made if missing; gets config.json and model.safetensors.
    :param model_name: the name in config.json.
    """
    directory.mkdir(parents=True, exist_ok=True)
    state = {PREFIX + name: value.detach().cpu().contiguous()
             for name, value in network.state_dict().items() if not SHARED.fullmatch(name)}
    path = directory / 'model.safetensors'
    save_file(state, path, metadata={'format': 'pt'})
    config = json.dumps({'model_name': model_name}, indent=2)
    (directory / 'config.json').write_text(config + '\n', encoding='utf-8')
    return path


def _compare(
    path: Path, file: Any, names: dict[str, str], wanted: dict[str, torch.Tensor],
) -> None:
    """Raise ModelLoadFailed unless names, shapes and number types are those of the network."""
    missing = [name for name in wanted if name not in names and not SHARED.fullmatch(name)]
    extra = [name for name in names if name not in wanted and not LEFT_OUT.match(name)]
    shapes, types = [], []
    for name in wanted.keys() & names.keys():
        part = file.get_slice(names[name])
        seen, accepted = list(part.get_shape()), list(wanted[name].shape)
        if seen != accepted:
            shapes.append(f'{name} is {seen} instead of {accepted}')
        if part.get_dtype() not in ('F32', 'F16', 'BF16'):
            types.append(f'{name} is {part.get_dtype()}')
    problems = [
        f'{len(keys)} {what}: {_listed(keys)}' for what, keys in (
            ('missing', missing), ('not of this network', extra), ('of another shape', shapes),
            ('not of floating point', types)) if keys]
    if problems:
        raise ModelLoadFailed(f'{path} does not fit the network; keys {"; ".join(problems)}')


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    rest = f' and {len(ordered) - NAMED} more' if len(ordered) > NAMED else ''
    return ', '.join(ordered[:NAMED]) + rest
