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

"""Checkpoints in the form of the released ones, read strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

from depth_anything_ros.engine.checkpoint import load_into, save_checkpoint, SHARED
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.network import _ShapesOnly, build
from depth_anything_ros.engine.passes import FrameNetwork
from depth_anything_ros.engine.weights import locate
from depth_anything_ros.errors import ModelLoadFailed
import pytest
from safetensors.torch import load_file, save_file
from tiny_networks import tiny_any_view, tiny_metric, tiny_nested
import torch

MAKERS = {
    'da3-small': tiny_any_view, 'da3metric-large': tiny_metric,
    'da3nested-giant-large': tiny_nested}


def changed(path: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> Path:
    """Write a file again with some of its tensors changed."""
    state = load_file(path)
    change(state)
    save_file(state, path)
    return path


@pytest.mark.parametrize('name', MAKERS)
@pytest.mark.parametrize('by_file', [False, True])
def test_a_saved_network_comes_back(tmp_path: Path, name: str, by_file: bool) -> None:
    original = MAKERS[name](seed=4)
    path = save_checkpoint(original, tmp_path / 'saved', name)
    assert json.loads((path.parent / 'config.json').read_text()) == {'model_name': name}
    assert all(key.startswith('model.') for key in load_file(path))
    found = locate(str(path if by_file else path.parent))
    assert (found.model.name, found.path) == (name, path)
    copy = MAKERS[name](seed=5)
    load_into(copy, found.path)
    image = torch.randn(1, 3, 28, 42)
    with torch.inference_mode():
        expected, result = (FrameNetwork(each)(image) for each in (original, copy))
    assert torch.equal(expected.depth, result.depth)


def test_a_network_without_memory_is_filled(tmp_path: Path) -> None:
    path = save_checkpoint(tiny_any_view(seed=4), tmp_path, 'da3-small')
    original = tiny_any_view(seed=4)
    with torch.device('meta'), _ShapesOnly():
        torch.manual_seed(0)
        empty = type(original)(
            net=type(original.backbone)(32, 2, True), head=original.head,
            cam_enc=original.cam_enc, cam_dec=original.cam_dec)
    assert any(value.is_meta for value in empty.state_dict().values())
    load_into(empty, path)
    for name, value in original.state_dict().items():
        assert torch.equal(empty.state_dict()[name], value), name


def test_exactly_the_six_shared_keys_are_missing_from_a_file(tmp_path: Path) -> None:
    network = tiny_any_view()
    held = {key.removeprefix('model.') for key in load_file(
        save_checkpoint(network, tmp_path, 'da3-small'))}
    missing = set(network.state_dict()) - held
    assert missing == {
        f'head.scratch.output_conv2_aux.{index}.2.{part}'
        for index in (1, 2, 3) for part in ('weight', 'bias')}


@pytest.mark.parametrize('name', ['da3-small', 'da3-giant', 'da3nested-giant-large'])
def test_the_real_networks_share_six_keys_too(name: str) -> None:
    keys = build(find(name)).state_dict()
    assert sum(bool(SHARED.fullmatch(key)) for key in keys) == 6
    if name == 'da3-small':
        assert len(keys) == 443, 'the released file holds 437'


def test_keys_without_prefix_and_half_precision_are_read(tmp_path: Path) -> None:
    path = save_checkpoint(tiny_metric(seed=4), tmp_path, 'da3metric-large')
    state = {key.removeprefix('model.'): value.half() for key, value in load_file(path).items()}
    save_file(state, path)
    copy = tiny_metric(seed=5)
    load_into(copy, path)
    assert all(value.dtype is torch.float32 for value in copy.state_dict().values())


def test_parts_that_are_left_out_may_be_in_the_file(tmp_path: Path) -> None:
    path = save_checkpoint(tiny_nested(), tmp_path, 'da3nested-giant-large')
    changed(path, lambda state: state.update({
        'model.da3.gs_head.norm.weight': torch.ones(3),
        'model.da3.gs_adapter.x': torch.ones(3)}))
    network = tiny_nested()
    network.da3.cam_enc = None
    load_into(network, path)


@pytest.mark.parametrize(('change', 'words'), [
    (lambda state: state.pop('model.head.norm.weight'), '1 missing: head.norm.weight'),
    (lambda state: state.pop('model.cam_dec.fc_t.bias'), '1 missing: cam_dec.fc_t.bias'),
    (lambda state: state.pop('model.head.scratch.output_conv2_aux.0.2.bias'), '1 missing'),
    (lambda state: state.update({'model.head.extra': torch.ones(1)}),
     '1 not of this network: head.extra'),
    (lambda state: state.update({'model.head.norm.weight': torch.ones(3)}),
     r'head.norm.weight is \[3\] instead of \[64\]'),
    (lambda state: state.update({'model.head.norm.weight': torch.ones(64, dtype=torch.int32)}),
     'head.norm.weight is I32'),
])
def test_what_does_not_fit_is_named(tmp_path: Path, change: Any, words: str) -> None:
    path = changed(save_checkpoint(tiny_any_view(), tmp_path, 'da3-small'), change)
    before = tiny_any_view(seed=9)
    state = {key: value.clone() for key, value in before.state_dict().items()}
    with pytest.raises(ModelLoadFailed, match=words):
        load_into(before, path)
    assert all(torch.equal(state[key], value) for key, value in before.state_dict().items())


def test_another_models_file_is_refused_with_a_short_list(tmp_path: Path) -> None:
    path = save_checkpoint(tiny_metric(), tmp_path, 'da3metric-large')
    with pytest.raises(ModelLoadFailed, match='missing.*more') as caught:
        load_into(tiny_any_view(), path)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize('keep', [0, 5, 100, 5000, -1])
def test_a_broken_off_download_is_said_to_be_one(tmp_path: Path, keep: int) -> None:
    path = save_checkpoint(tiny_metric(), tmp_path, 'da3metric-large')
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelLoadFailed, match='broke off'):
        load_into(tiny_metric(), path)


def test_a_header_that_asks_for_much_memory_takes_none(tmp_path: Path) -> None:
    path = tmp_path / 'model.safetensors'
    header = json.dumps({'model.x': {
        'dtype': 'F32', 'shape': [1 << 40], 'data_offsets': [0, 1 << 42]}}).encode()
    path.write_bytes(len(header).to_bytes(8, 'little') + header)
    with pytest.raises(ModelLoadFailed):
        load_into(tiny_metric(), path)
