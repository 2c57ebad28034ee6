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

"""Find a model's weights: bundled, in a local directory or file, or in the hub's local cache."""

from __future__ import annotations

from dataclasses import dataclass
import json
import os
from pathlib import Path

from depth_anything_ros.engine.hub import cached, fetch
from depth_anything_ros.engine.models import find, Model
from depth_anything_ros.errors import ModelLoadFailed, UnknownModel

WEIGHTS_FILE = 'model.safetensors'
CONFIG_FILE = 'config.json'
BUNDLED = Path(__file__).parent.parent / 'models'
PICKLES = ('.pt', '.pth', '.bin', '.ckpt', '.pkl')


@dataclass(frozen=True)
class Weights:
    """A model and the safetensors file with its weights."""

    model: Model
    path: Path


def locate(name: str, *, architecture: str = '', download: bool = False) -> Weights:
    """
    Return where the weights of a model are.

    :param name: model name, hub repository, directory with config.json and model.safetensors, or
        .safetensors file.
    :param architecture: model name whose network the file fits; '' reads config.json beside it.
    :param download: fetch from the hub what is not on this machine.
    :raises UnknownModel: when the name is neither a model nor a path.
    :raises ModelLoadFailed: when the weights are not there, with what to do about it.
    :raises MissingDependency: when a download needs a package that is not installed.
    """
    path = Path(name).expanduser()
    looks_like_path = os.sep in name or path.suffix in (*PICKLES, '.safetensors')
    try:
        model = find(name)
    except UnknownModel:
        if not looks_like_path and not path.exists():
            raise
        return from_path(path, architecture)
    if path.exists() and os.sep in name:
        return from_path(path, architecture)
    if architecture and find(architecture) != model:
        raise ModelLoadFailed(
            f'architecture {architecture!r} contradicts the model name {name!r}; leave it out')
    return from_name(model, download)


def from_name(model: Model, download: bool) -> Weights:
    """
    Return the weights of a known model.

    :raises ModelLoadFailed: when they are not on this machine and may not be, or cannot be,
        fetched.
    """
    if not model.repo:
        path = BUNDLED / model.name / WEIGHTS_FILE
        if not path.is_file():
            raise ModelLoadFailed(
                f'the bundled weights of {model.name} are missing from this installation '
                f'({path}); install the package again')
        return Weights(model, path)
    found = cached(model.repo, WEIGHTS_FILE)
    if found is None and download:
        found = fetch(model.repo, WEIGHTS_FILE, CONFIG_FILE)
    if found is None:
        raise ModelLoadFailed(
            f'the weights of {model.name} are not on this machine. With internet: '
            f'"depth-anything models --download {model.name}", or set model.download. Without: '
            f'copy {CONFIG_FILE} and {WEIGHTS_FILE} of {model.repo} (Hugging Face hub) into a '
            'directory and give that directory as the model')
    return Weights(model, found)


def from_path(path: Path, architecture: str) -> Weights:
    """
    Return the weights of a local directory or safetensors file.

    :raises ModelLoadFailed: when there are none, or it is not known whose they are.
    """
    if path.suffix in PICKLES:
        raise ModelLoadFailed(
            f'{path} is a pickle, which can run any code when it is read; accepted: a '
            f'.safetensors file, or a directory with {CONFIG_FILE} and {WEIGHTS_FILE}')
    if not path.exists():
        raise ModelLoadFailed(f'{path} does not exist')
    if path.is_dir():
        held = ', '.join(sorted(item.name for item in path.iterdir())) or 'nothing'
        path = path / WEIGHTS_FILE
        if not path.is_file():
            raise ModelLoadFailed(f'{path.parent} holds no {WEIGHTS_FILE}; it holds: {held}')
    elif path.suffix != '.safetensors':
        raise ModelLoadFailed(f'{path} is not a .safetensors file, the only kind that is read')
    return Weights(find(architecture) if architecture else _model_beside(path), path)


def _model_beside(path: Path) -> Model:
    """Return the model that the config.json beside a weights file names."""
    config = path.parent / CONFIG_FILE
    advice = 'say whose network the file fits with architecture, such as da3-small'
    try:
        content = json.loads(config.read_text(encoding='utf-8'))
    except FileNotFoundError as error:
        raise ModelLoadFailed(f'there is no {CONFIG_FILE} beside {path}; {advice}') from error
    except (OSError, ValueError) as error:
        raise ModelLoadFailed(f'{config} cannot be read as JSON ({error}); {advice}') from error
    name = content.get('model_name') if isinstance(content, dict) else None
    if not isinstance(name, str):
        raise ModelLoadFailed(f'{config} has no "model_name"; {advice}')
    try:
        return find(name)
    except UnknownModel as error:
        raise ModelLoadFailed(f'{config}: {error}; or {advice}') from error
