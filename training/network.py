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

"""The network under training: first weights, loss, checkpoint files."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

from depth_anything_ros.engine.checkpoint import save_checkpoint
from depth_anything_ros.engine.tiny import build_tiny, TINY_NAME
import torch

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
# The logarithm of a typical canonical depth: where training starts.
FIRST_LOG_DEPTH = 1.7


def fresh_network(seed: int) -> torch.nn.Module:
    """Return the network with first weights; its sky head can never fire (rooms have no sky)."""
    torch.manual_seed(seed)
    net: Any = build_tiny()
    vit, head = net.backbone.pretrained, net.head
    for module in vit.blocks.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.trunc_normal_(module.weight, std=0.02)
            torch.nn.init.zeros_(module.bias)
    # Convolutions are faster on a CPU with their channels last.
    head.to(memory_format=torch.channels_last)
    with torch.no_grad():
        vit.pos_embed.copy_(position_embedding(vit.pos_embed.shape[1] - 1, vit.embed_dim))
        torch.nn.init.trunc_normal_(vit.cls_token, std=0.02)
        head.scratch.output_conv2[-1].bias.fill_(FIRST_LOG_DEPTH)
        head.scratch.sky_output_conv2[-1].weight.zero_()
        head.scratch.sky_output_conv2[-1].bias.fill_(-1.0)
    fresh: torch.nn.Module = net
    return fresh


def position_embedding(patches: int, dim: int) -> torch.Tensor:
    """Return (1, 1 + patches, dim) smooth waves over a square grid; the class token gets 0."""
    side = math.isqrt(patches)
    place = (torch.arange(side) + 0.5) / side
    waves = torch.pi * (1 + torch.arange(dim // 4)) * 0.25
    table = torch.cat([torch.sin(place[:, None] * waves), torch.cos(place[:, None] * waves)], 1)
    down = table[:, None].expand(side, side, dim // 2)
    across = table[None].expand(side, side, dim // 2)
    grid = torch.cat([down, across], dim=2).reshape(1, patches, dim)
    return 0.2 * torch.cat([torch.zeros(1, 1, dim), grid], dim=1)


def log_depth(net: Any, images: torch.Tensor) -> torch.Tensor:
    """
    Return the logarithm of canonical depth, by backbone and depth head alone.

    Upstream's own forward would overwrite depth wherever an untrained sky head fires.

    :param images: (N, 3, H, W) normalised.
    :returns: (N, H, W) float32.
    """
    features, _ = net.backbone(images[:, None])
    head = net.head
    sky, head.use_sky_head = head.use_sky_head, False
    activation, head.activation = head.activation, 'linear'
    try:
        output = head(features, images.shape[-2], images.shape[-1], patch_start_idx=0)['depth']
    finally:
        head.use_sky_head, head.activation = sky, activation
    logarithm: torch.Tensor = output[:, 0].float()
    return logarithm


def loss_of(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute log error plus that of its slopes over 1 and 4 pixels."""
    error = prediction - target
    loss = error.abs().mean()
    for step in (1, 4):
        loss = loss + 0.25 * (error[:, :, step:] - error[:, :, :-step]).abs().mean()
        loss = loss + 0.25 * (error[:, step:] - error[:, :-step]).abs().mean()
    return loss


class Average:
    """A running mean of the weights, which is better than the last ones."""

    def __init__(self, net: torch.nn.Module) -> None:
        """Start from a copy of the network."""
        self.net = copy.deepcopy(net).eval()

    @torch.no_grad()
    def update(self, net: torch.nn.Module, step: int) -> None:
        """Move the mean towards the present weights, quickly at first."""
        keep = min(0.999, (1 + step) / (10 + step))
        for mean, value in zip(self.net.parameters(), net.parameters()):
            mean.lerp_(value, 1 - keep)


def save_model(net: torch.nn.Module, folder: Path) -> None:
    """Write the weights in half precision (half the size, the same depth) and their config."""
    save_checkpoint(copy.deepcopy(net).half(), folder, TINY_NAME)
