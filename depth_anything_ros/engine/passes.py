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

"""The cured forward pass of single images, for the three kinds of network."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

from depth_anything_ros.core.depth import SKY_THRESHOLD
from depth_anything_ros.engine.alignment import metric_scale
from depth_anything_ros.engine.backbone import features
from depth_anything_ros.engine.cures import channels_last, drop_unused, lower_precision, use_tables
from depth_anything_ros.engine.head import head_maps
from depth_anything_ros.engine.tables import backbone_table, BackboneTable, head_table, HeadTable
import torch
from torch import nn

SIZES_KEPT = 8
"""Tables of so many image sizes are kept; a stream has one."""

Tables = list[tuple[BackboneTable, 'HeadTable | None']]


class RawMaps(NamedTuple):
    """
    What a network says about a batch: maps are (B, H, W) float32 on the device.

    ``camera`` (B, 3, 3) holds the predicted K in pixels of these maps; ``scale`` (B,) the factor
    that the nested model already applied to ``depth``, NaN where it found none.
    """

    depth: torch.Tensor
    confidence: torch.Tensor | None = None
    sky: torch.Tensor | None = None
    camera: torch.Tensor | None = None
    scale: torch.Tensor | None = None


class FrameNetwork(nn.Module):
    """
    An upstream network, cured, for batches of single images.

    A frame's answer does not depend on what else is in its batch, nothing waits for the device,
    and nothing is random.
    """

    def __init__(
        self, network: nn.Module, precision: torch.dtype = torch.float32, *, plain: bool = False,
    ) -> None:
        """
        Cure a network, in place.

        :param network: upstream's DepthAnything3Net or NestedDepthAnything3Net.
        :param precision: arithmetic of the backbone; the heads stay in float32.
        :param plain: leave the weights as they are, in float32 and channels first.
        """
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.precision = precision
        drop_unused(network)
        use_tables(network)
        if not plain:
            channels_last(network)
            lower_precision(network, precision)
        # Not a bound method: a cycle would keep the weights in memory after the last use.
        self.tables = lru_cache(maxsize=SIZES_KEPT)(partial(make_tables, network))

    def forward(self, images: torch.Tensor, tables: Tables | None = None) -> RawMaps:
        """
        Return the maps of a batch.

        :param images: (B, 3, H, W) float32 normalised, sides multiples of 14.
        :param tables: those of this size, default: the kept ones.
        """
        if tables is None:
            tables = self.tables(images.shape[2], images.shape[3], images.device)
        maps = [self.branch(branch, images, *each)
                for branch, each in zip(branches(self.network), tables, strict=True)]
        return maps[0] if len(maps) == 1 else nested(maps[0], maps[1])

    def branch(
        self, branch: Any, images: torch.Tensor, backbone: BackboneTable, head: HeadTable | None,
    ) -> RawMaps:
        """Return the maps of one of :func:`branches` for a batch of single images."""
        height, width = images.shape[2:]
        low = self.precision is not torch.float32
        with torch.autocast(images.device.type, self.precision if low else None, enabled=low):
            found = features(branch.backbone, images, backbone)
        patches = [each.float() for each in found.patches]
        depth, confidence, sky = head_maps(branch.head, patches, height, width, head)
        camera = None
        if branch.cam_dec is not None:
            camera = predicted_camera(branch.cam_dec, found.camera.float(), height, width)
        return RawMaps(depth, confidence, sky, camera)


def branches(network: Any) -> list[Any]:
    """Return the plain networks inside: one, or any-view and metric of the nested model."""
    return [network.da3, network.da3_metric] if hasattr(network, 'da3') else [network]


def make_tables(
    network: nn.Module, height: int, width: int, device: torch.device,
) -> Tables:
    """
    Return the tables of every branch for images of one size.

    :param network: upstream's network, on ``device``.
    :param height: image height in pixels.
    :param width: image width in pixels.
    :param device: where the network is, so that a cache of these does not outlive a move.
    """
    return [
        (backbone_table(branch.backbone.pretrained, height, width),
         head_table(branch.head, height, width))
        for branch in branches(network)]


def predicted_camera(
    decoder: Any, token: torch.Tensor, height: int, width: int,
) -> torch.Tensor:
    """Return the (B, 3, 3) float32 K that the pose decoder reads from (B, C) pose tokens."""
    from depth_anything_3.model.utils.transform import pose_encoding_to_extri_intri
    pose = decoder(token[:, None])
    cameras: torch.Tensor = pose_encoding_to_extri_intri(pose, (height, width))[1]
    return cameras[:, 0]


def nested(any_view: RawMaps, metric: RawMaps) -> RawMaps:
    """Return the any-view maps in metres, each frame by its own fit to the metric network."""
    assert any_view.camera is not None and any_view.confidence is not None
    assert metric.sky is not None
    focal = (any_view.camera[:, 0, 0] + any_view.camera[:, 1, 1]) / 2
    scale = metric_scale(
        any_view.depth, any_view.confidence, metric.depth, metric.sky, focal)
    sure = torch.where(
        metric.sky < SKY_THRESHOLD, any_view.confidence, torch.ones_like(any_view.confidence))
    return RawMaps(
        any_view.depth * scale[:, None, None], sure, metric.sky, any_view.camera, scale)
