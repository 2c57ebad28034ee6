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

"""What a network needs to know about an image size, computed once per size."""

from __future__ import annotations

from typing import Any, NamedTuple

from depth_anything_ros.core.processed_size import PATCH
from depth_anything_ros.engine.cures import rope_table
import torch


class BackboneTable(NamedTuple):
    """``position`` (1, N, C); ``local`` and ``whole`` (2, N, D) rotations, None without RoPE."""

    position: torch.Tensor
    local: torch.Tensor | None
    whole: torch.Tensor | None


class HeadTable(NamedTuple):
    """
    The head's position embeddings: channels by column and channels by row.

    ``stages`` belong to the token grid, one pair per stage; ``full`` to the image. Each pair is
    (1, C/2, 1, width) and (1, C/2, height, 1): the full map is their broadcast side by side.
    """

    stages: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    full: tuple[torch.Tensor, torch.Tensor]


def backbone_table(transformer: Any, height: int, width: int) -> BackboneTable:
    """
    Return the tables of a DINOv2 transformer for images of ``height`` x ``width`` pixels.

    Positions are those of upstream: the class token at 0, patches from 1; in blocks that look
    across views every patch counts as position 1.
    """
    rows, columns = height // PATCH, width // PATCH
    device = transformer.pos_embed.device
    like = torch.empty((1, rows * columns + 1, transformer.embed_dim), device=device)
    position = transformer.interpolate_pos_encoding(like, height, width).detach().clone()
    if transformer.rope is None:
        return BackboneTable(position, None, None)
    grid = torch.cartesian_prod(
        torch.arange(rows, device=device), torch.arange(columns, device=device)) + 1
    special = torch.zeros((1, 2), dtype=grid.dtype, device=device)
    head_dim = transformer.embed_dim // transformer.num_heads
    local, whole = (
        rope_table(transformer.rope, torch.cat((special, places)), head_dim)
        for places in (grid, torch.ones_like(grid)))
    return BackboneTable(position, local, whole)


def head_table(head: Any, height: int, width: int) -> HeadTable | None:
    """Return the tables of a DPT head for such images, None where it embeds no positions."""
    if not head.pos_embed:
        return None
    device = head.scratch.output_conv1.weight.device
    channels = [project.out_channels for project in head.projects]
    aspect = width / height
    stages = tuple(
        _uv_pair(count, height // PATCH, width // PATCH, aspect, device) for count in channels)
    full = _uv_pair(head.scratch.output_conv1.out_channels, height, width, aspect, device)
    return HeadTable(stages, full)


def _uv_pair(
    channels: int, height: int, width: int, aspect: float, device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    from depth_anything_3.model.utils.head_utils import create_uv_grid, make_sincos_pos_embed
    grid = create_uv_grid(width, height, aspect, torch.float32, device)
    by_column = make_sincos_pos_embed(channels // 2, grid[0, :, 0]) * 0.1
    by_row = make_sincos_pos_embed(channels // 2, grid[:, 0, 1]) * 0.1
    return by_column.T[None, :, None, :].contiguous(), by_row.T[None, :, :, None].contiguous()
