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

"""The table of models and the networks that are built from it."""

from __future__ import annotations

import subprocess
import sys

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.models import APACHE, find, Model, MODELS, NON_COMMERCIAL
from depth_anything_ros.engine.network import build, build_random
from depth_anything_ros.errors import UnknownModel
import pytest
import torch


def python(code: str) -> str:
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_models_are_there() -> None:
    assert [model.name for model in MODELS] == [
        'da3-small', 'da3-base', 'da3-large', 'da3-giant', 'da3mono-large', 'da3metric-large',
        'da3nested-giant-large', 'da3-tiny']
    kinds = {model.name: model.kind for model in MODELS}
    assert kinds['da3metric-large'] is kinds['da3-tiny'] is DepthKind.CANONICAL
    assert kinds['da3nested-giant-large'] is DepthKind.METRIC
    assert {kinds[name] for name in kinds if name not in (
        'da3metric-large', 'da3-tiny', 'da3nested-giant-large')} == {DepthKind.RELATIVE}


def test_licences() -> None:
    free = {model.name for model in MODELS if model.licence == APACHE}
    assert free == {'da3-small', 'da3-base', 'da3mono-large', 'da3metric-large', 'da3-tiny'}
    assert {model.licence for model in MODELS} == {APACHE, NON_COMMERCIAL}


def test_find_names_the_nearest() -> None:
    assert find('da3-base').repo == 'depth-anything/DA3-BASE'
    assert find('depth-anything/da3-base').name == 'da3-base'
    for wrong, near in (('da3-smal', 'da3-small'), ('DA3METRIC-LARGE', 'da3metric-large')):
        with pytest.raises(UnknownModel, match=f'did you mean {near!r}'):
            find(wrong)
    with pytest.raises(UnknownModel, match='known: da3-small, da3-base'):
        find('')


def test_the_table_needs_no_torch() -> None:
    code = 'import sys; import depth_anything_ros.engine.models; print("torch" in sys.modules)'
    assert python(code).strip() == 'False'


@pytest.mark.parametrize('model', MODELS, ids=lambda model: model.name)
def test_every_row_is_what_its_network_is(model: Model) -> None:
    network = build(model)
    assert all(value.is_meta for value in network.state_dict().values())
    assert sum(value.numel() for value in network.parameters()) == model.parameters
    plain = getattr(network, 'da3', network)
    assert (plain.cam_dec is not None) == model.predicts_intrinsics
    assert plain.gs_head is None and plain.gs_adapter is None
    metric = getattr(network, 'da3_metric', network)
    assert hasattr(metric.head.scratch, 'sky_output_conv2') == model.has_sky
    assert model.has_confidence == (type(plain.head).__name__ == 'DualDPT')
    assert not network.training


def test_tiny_and_its_row_agree() -> None:
    from depth_anything_ros.engine.tiny import TINY_NAME, TINY_PROCESS_RES
    assert find(TINY_NAME).process_res == TINY_PROCESS_RES


def test_random_weights_leave_the_callers_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    network = build_random(find('da3-tiny'), 1)
    assert torch.equal(before, torch.random.get_rng_state())
    again = build_random(find('da3-tiny'), 1)
    for one, other in zip(network.parameters(), again.parameters()):
        assert torch.equal(one, other)


@pytest.mark.parametrize(('module', 'command'), [
    ('depth_anything_3', 'pip install --no-deps depth-anything-3==0.1.1'),
    ('addict', 'pip install addict'), ('einops', 'pip install einops'),
    ('omegaconf', 'pip install omegaconf'), ('torch', 'pip install torch'),
    ('safetensors', 'pip install safetensors'),
    ('cv2', 'pip install opencv-python-headless')])
@pytest.mark.parametrize('name', ['da3-small', 'da3-tiny'])
def test_a_missing_package_is_named_with_the_command(
    module: str, command: str, name: str,
) -> None:
    assert command in python(
        f'import sys; sys.modules[{module!r}] = None\n'
        'from depth_anything_ros.engine.entry import import_engine\n'
        'from depth_anything_ros.errors import MissingDependency\n'
        f'try: import_engine().load({name!r}, device="cpu", random_weights=1)\n'
        'except MissingDependency as error: print(error)')


def test_building_is_quiet_and_leaves_upstreams_api_alone() -> None:
    out = python(
        'import sys\n'
        'from depth_anything_ros.engine.models import MODELS\n'
        'from depth_anything_ros.engine.network import build\n'
        'for model in MODELS: build(model)\n'
        'unwanted = {"depth_anything_3.api", "torchvision", "evo", "plyfile", "xformers"}\n'
        'print(sorted(unwanted & set(sys.modules)))')
    assert out.strip() == '[]'
