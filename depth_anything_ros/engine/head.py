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

"""One pass of single images through a DPT head: depth, and confidence or sky where it has them."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.core.processed_size import PATCH
from depth_anything_ros.engine.tables import HeadTable
import torch
from torch.nn import functional

Maps = tuple[torch.Tensor, 'torch.Tensor | None', 'torch.Tensor | None']
"""Depth, confidence and sky, each (B, H, W) float32 or None."""


def head_maps(
    head: Any, patches: list[torch.Tensor], height: int, width: int, table: HeadTable | None,
) -> Maps:
    """
    Return the maps of a head, equal to upstream's ``head`` without its rays.

    :param head: upstream's DPT or DualDPT.
    :param patches: four (B, N, C) float32 maps of patch tokens.
    :param height: image height in pixels.
    :param width: image width in pixels.
    :param table: the head's position embeddings for this size, None where it has none.
    """
    if table is None:
        found = head._forward_impl(patches, height, width, 0)
        return found['depth'], found.get('depth_conf'), found.get('sky')
    fused = _fuse(head.scratch, _stages(head, patches, height, width, table))
    fused = functional.interpolate(
        fused, size=(height, width), mode='bilinear', align_corners=True)
    logits = head.scratch.output_conv2(_embedded(fused, table.full))
    depth = head._apply_activation_single(logits[:, 0], head.activation)
    confidence = head._apply_activation_single(logits[:, 1], head.conf_activation)
    return depth, confidence, None


def _stages(
    head: Any, patches: list[torch.Tensor], height: int, width: int, table: HeadTable,
) -> list[torch.Tensor]:
    maps = []
    for tokens, project, pair, resize in zip(
            patches, head.projects, table.stages, head.resize_layers, strict=True):
        count, _, channels = tokens.shape
        grid = head.norm(tokens).permute(0, 2, 1).reshape(
            count, channels, height // PATCH, width // PATCH)
        maps.append(resize(_embedded(project(grid), pair)))
    return maps


def _fuse(scratch: Any, maps: list[torch.Tensor]) -> torch.Tensor:
    one, two, three, four = (
        layer(each) for layer, each in zip(
            (scratch.layer1_rn, scratch.layer2_rn, scratch.layer3_rn, scratch.layer4_rn),
            maps, strict=True))
    fused = scratch.refinenet4(four, size=three.shape[2:])
    fused = scratch.refinenet3(fused, three, size=two.shape[2:])
    fused = scratch.refinenet2(fused, two, size=one.shape[2:])
    result: torch.Tensor = scratch.output_conv1(scratch.refinenet1(fused, one))
    return result


def _embedded(maps: torch.Tensor, pair: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    by_column, by_row = pair
    half = by_column.shape[1]
    return torch.cat((maps[:, :half] + by_column, maps[:, half:] + by_row), dim=1)
