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

"""Loading the DA3 engine, and what it says about itself."""

from __future__ import annotations

from dataclasses import replace
import json
import logging
from pathlib import Path

from da3_parts import frame_of, METRES, run
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.checkpoint import save_checkpoint
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.network import build_random
from depth_anything_ros.errors import ConfigError, ModelLoadFailed
import numpy as np
import pytest
from tiny_networks import tiny_any_view
import torch


def test_info_says_what_it_is() -> None:
    info = DA3Engine(tiny_any_view(), find('da3-large')).info
    assert (info.model, info.kind, info.device, info.precision, info.licence) == (
        'da3-large', DepthKind.RELATIVE, 'cpu', 'fp32', 'CC-BY-NC-4.0')
    assert info.has_confidence and info.predicts_intrinsics and not info.has_sky


def test_load_says_loudly_what_a_user_must_know(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        engine = DA3Engine.load('da3-tiny', device='cpu', random_weights=1)
    text = ' '.join(engine.info.warnings)
    assert 'random weights' in text and 'demos and tests only' in text
    for part in ('Apache-2.0', 'fp32', 'cpu', 'focal length', *engine.info.warnings):
        assert part in caplog.text


def test_load_says_what_stands_beside_the_weights(tmp_path: Path) -> None:
    save_checkpoint(build_random(find('da3-tiny'), 6), tmp_path, 'da3-tiny')
    (tmp_path / 'accuracy.json').write_text(json.dumps(
        {'known_rooms': {'abs_rel': 0.101}, 'unknown_rooms': {'abs_rel': 0.234}}))
    warnings = DA3Engine.load(str(tmp_path), device='cpu').info.warnings
    assert any('0.10 from new viewpoints' in text and '0.23 in other' in text
               for text in warnings)


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a CUDA device')
def test_auto_that_ends_on_the_cpu_warns(caplog: pytest.LogCaptureFixture) -> None:
    engine = DA3Engine.load('da3-tiny', random_weights=1)
    assert any('CPU' in warning for warning in engine.info.warnings)
    assert 'device auto' in caplog.text
    with pytest.raises(ConfigError):
        DA3Engine.load('da3-tiny', device='cuda', random_weights=1)


def test_random_weights_are_seeded() -> None:
    depths = [run(DA3Engine.load('da3-tiny', device='cpu', random_weights=seed), frame_of()).depth
              for seed in (1, 1, 2)]
    np.testing.assert_array_equal(depths[0], depths[1])
    assert not np.array_equal(depths[0], depths[2], equal_nan=True)


def test_weights_come_through_load(tmp_path: Path) -> None:
    network = build_random(find('da3-tiny'), 6)
    path = save_checkpoint(network, tmp_path, 'da3-tiny')
    expected = run(DA3Engine.load('da3-tiny', device='cpu', random_weights=6), frame_of()).depth
    for name, architecture in ((tmp_path, ''), (path, ''), (path, 'da3-tiny')):
        engine = DA3Engine.load(str(name), device='cpu', architecture=architecture)
        np.testing.assert_array_equal(run(engine, frame_of()).depth, expected)
    with pytest.raises(ModelLoadFailed, match='does not fit'):
        DA3Engine.load(str(path), device='cpu', architecture='da3-small')


def test_the_bundled_model_runs() -> None:
    engine = DA3Engine.load('da3-tiny', device='cpu')
    engine.warm_up(128, 96)
    result = run(engine, frame_of(), replace(METRES, process_res=0))
    assert result.kind is DepthKind.METRIC
    assert engine.info.licence == 'Apache-2.0'


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('precision', ['fp32', 'auto'])
def test_cuda_gives_what_the_cpu_gives(precision: str) -> None:
    frames = [frame_of(seed=seed) for seed in range(4)]
    here = DA3Engine.load('da3-small', device='cpu', random_weights=1)
    there = DA3Engine.load(
        'da3-small', device='cuda', precision=precision, random_weights=1)
    there.warm_up(128, 96)
    for frame in frames:
        expected, found = run(here, frame), run(there, frame)
        np.testing.assert_allclose(
            found.depth, expected.depth, rtol=1e-3 if precision == 'fp32' else 3e-2)
    there.close()
