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

"""One pass of single images through a DINOv2 backbone, with ready tables and no waiting."""

from __future__ import annotations

from typing import Any, NamedTuple

from depth_anything_ros.engine.tables import BackboneTable
import torch


class Features(NamedTuple):
    """``patches``: four (B, N, C) float32 maps of tokens; ``camera``: (B, C), the pose token."""

    patches: list[torch.Tensor]
    camera: torch.Tensor


def features(backbone: Any, images: torch.Tensor, table: BackboneTable) -> Features:
    """
    Return what the head needs, equal to upstream's ``backbone(images[:, None])``.

    With a single view, blocks that look across views see that view's tokens only.

    :param backbone: upstream's DinoV2 module.
    :param images: (B, 3, H, W) normalised, sides multiples of 14.
    :param table: the tables of that size.
    """
    transformer = backbone.pretrained
    patches = transformer.patch_embed(images)
    first = transformer.cls_token.expand(images.shape[0], -1, -1)
    tokens = local = torch.cat((first, patches), dim=1) + table.position
    taken: list[torch.Tensor] = []
    for index, block in enumerate(transformer.blocks):
        turns = transformer.rope is not None and index >= transformer.rope_start
        alternates = transformer.alt_start != -1 and index >= transformer.alt_start
        if alternates and index == transformer.alt_start:
            pose = transformer.camera_token[:, :1].expand(images.shape[0], -1, -1)
            tokens = local = torch.cat((pose, tokens[:, 1:]), dim=1)
        if alternates and index % 2 == 1:
            tokens = block(tokens, pos=table.whole if turns else None)
        else:
            tokens = local = block(tokens, pos=table.local if turns else None)
        if index in backbone.out_layers:
            taken.append(torch.cat((local, tokens), -1) if transformer.cat_token else tokens)
    return Features([normed(transformer, each) for each in taken], taken[-1][:, 0])


def normed(transformer: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Return the patch tokens; of two concatenated halves only the second is normalised."""
    width = transformer.embed_dim
    normed: torch.Tensor
    if tokens.shape[-1] == width:
        normed = transformer.norm(tokens)
    else:
        normed = torch.cat((tokens[..., :width], transformer.norm(tokens[..., width:])), -1)
    return normed[:, 1:]
