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

"""
The network of da3-tiny: the upstream classes, small enough for a CPU.

A metric model: its output is canonical depth, metres = output * focal / 300 with the mean focal
length in pixels at the processed size.
"""

from __future__ import annotations

from depth_anything_3.model.da3 import DepthAnything3Net
from depth_anything_3.model.dinov2.dinov2 import DinoV2
from depth_anything_3.model.dinov2.vision_transformer import DinoVisionTransformer
from depth_anything_3.model.dpt import DPT
import torch

# The longest side it was trained at; other sizes run, but are less accurate.
TINY_PROCESS_RES = 168
TINY_NAME = 'da3-tiny'

_DIM, _DEPTH, _HEADS, _MLP_RATIO = 192, 6, 6, 2.0
_OUT_LAYERS = (1, 2, 4, 5)


class TinyDino(DinoV2):  # type: ignore[misc]
    """A DINOv2 backbone of a size that upstream's table does not have."""

    def __init__(self) -> None:
        """Build six blocks of 192 channels without cross-view attention."""
        torch.nn.Module.__init__(self)
        self.out_layers = list(_OUT_LAYERS)
        self.pretrained = DinoVisionTransformer(
            img_size=TINY_PROCESS_RES, patch_size=14, embed_dim=_DIM, depth=_DEPTH,
            num_heads=_HEADS, mlp_ratio=_MLP_RATIO, alt_start=-1, qknorm_start=-1, rope_start=-1,
            cat_token=False, ffn_layer='mlp')


def build_tiny() -> torch.nn.Module:
    """
    Return the untrained network of da3-tiny.

    :returns: a ``DepthAnything3Net`` with a ``DPT`` head (depth and sky), without weights of any
        use; its position embedding is zero until a checkpoint is loaded.
    """
    head = DPT(dim_in=_DIM, output_dim=1, features=32, out_channels=(24, 32, 48, 64))
    net: torch.nn.Module = DepthAnything3Net(net=TinyDino(), head=head)
    return net
