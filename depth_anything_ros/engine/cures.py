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

"""Changes to an upstream network that leave its answers alone and its cost lower."""

from __future__ import annotations

from typing import Any, Iterator

import torch
from torch import nn

RAY_PARTS = (
    'refinenet1_aux', 'refinenet2_aux', 'refinenet3_aux', 'refinenet4_aux', 'output_conv1_aux',
    'output_conv2_aux')
"""Parts of the any-view head that only predict rays: 19 to 31 % of a frame's CPU time."""


class TableRope(nn.Module):
    """
    Rotary position embedding by a ready table instead of by positions.

    Upstream asks the positions for their maximum, a wait for the device twice a block, and looks
    every cosine up again. The table (see :func:`rope_table`) is made once per image size.
    """

    def __init__(self, upstream: Any) -> None:
        """Keep upstream's module, which still serves integer positions."""
        super().__init__()
        self.upstream = upstream

    def forward(self, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """
        Return the rotated tokens.

        :param tokens: (B, heads, N, D).
        :param positions: (2, N, D) cosines and sines, or (B, N, 2) integer positions.
        """
        if not positions.is_floating_point():
            rotated: torch.Tensor = self.upstream(tokens, positions)
            return rotated
        cosine, sine = positions.to(tokens.dtype).unbind(0)
        a, b, c, d = tokens.chunk(4, dim=-1)
        turned = torch.cat((-b, a, -d, c), dim=-1)
        rotated = tokens * cosine + turned * sine
        return rotated


def rope_table(rope: TableRope, positions: torch.Tensor, head_dim: int) -> torch.Tensor:
    """
    Return the cosines and sines of integer positions.

    :param rope: the module whose base frequency counts.
    :param positions: (N, 2) int64, row and column of every token.
    :param head_dim: channels of one attention head, half for rows and half for columns.
    :returns: (2, N, head_dim) float32 on the device of ``positions``.
    """
    length = int(positions.max()) + 1
    cosine, sine = rope.upstream._compute_frequency_components(
        head_dim // 2, length, positions.device, torch.float32)
    rows, columns = positions.unbind(-1)
    return torch.stack([torch.cat((part[rows], part[columns]), -1) for part in (cosine, sine)])


def use_tables(network: nn.Module) -> None:
    """Replace every rotary embedding of a network by one that also takes ready tables."""
    for transformer in transformers(network):
        if transformer.rope is None or isinstance(transformer.rope, TableRope):
            continue
        transformer.rope = TableRope(transformer.rope)
        for block in transformer.blocks:
            if block.attn.rope is not None:
                block.attn.rope = transformer.rope


def drop_unused(network: nn.Module) -> None:
    """Free what single frames without given poses never use: pose encoder and ray branch."""
    parts: list[Any] = list(network.modules())
    for module in parts:
        if getattr(module, 'cam_enc', None) is not None:
            module.cam_enc = None
        if hasattr(module, 'scratch'):
            for name in RAY_PARTS:
                if hasattr(module.scratch, name):
                    delattr(module.scratch, name)


def transformers(network: nn.Module) -> Iterator[Any]:
    """Yield every DINOv2 transformer inside a network."""
    from depth_anything_3.model.dinov2.vision_transformer import DinoVisionTransformer
    for module in network.modules():
        if isinstance(module, DinoVisionTransformer):
            yield module


def channels_last(network: nn.Module) -> None:
    """
    Lay out the convolutions' weights as their inputs are: tokens and pixels hold channels last.

    On a CPU da3-tiny takes 30 % less time, da3-small 3 %; the sums are done in another order.
    """
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def channels_first(network: nn.Module) -> None:
    """Take :func:`channels_last` back."""
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()


def lower_precision(network: nn.Module, dtype: torch.dtype) -> None:
    """
    Store the backbone's matrices in ``dtype``, as autocast would cast them in every call.

    Norms, scales and embeddings stay float32, and so do the heads: autocast keeps those there.
    """
    if dtype is torch.float32:
        return
    for transformer in transformers(network):
        for module in transformer.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                module.to(dtype)
