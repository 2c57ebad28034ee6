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

"""Statistics of one frame: quantiles, the sky fill and the nested model's scale."""

from __future__ import annotations

from depth_anything_ros.engine.alignment import metric_scale
from depth_anything_ros.engine.sky import fill_sky, masked_quantile
import pytest
import torch


@pytest.mark.parametrize('level', [0.0, 0.5, 0.99, 1.0])
@pytest.mark.parametrize('count', [1, 2, 11, 1000, 4999])
def test_the_quantile_of_chosen_values_is_torchs(level: float, count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    values = torch.rand((2, 50, 100), generator=generator)
    mask = torch.zeros(2, 5000, dtype=torch.bool)
    for row in range(2):
        mask[row, torch.randperm(5000, generator=generator)[:count]] = True
    mask = mask.view(2, 50, 100)
    found = masked_quantile(values, mask, level)
    expected = torch.stack([torch.quantile(values[row][mask[row]], level) for row in range(2)])
    assert torch.equal(found, expected)


def test_nothing_chosen_gives_infinity() -> None:
    nothing = torch.zeros((1, 2, 3), dtype=torch.bool)
    assert masked_quantile(torch.ones((1, 2, 3)), nothing, 0.5).isinf().all()


def test_sky_is_filled_per_frame_and_no_sky_or_all_sky_is_left_alone() -> None:
    depth = torch.arange(1, 101, dtype=torch.float32).view(1, 10, 10).repeat(4, 1, 1)
    depth[1] *= 1000
    sky = torch.zeros_like(depth)
    sky[0, :5] = 1
    sky[1, 9] = 1
    sky[2] = 1
    sky[1, 8, 0] = 1
    filled = fill_sky(depth, sky, farthest=200.0)
    assert filled[0, 0, 0] == pytest.approx(51 + 0.99 * 49)
    assert torch.equal(filled[0, 5:], depth[0, 5:])
    assert (filled[1, 9] == 200).all()
    assert torch.equal(filled[2], depth[2])
    assert torch.equal(filled[3], depth[3])


def test_ten_sky_pixels_are_too_few() -> None:
    depth, sky = torch.rand((1, 10, 10)), torch.zeros((1, 10, 10))
    sky[0, 0] = 1
    assert torch.equal(fill_sky(depth, sky), depth)
    sky[0, 1, 0] = 1
    assert not torch.equal(fill_sky(depth, sky), depth)


def test_the_scale_is_found_exactly_where_there_is_one() -> None:
    depth = torch.rand((2, 20, 30)) + 1
    confidence, sky = torch.rand((2, 20, 30)) + 1, torch.zeros((2, 20, 30))
    focal = torch.tensor([600.0, 150.0])
    canonical = depth * torch.tensor([2.0, 8.0]).view(2, 1, 1)
    sky[0, :3] = 1
    canonical[0, :3] = 1e6
    unsure = confidence[1] < confidence[1].median()
    canonical[1][unsure] = 0.3
    scale = metric_scale(depth, confidence, canonical, sky, focal)
    torch.testing.assert_close(scale, torch.tensor([4.0, 4.0]))


def test_no_scale_without_ground() -> None:
    one = torch.ones((1, 20, 30))
    sky = torch.ones((1, 20, 30))
    sky[0, 0, :10] = 0
    focal = torch.tensor([300.0])
    assert metric_scale(one, one, one, sky, focal).isnan().all()
    assert metric_scale(one, one, one * 0, sky * 0, focal).isnan().all()
    assert metric_scale(one, one, one, sky * 0, focal).item() == 1
