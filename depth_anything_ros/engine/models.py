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

"""The table of models: what each one is, before any weight is read."""

from __future__ import annotations

from dataclasses import dataclass
import difflib

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.errors import UnknownModel

APACHE = 'Apache-2.0'
NON_COMMERCIAL = 'CC-BY-NC-4.0'


@dataclass(frozen=True)
class Model:
    """
    One model.

    ``repo`` is the hub repository of its weights ('' for the bundled one), ``licence`` that of
    the weights, ``process_res`` the side in pixels it was trained for, ``parameters`` the count
    without Gaussian parts, ``note`` what a user must know before relying on it.
    """

    name: str
    kind: DepthKind
    repo: str
    licence: str
    parameters: int
    process_res: int = 504
    has_confidence: bool = False
    has_sky: bool = False
    predicts_intrinsics: bool = False
    multi_view: bool = False
    note: str = ''


def _any_view(name: str, repo: str, licence: str, parameters: int) -> Model:
    return Model(
        name, DepthKind.RELATIVE, repo, licence, parameters,
        has_confidence=True, predicts_intrinsics=True, multi_view=True)


MODELS = (
    _any_view('da3-small', 'depth-anything/DA3-SMALL', APACHE, 34_299_463),
    _any_view('da3-base', 'depth-anything/DA3-BASE', APACHE, 135_366_599),
    _any_view('da3-large', 'depth-anything/DA3-LARGE-1.1', NON_COMMERCIAL, 410_941_767),
    _any_view('da3-giant', 'depth-anything/DA3-GIANT-1.1', NON_COMMERCIAL, 1_320_045_639),
    Model('da3mono-large', DepthKind.RELATIVE, 'depth-anything/DA3MONO-LARGE', APACHE,
          334_171_394, has_sky=True),
    Model('da3metric-large', DepthKind.CANONICAL, 'depth-anything/DA3METRIC-LARGE', APACHE,
          334_171_394, has_sky=True),
    Model('da3nested-giant-large', DepthKind.METRIC, 'depth-anything/DA3NESTED-GIANT-LARGE-1.1',
          NON_COMMERCIAL, 1_654_217_033, has_confidence=True, has_sky=True,
          predicts_intrinsics=True, multi_view=True),
    Model('da3-tiny', DepthKind.CANONICAL, '', APACHE, 2_204_722, process_res=168, has_sky=True,
          note='for demos and tests only: it knows its demo rooms and the like, not the world'),
)
"""All models; the licences are those of upstream's README, the stricter where it disagrees."""


def find(name: str) -> Model:
    """
    Return the model of that name, or of that hub repository.

    :param name: such as 'da3-small', or 'depth-anything/DA3-SMALL'.
    :raises UnknownModel: when there is none; the text names the nearest one.
    """
    for model in MODELS:
        if name == model.name or (model.repo and name.lower() == model.repo.lower()):
            return model
    names = [model.name for model in MODELS]
    near = difflib.get_close_matches(name.lower(), names, 1, 0.5)
    meant = f'did you mean {near[0]!r}? ' if near else ''
    raise UnknownModel(
        f'{name!r} is not a known model; {meant}known: {", ".join(names)}, or the path of a '
        'directory or .safetensors file')
