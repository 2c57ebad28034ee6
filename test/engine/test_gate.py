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

"""What is faster must give what plain float32 gives, or it is not used and said."""

from __future__ import annotations

import logging
from typing import Any

from da3_parts import frame_of, METRES, run
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.gate import differences, gate_images, objection, SIZE
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.passes import FrameNetwork, RawMaps
import numpy as np
import pytest
from tiny_networks import tiny_any_view, tiny_metric, tiny_nested
import torch
from torch import nn

CPU = torch.device('cpu')
NETWORKS = [(tiny_metric, 'da3metric-large'), (tiny_any_view, 'da3-small'),
            (tiny_nested, 'da3nested-giant-large')]


class Fragile(nn.Module):
    """A layer that goes wrong under autocast, or where its weights lie channels last."""

    def __init__(self, layer: Any, *, low: bool = False, last: bool = False) -> None:
        super().__init__()
        self.layer, self.low, self.last = layer, low, last

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layer(images)
        weight = self.layer.proj.weight
        last = not weight.is_contiguous() and weight.is_contiguous(
            memory_format=torch.channels_last)
        if (self.low and torch.is_autocast_enabled('cpu')) or (self.last and last):
            return found * 3 - 1
        return found


class Refusing(nn.Module):
    """A layer that cannot compute in less than float32."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if torch.is_autocast_enabled('cpu'):
            raise RuntimeError('no kernel for this')
        found: torch.Tensor = self.layer(images)
        return found


def with_layer(make: Any, wrap: Any) -> Any:
    network = make()
    transformer = (network.da3 if hasattr(network, 'da3') else network).backbone.pretrained
    transformer.patch_embed = wrap(transformer.patch_embed)
    return network


def engine_of(network: Any, name: str, precision: torch.dtype) -> DA3Engine:
    return DA3Engine(network, find(name), precision=precision)


@pytest.mark.parametrize(('make', 'name'), NETWORKS)
def test_half_precision_that_is_near_enough_is_used(make: Any, name: str) -> None:
    engine = engine_of(make(), name, torch.bfloat16)
    assert engine.info.precision == 'bf16' and not engine.info.warnings
    assert 'bf16, channels last: depth within 0.0' in engine.info.acceleration
    weights = {value.dtype for value in engine._ready().network.parameters()}
    assert weights == {torch.float32, torch.bfloat16}
    # torch.compile takes ordinary tensors.
    assert not any(each.is_inference() for each in engine._ready().parameters())


@pytest.mark.parametrize(('make', 'name'), NETWORKS)
@pytest.mark.parametrize('wrap', [lambda layer: Fragile(layer, low=True), Refusing])
def test_half_precision_that_is_off_is_not_used_and_said(
    make: Any, name: str, wrap: Any, caplog: pytest.LogCaptureFixture,
) -> None:
    expected = run(engine_of(make(), name, torch.float32), frame_of()).depth
    with caplog.at_level(logging.WARNING):
        engine = engine_of(with_layer(make, wrap), name, torch.bfloat16)
    assert engine.info.precision == 'fp32' and 'fp32, channels last' in engine.info.acceleration
    warning, = engine.info.warnings
    assert warning.startswith('bf16 with channels last is not used') and warning in caplog.text
    assert 'differs by' in warning or 'no kernel for this' in warning
    np.testing.assert_allclose(run(engine, frame_of()).depth, expected, rtol=1e-4)


def test_where_nothing_faster_is_right_plain_float32_runs() -> None:
    network = with_layer(tiny_metric, lambda layer: Fragile(layer, last=True))
    engine = engine_of(network, 'da3metric-large', torch.bfloat16)
    assert engine.info.acceleration == 'plain float32' and engine.info.precision == 'fp32'
    assert [text[:4] for text in engine.info.warnings] == ['bf16', 'fp32']
    plain = FrameNetwork(tiny_metric(), plain=True)
    images = gate_images(1, CPU)
    for found, expected in zip(engine._ready()(images), plain(images), strict=True):
        if expected is not None and found is not None:
            torch.testing.assert_close(found, expected)


def test_too_little_memory_is_no_reason_to_compute_otherwise() -> None:
    class Full(nn.Module):

        def forward(self, *_: Any) -> Any:
            raise torch.cuda.OutOfMemoryError('CUDA out of memory')
    from depth_anything_ros.errors import OutOfMemory
    with pytest.raises(OutOfMemory):
        engine_of(with_layer(tiny_metric, lambda layer: Full()), 'da3metric-large',
                  torch.bfloat16)


def test_the_fallback_serves_as_well_as_any() -> None:
    network = with_layer(tiny_metric, lambda layer: Fragile(layer, low=True))
    result = run(engine_of(network, 'da3metric-large', torch.bfloat16), frame_of(), METRES)
    assert np.isfinite(result.depth).any() and result.cloud is not None
    raw = FrameOptions(process_res=98, raw=True)
    assert run(engine_of(tiny_metric(), 'da3metric-large', torch.bfloat16), frame_of(), raw
               ).depth.shape == (70, 98)


def test_the_pictures_are_always_the_same_and_differ_from_each_other() -> None:
    one, again, other = (gate_images(2, CPU, seed=seed) for seed in (0, 0, 1))
    assert one.shape == (2, 3, SIZE[1], SIZE[0]) and torch.equal(one, again)
    assert not torch.equal(one[0], one[1]) and not torch.equal(one, other)
    assert one.is_contiguous(memory_format=torch.channels_last)


def maps(depth: float = 2.0, sky: float = 0.0, focal: float = 100.0) -> RawMaps:
    camera = torch.tensor([[[focal, 0, 50], [0, focal, 40], [0, 0, 1.0]]])
    return RawMaps(torch.full((1, 4, 5), depth), None, torch.full((1, 4, 5), sky), camera)


def test_differences_are_relative_and_none_hides() -> None:
    assert differences(maps(), maps()) == {'depth': 0.0, 'sky': 0.0, 'camera': 0.0}
    seen = differences(maps(2.02, 1.0, 110.0), maps())
    assert seen['depth'] == pytest.approx(0.01) and seen['sky'] == 1.0
    assert seen['camera'] == pytest.approx(0.1)
    assert differences(maps(float('nan')), maps())['depth'] == 1.0
    assert differences(maps(float('nan')), maps(float('nan')))['depth'] == 0.0
    assert differences(maps()._replace(sky=None), maps())['sky'] == 1.0
    text, error = objection(maps(2.02), maps(), torch.float32)
    assert 'depth differs by 1.00% (accepted: 0.2%)' == text and error == pytest.approx(0.01)
    assert objection(maps(2.02), maps(), torch.bfloat16)[0] == ''
