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

"""The nested model's step to metres: fit the any-view depth to the metric depth, per frame."""

from __future__ import annotations

from depth_anything_ros.core.depth import CANONICAL_FOCAL, SKY_THRESHOLD
from depth_anything_ros.engine.sky import FEWEST, masked_quantile
import torch


def metric_scale(
    depth: torch.Tensor, confidence: torch.Tensor, canonical: torch.Tensor, sky: torch.Tensor,
    focal: torch.Tensor,
) -> torch.Tensor:
    """
    Return the factor that turns every frame's any-view depth into metres.

    Least squares over pixels that are not sky and at least as sure as the median, as upstream,
    but one factor per frame instead of one for the batch.

    :param depth: (B, H, W) float32, the any-view network's depth.
    :param confidence: (B, H, W) float32, its confidence.
    :param canonical: (B, H, W) float32, the metric network's depth.
    :param sky: (B, H, W) float32, the metric network's sky map.
    :param focal: (B,) float32, predicted mean(fx, fy) in pixels of these maps.
    :returns: (B,) float32, NaN where a frame shows hardly anything but sky.
    """
    metres = canonical * (focal / CANONICAL_FOCAL)[:, None, None]
    ground = sky < SKY_THRESHOLD
    median = masked_quantile(confidence, ground, 0.5)
    used = (confidence >= median[:, None, None]) & ground & (metres > 1e-2) & (depth > 1e-3)
    near = torch.where(used, depth, torch.zeros_like(depth))
    scale = (near * metres).sum((1, 2)) / (near * near).sum((1, 2)).clamp_min(1e-12)
    known = (ground.sum((1, 2)) > FEWEST) & used.flatten(1).any(1)
    return torch.where(known, scale, torch.full_like(scale, float('nan')))
