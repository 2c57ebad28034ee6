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

"""Upstream networks small enough to run in a blink: the same classes, the same forward."""

from __future__ import annotations

from depth_anything_ros.engine.network import import_upstream
import torch
from torch import nn

import_upstream()

from depth_anything_3.model.cam_dec import CameraDec  # noqa: E402, I100
from depth_anything_3.model.cam_enc import CameraEnc  # noqa: E402
from depth_anything_3.model.da3 import DepthAnything3Net, NestedDepthAnything3Net  # noqa: E402
from depth_anything_3.model.dinov2.dinov2 import DinoV2  # noqa: E402
from depth_anything_3.model.dinov2.vision_transformer import DinoVisionTransformer  # noqa: E402
from depth_anything_3.model.dpt import DPT  # noqa: E402
from depth_anything_3.model.dualdpt import DualDPT  # noqa: E402

CHANNELS = (8, 8, 16, 16)


class TinyDino(DinoV2):
    """DinoV2 with four small blocks."""

    def __init__(self, dim: int, alternate: int = -1, cat: bool = False) -> None:
        nn.Module.__init__(self)
        self.out_layers = [0, 1, 2, 3]
        self.pretrained = DinoVisionTransformer(
            img_size=518, patch_size=14, embed_dim=dim, depth=4, num_heads=2, mlp_ratio=2,
            alt_start=alternate, qknorm_start=alternate, rope_start=alternate, cat_token=cat,
            ffn_layer='mlp')
        # Trained position embeddings are not zero; untrained ones hide mistakes.
        nn.init.normal_(self.pretrained.pos_embed, std=0.5)
        nn.init.normal_(self.pretrained.cls_token, std=0.5)


class TinyNested(NestedDepthAnything3Net):
    """The nested network around two tiny ones."""

    def __init__(self, seed: int, dim: int) -> None:
        nn.Module.__init__(self)
        self.da3 = tiny_any_view(seed, dim)
        self.da3_metric = tiny_metric(seed + 1, dim)


def tiny_any_view(seed: int = 0, dim: int = 32, alternate: int = 2) -> DepthAnything3Net:
    """Return an any-view network: depth, confidence, rays and a camera."""
    torch.manual_seed(seed)
    network = DepthAnything3Net(
        net=TinyDino(dim, alternate, True),
        head=DualDPT(dim_in=2 * dim, output_dim=2, features=16, out_channels=CHANNELS),
        cam_enc=CameraEnc(dim_out=dim, num_heads=2, trunk_depth=1),
        cam_dec=CameraDec(dim_in=2 * dim))
    # Otherwise the field of view is 0 and the focal length 1e7.
    network.cam_dec.fc_fov[0].bias.data.fill_(1.0)
    network.head.scratch.output_conv2[-1].weight.data *= 20
    return network.eval()


def tiny_metric(seed: int = 0, dim: int = 32) -> DepthAnything3Net:
    """Return a metric network: depth and some sky."""
    torch.manual_seed(seed)
    network = DepthAnything3Net(
        net=TinyDino(dim),
        head=DPT(dim_in=dim, output_dim=1, features=16, out_channels=CHANNELS))
    network.head.scratch.output_conv2[-1].weight.data *= 20
    network.eval()
    _set_sky_share(network, 0.2)
    return network


@torch.no_grad()
def _set_sky_share(network: DepthAnything3Net, share: float) -> None:
    """Shift the sky head so that about this share of a noise image is sky."""
    last = network.head.scratch.sky_output_conv2[-1]
    last.weight.data *= 30
    network.head.sky_activation = 'linear'
    values = network(torch.randn(1, 1, 3, 70, 98)).sky
    last.bias.data += 0.3 - torch.quantile(values, 1 - share)
    network.head.sky_activation = 'relu'


def tiny_nested(seed: int = 0, dim: int = 32) -> TinyNested:
    """Return a nested network: any-view depth brought to metres by a metric one."""
    return TinyNested(seed, dim).eval()
