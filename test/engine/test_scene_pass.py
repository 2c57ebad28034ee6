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

"""Several views of one scene: cured, a network answers what it answers uncured."""

from __future__ import annotations

from typing import Any, Callable

from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.network import build_random
from depth_anything_ros.engine.passes import FrameNetwork
from depth_anything_ros.engine.scene_pass import scene_maps, SceneMaps
import pytest
from tiny_networks import tiny_any_view, tiny_nested
import torch


def images(count: int, height: int = 70, width: int = 98) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randn((count, 3, height, width), generator=generator)


def uncured(network: Any, batch: torch.Tensor) -> Any:
    with torch.inference_mode():
        return network(batch[None])


def cured(network: Any, batch: torch.Tensor) -> SceneMaps:
    with torch.inference_mode():
        return scene_maps(FrameNetwork(network), batch)


def same(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 5e-6) -> None:
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def check_any_view(found: SceneMaps, expected: Any, tolerance: float = 5e-6) -> None:
    same(found.depth, expected.depth[0], tolerance)
    same(found.confidence, expected.depth_conf[0], tolerance)
    same(found.camera, expected.intrinsics[0], 2e-5)
    same(inverse(found.camera_to_world), expected.extrinsics[0], 2e-5)
    assert found.sky is None and found.scale is None


def inverse(poses: torch.Tensor) -> torch.Tensor:
    turned = poses[..., :3].mT
    return torch.cat((turned, -turned @ poses[..., 3:]), -1)


# Alternating from an odd and from an even block; upstream itself fails when it is the first one.
@pytest.mark.parametrize('alternate', [2, 3])
@pytest.mark.parametrize('count', [1, 2, 3, 5, 11])
def test_any_view_equals_upstream(count: int, alternate: int) -> None:
    batch = images(count)
    expected = uncured(tiny_any_view(alternate=alternate), batch)
    check_any_view(cured(tiny_any_view(alternate=alternate), batch), expected)


def test_the_views_know_of_each_other() -> None:
    batch = images(3)
    together, alone = (cured(tiny_any_view(), part) for part in (batch, batch[:1]))
    assert (together.depth[0] - alone.depth[0]).abs().max() > 1e-4


@pytest.mark.parametrize('count', [1, 2, 5, 9])
def test_nested_equals_upstream_with_one_scale_for_the_scene(count: int) -> None:
    batch = images(count)
    expected = uncured(tiny_nested(), batch)
    found = cured(tiny_nested(), batch)
    assert found.scale is not None and found.sky is not None
    assert float(found.scale) == pytest.approx(expected.scale_factor, rel=1e-5)
    ground = found.sky < 0.3
    assert 0.02 < 1 - ground.float().mean() < 0.95
    same(found.depth[ground], expected.depth[0][ground], 1e-5)
    same(found.confidence, expected.depth_conf[0])
    same(found.camera, expected.intrinsics[0], 2e-5)
    same(inverse(found.camera_to_world), expected.extrinsics[0], 2e-5)


def test_da3_small_equals_upstream() -> None:
    batches = [images(count, 42, 56) for count in (1, 2, 5)]
    network = build_random(find('da3-small'), 3)
    answers = [uncured(network, batch) for batch in batches]
    for batch, expected in zip(batches, answers):
        check_any_view(cured(network, batch), expected, 1e-5)


@pytest.mark.parametrize('make', [tiny_any_view, tiny_nested])
def test_the_answer_is_not_random(make: Callable[[], Any]) -> None:
    network, batch = FrameNetwork(make()), images(4)
    before = torch.random.get_rng_state()
    with torch.inference_mode():
        first, second = scene_maps(network, batch), scene_maps(network, batch)
    for one, other in zip(first, second):
        assert (one is None and other is None) or torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_nothing_but_sky_has_no_scale() -> None:
    network = tiny_nested()
    network.da3_metric.head.scratch.sky_output_conv2[-1].bias.data += 1000
    found = cured(network, images(3))
    assert found.scale is not None and found.scale.isnan()
    assert found.depth.isnan().all()


def test_low_precision_is_near() -> None:
    batch = images(3)
    exact = cured(tiny_any_view(), batch)
    with torch.inference_mode():
        rough = scene_maps(FrameNetwork(tiny_any_view(), torch.bfloat16), batch)
    assert rough.depth.dtype is torch.float32
    torch.testing.assert_close(rough.depth, exact.depth, rtol=0.1, atol=0)
