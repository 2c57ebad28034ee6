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

"""The cured forward pass of several views of one scene, for any-view and nested networks."""

from __future__ import annotations

from typing import Any, NamedTuple

from depth_anything_ros.core.depth import CANONICAL_FOCAL, SKY_THRESHOLD
from depth_anything_ros.engine.alignment import metric_scale
from depth_anything_ros.engine.backbone import Features, normed
from depth_anything_ros.engine.head import head_maps, Maps
from depth_anything_ros.engine.passes import branches, FrameNetwork
from depth_anything_ros.engine.tables import BackboneTable, HeadTable
import torch

CHUNK = 8
"""Views that go through a head, or through the metric network, at once: it bounds the memory."""


class SceneMaps(NamedTuple):
    """
    What a network says about N views: maps are (N, H, W) float32 on the device.

    ``camera`` (N, 3, 3) holds K in pixels, ``camera_to_world`` (N, 3, 4) the poses; ``scale`` ()
    the factor that the nested model already applied to depth and poses, NaN where it found none.
    """

    depth: torch.Tensor
    confidence: torch.Tensor
    camera: torch.Tensor
    camera_to_world: torch.Tensor
    sky: torch.Tensor | None = None
    scale: torch.Tensor | None = None


def scene_features(backbone: Any, images: torch.Tensor, table: BackboneTable) -> Features:
    """
    Return what the head needs, equal to upstream's ``backbone(images[None])``.

    From ``alt_start`` on every second block looks across all views. Of three or more views
    upstream's own choice is the reference.

    :param backbone: upstream's DinoV2 module.
    :param images: (N, 3, H, W) normalised, sides multiples of 14.
    :param table: the tables of that size.
    """
    from depth_anything_3.model.reference_view_selector import (
        reorder_by_reference,
        restore_original_order,
        select_reference_view,
    )
    from depth_anything_3.utils.constants import THRESH_FOR_REF_SELECTION

    transformer, count = backbone.pretrained, len(images)
    whole = None if table.whole is None else table.whole.repeat(1, count, 1)
    patches = transformer.patch_embed(images)
    first = transformer.cls_token.expand(count, -1, -1)
    tokens = local = torch.cat((first, patches), dim=1) + table.position
    reference = None
    taken: list[torch.Tensor] = []
    for index, block in enumerate(transformer.blocks):
        turns = transformer.rope is not None and index >= transformer.rope_start
        alternates = transformer.alt_start != -1 and index >= transformer.alt_start
        if index == transformer.alt_start - 1 and count >= THRESH_FOR_REF_SELECTION:
            reference = select_reference_view(tokens[None])
            tokens = reorder_by_reference(tokens[None], reference)[0]
            local = reorder_by_reference(local[None], reference)[0]
        if alternates and index == transformer.alt_start:
            tokens = local = torch.cat((pose_tokens(transformer, count), tokens[:, 1:]), dim=1)
        if alternates and index % 2 == 1:
            together = block(tokens.flatten(0, 1)[None], pos=whole if turns else None)
            tokens = together.view_as(tokens)
        else:
            tokens = local = block(tokens, pos=table.local if turns else None)
        if index in backbone.out_layers:
            layer = torch.cat((local, tokens), -1) if transformer.cat_token else tokens
            if reference is not None:
                layer = restore_original_order(layer[None], reference)[0]
            taken.append(layer)
    return Features([normed(transformer, each) for each in taken], taken[-1][:, 0])


def pose_tokens(transformer: Any, count: int) -> torch.Tensor:
    """Return the (N, 1, C) tokens that ask for poses: one of the reference, one of the others."""
    reference, others = transformer.camera_token[0]
    return torch.stack([reference, *([others] * (count - 1))])[:, None]


def scene_maps(frames: FrameNetwork, images: torch.Tensor) -> SceneMaps:
    """
    Return the maps and cameras of the views of one scene.

    :param frames: the cured network, any-view or nested.
    :param images: (N, 3, H, W) float32 normalised, sides multiples of 14.
    """
    tables = frames.tables(images.shape[2], images.shape[3], images.device)
    any_view, *metric = branches(frames.network)
    maps = _together(any_view, images, *tables[0], frames.precision)
    if not metric:
        return maps
    parts = [frames.branch(metric[0], images[start:start + CHUNK], *tables[1])
             for start in range(0, len(images), CHUNK)]
    return in_metres(
        maps, torch.cat([part.depth for part in parts]),
        torch.cat([part.sky for part in parts if part.sky is not None]))


def _together(
    branch: Any, images: torch.Tensor, backbone: BackboneTable, head: HeadTable | None,
    precision: torch.dtype,
) -> SceneMaps:
    from depth_anything_3.model.utils.transform import pose_encoding_to_extri_intri
    height, width = images.shape[2:]
    low = precision is not torch.float32
    with torch.autocast(images.device.type, precision if low else None, enabled=low):
        found = scene_features(branch.backbone, images, backbone)
    parts: list[Maps] = [
        head_maps(branch.head, [each[start:start + CHUNK].float() for each in found.patches],
                  height, width, head)
        for start in range(0, len(images), CHUNK)]
    pose = branch.cam_dec(found.camera.float()[None])
    camera_to_world, camera = pose_encoding_to_extri_intri(pose, (height, width))
    return SceneMaps(
        torch.cat([depth for depth, _, _ in parts]),
        torch.cat([sure for _, sure, _ in parts if sure is not None]),
        camera[0], camera_to_world[0])


def in_metres(maps: SceneMaps, canonical: torch.Tensor, sky: torch.Tensor) -> SceneMaps:
    """
    Return the any-view maps and poses in metres, by one fit of all views to the metric network.

    :param maps: those of the any-view network.
    :param canonical: (N, H, W) float32, the metric network's depth.
    :param sky: (N, H, W) float32, its sky map.
    """
    focal = (maps.camera[:, 0, 0] + maps.camera[:, 1, 1]) / 2
    metres = canonical * (focal / CANONICAL_FOCAL)[:, None, None]
    # As one tall image, already at the canonical focal length.
    depth, sure, far, clouds = (
        each.flatten(0, 1)[None] for each in (maps.depth, maps.confidence, metres, sky))
    scale = metric_scale(depth, sure, far, clouds, far.new_full((1,), CANONICAL_FOCAL))[0]
    poses = torch.cat((maps.camera_to_world[..., :3], maps.camera_to_world[..., 3:] * scale), -1)
    confidence = torch.where(sky < SKY_THRESHOLD, maps.confidence, 1.0)
    return SceneMaps(maps.depth * scale, confidence, maps.camera, poses, sky, scale)
