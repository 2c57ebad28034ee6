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

"""Sky and scale statistics of one frame at a time, without waiting for the device."""

from __future__ import annotations

from depth_anything_ros.core.depth import SKY_THRESHOLD
import torch

FEWEST = 10
"""A class of so few pixels says nothing (upstream's own number)."""


def masked_quantile(values: torch.Tensor, mask: torch.Tensor, level: float) -> torch.Tensor:
    """
    Return a quantile of the chosen values of every frame, linear between neighbours.

    Equal to ``torch.quantile(values[mask], level)`` of each frame, but without a size that
    depends on the data; upstream takes a random sample where there are over 100,000 values.

    :param values: (B, H, W) float32.
    :param mask: (B, H, W) bool, the values that count.
    :param level: 0 to 1.
    :returns: (B,) float32, infinite where nothing is chosen.
    """
    chosen = mask.flatten(1)
    ordered = values.flatten(1).masked_fill(~chosen, float('inf')).sort(dim=1).values
    rank = (chosen.sum(1, keepdim=True) - 1).clamp_min(0).to(values.dtype) * level
    low, high = rank.floor(), rank.ceil()
    below, above = ordered.gather(1, low.long()), ordered.gather(1, high.long())
    # Where both are the same value the weight is 0, and infinity times 0 would be NaN.
    return torch.where(below == above, below, torch.lerp(below, above, rank - low)).squeeze(1)


def fill_sky(
    depth: torch.Tensor, sky: torch.Tensor, farthest: float = float('inf'),
) -> torch.Tensor:
    """
    Return depth with the sky at the 0.99 quantile of everything else, frame by frame.

    As upstream's fill, but the same for the same frame whatever shares its batch. Frames without
    enough sky, or with hardly anything else, stay as they are.

    :param depth: (B, H, W) float32.
    :param sky: (B, H, W) float32, the network's sky map.
    :param farthest: no sky is put farther than this.
    """
    ground = sky < SKY_THRESHOLD
    count = ground.sum((1, 2))
    level = masked_quantile(depth, ground, 0.99).clamp_max(farthest)
    fill = (count > FEWEST) & (ground[0].numel() - count > FEWEST)
    return torch.where(fill[:, None, None] & ~ground, level[:, None, None], depth)
