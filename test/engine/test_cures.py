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

"""A cured network answers what the same network answers uncured."""

from __future__ import annotations

from typing import Any, Callable

from depth_anything_ros.engine.cures import RAY_PARTS, TableRope
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.network import build_random
from depth_anything_ros.engine.passes import FrameNetwork
from depth_anything_ros.engine.sky import fill_sky
import pytest
from tiny_networks import tiny_any_view, tiny_metric, tiny_nested
import torch

SIZES = [(70, 98), (98, 70), (14, 140), (518, 518)]


def images(height: int, width: int, count: int = 1, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((count, 3, height, width), generator=generator)


def uncured(network: Any, batch: torch.Tensor) -> list[Any]:
    """Return upstream's own answer for every image by itself."""
    with torch.inference_mode():
        return [network(batch[index:index + 1, None]) for index in range(len(batch))]


def cured(network: Any, batch: torch.Tensor) -> Any:
    with torch.inference_mode():
        return FrameNetwork(network)(batch)


def same(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Compare to a few units in the last place: bit-equal on some CPUs, 3e-6 apart on others."""
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('alternate', [1, 2, 3])
def test_any_view_equals_upstream(size: tuple[int, int], alternate: int) -> None:
    batch = images(*size)
    expected = uncured(tiny_any_view(alternate=alternate), batch)[0]
    found = cured(tiny_any_view(alternate=alternate), batch)
    assert expected.depth.std() > 0.01 * expected.depth.mean()
    same(found.depth, expected.depth[0])
    same(found.confidence, expected.depth_conf[0])
    same(found.camera, expected.intrinsics[0])
    assert found.sky is None


@pytest.mark.parametrize('size', SIZES)
def test_metric_equals_upstream_and_so_does_its_sky_fill(size: tuple[int, int]) -> None:
    batch = images(*size)
    expected = uncured(tiny_metric(), batch)[0]
    found = cured(tiny_metric(), batch)
    # Its last layer is made 30 times as steep for this test.
    torch.testing.assert_close(found.sky, expected.sky[0], rtol=1e-5, atol=1e-5)
    is_sky = found.sky >= 0.3
    assert 0.02 < is_sky.float().mean() < 0.95
    same(found.depth[~is_sky], expected.depth[0][~is_sky])
    if is_sky.numel() < 100_000:
        torch.testing.assert_close(fill_sky(found.depth, found.sky), expected.depth[0])
        assert not torch.equal(found.depth, expected.depth[0])


@pytest.mark.parametrize('size', SIZES[:3])
def test_nested_equals_upstream_for_single_frames(size: tuple[int, int]) -> None:
    batch = images(*size)
    expected = uncured(tiny_nested(), batch)[0]
    found = cured(tiny_nested(), batch)
    assert found.scale.item() == pytest.approx(expected.scale_factor, rel=1e-5)
    filled = fill_sky(found.depth, found.sky, 200.0)
    torch.testing.assert_close(filled, expected.depth[0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.confidence, expected.depth_conf[0])


@pytest.mark.parametrize('make', [tiny_any_view, tiny_metric, tiny_nested])
def test_a_frame_does_not_depend_on_its_batch(make: Callable[[], Any]) -> None:
    batch = images(70, 98, count=3)
    network = FrameNetwork(make())
    with torch.inference_mode():
        together = network(batch)
        for index in range(3):
            alone = network(batch[index:index + 1])
            for one, three in zip(alone, together):
                if one is not None:
                    torch.testing.assert_close(one[0], three[index], rtol=1e-5, atol=1e-5)


def test_nested_frames_have_their_own_scale_and_an_all_sky_frame_has_none() -> None:
    network = tiny_nested()
    batch = images(70, 98, count=2) * torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
    scales = FrameNetwork(network)(batch).scale
    assert abs(float(scales[0] - scales[1])) > 1e-6
    network.da3_metric.head.scratch.sky_output_conv2[-1].bias.data += 1000
    found = cured(network, batch)
    assert found.scale.isnan().all()
    assert found.depth.isnan().all()


def test_the_answer_is_not_random_and_leaves_the_random_state_alone() -> None:
    network, batch = FrameNetwork(tiny_metric()), images(364, 364)
    before = torch.random.get_rng_state()
    with torch.inference_mode():
        first, second = (fill_sky(*network(batch)[0:3:2]) for _ in range(2))
    assert first.numel() > 100_000
    assert torch.equal(first, second)
    assert torch.equal(before, torch.random.get_rng_state())


def test_da3_small_equals_upstream() -> None:
    batch = images(70, 98)
    expected = uncured(build_random(find('da3-small'), 3), batch)[0]
    found = cured(build_random(find('da3-small'), 3), batch)
    same(found.depth, expected.depth[0])
    same(found.confidence, expected.depth_conf[0])
    same(found.camera, expected.intrinsics[0])


def test_unused_parts_are_gone_and_upstreams_own_forward_still_works() -> None:
    network = tiny_any_view()
    batch = images(70, 98, count=2)
    before = network.backbone(batch[None])[0]
    FrameNetwork(network)
    assert network.cam_enc is None
    assert not any(hasattr(network.head.scratch, name) for name in RAY_PARTS)
    assert isinstance(network.backbone.pretrained.rope, TableRope)
    after = network.backbone(batch[None])[0]
    for one, other in zip(before, after):
        same(one[0], other[0])


def test_tables_are_made_once_per_size() -> None:
    network = FrameNetwork(tiny_any_view())
    with torch.inference_mode():
        for height, width in ((70, 98), (98, 70), (70, 98)):
            network(images(height, width))
    assert network.tables.cache_info().misses == 2


@pytest.mark.parametrize('make', [tiny_any_view, tiny_metric, tiny_nested])
def test_the_pass_is_one_graph(make: Callable[[], Any]) -> None:
    network = FrameNetwork(make())
    batch = images(28, 42)
    tables = network.tables(28, 42, batch.device)
    with torch.no_grad():
        report = torch._dynamo.explain(network)(batch, tables)
    torch._dynamo.reset()
    assert (report.graph_count, report.graph_break_count) == (1, 0)


def test_low_precision_keeps_norms_and_heads_in_float32() -> None:
    reference, batch = cured(tiny_any_view(), images(70, 98)), images(70, 98)
    network = FrameNetwork(tiny_any_view(), torch.bfloat16)
    transformer = network.network.backbone.pretrained
    assert transformer.blocks[0].attn.qkv.weight.dtype is torch.bfloat16
    assert transformer.blocks[0].norm1.weight.dtype is torch.float32
    assert network.network.head.norm.weight.dtype is torch.float32
    with torch.inference_mode():
        found = network(batch)
        with torch.autocast('cpu', torch.bfloat16):
            expected = tiny_any_view()(batch[:, None])
    assert found.depth.dtype is torch.float32
    # On the CPU upstream rounds the rotation angles to bfloat16 before their cosine.
    torch.testing.assert_close(found.depth, expected.depth[0], rtol=1e-3, atol=0)
    torch.testing.assert_close(found.depth, reference.depth, rtol=0.05, atol=0)
