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

"""Tables that depend only on sizes and cameras: where pixels are sampled, and their rays."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.resize import EDGE_RATIO, sample_positions
import torch


@dataclass(frozen=True)
class Rays:
    """``x`` (width,) and ``y`` (height,) float32: a point is (x[u], y[v], 1) * depth."""

    x: torch.Tensor
    y: torch.Tensor


def rays(camera: Intrinsics, device: torch.device) -> Rays:
    """Return a camera's ray table on a device."""
    x, y = camera.rays()
    return Rays(torch.from_numpy(x).to(device), torch.from_numpy(y).to(device))


@dataclass(frozen=True)
class Axis:
    """Neighbours of every target pixel on one axis, int64, and the weight of the higher one."""

    low: torch.Tensor
    high: torch.Tensor
    weight: torch.Tensor
    nearest: torch.Tensor


@dataclass(frozen=True)
class Sampler:
    """The resize of maps from one size to another; None axes where the sizes are equal."""

    x: Axis | None
    y: Axis | None
    edge_ratio: float

    def depth(self, depth: torch.Tensor, out: torch.Tensor) -> None:
        """
        Write depth at the target size, linear on surfaces, nearest at edges and invalid pixels.

        See ``core.resize.resize_depth``, step by step the same arithmetic.

        :param depth: (h, w) float32, NaN where invalid.
        :param out: (H, W) float32 to fill.
        """
        if self.x is None or self.y is None:
            out.copy_(depth)
            return
        upper, lower = depth.index_select(0, self.y.low), depth.index_select(0, self.y.high)
        a, b = upper.index_select(1, self.x.low), upper.index_select(1, self.x.high)
        c, d = lower.index_select(1, self.x.low), lower.index_select(1, self.x.high)
        wx, wy = self.x.weight[None, :], self.y.weight[:, None]
        near = torch.minimum(torch.minimum(a, b), torch.minimum(c, d))
        far = torch.maximum(torch.maximum(a, b), torch.maximum(c, d))
        smooth = far <= near.mul_(self.edge_ratio)
        left, above = wx < 0.5, wy < 0.5
        nearest = torch.where(above, torch.where(left, a, b), torch.where(left, c, d))
        top = a + (b - a) * wx
        linear = top + (c + (d - c) * wx - top) * wy
        torch.where(smooth, linear, nearest, out=out)

    def nearest(self, values: torch.Tensor, out: torch.Tensor) -> None:
        """
        Write values at the target size by the nearest pixel centre.

        :param values: (h, w), any type.
        :param out: (H, W) of the same type, to fill.
        """
        if self.x is None or self.y is None:
            out.copy_(values)
        else:
            out.copy_(values.index_select(0, self.y.nearest).index_select(1, self.x.nearest))


def sampler(
    source: tuple[int, int], target: tuple[int, int], *, device: torch.device,
    edge_ratio: float = EDGE_RATIO,
) -> Sampler:
    """
    Return the resize between two (width, height) sizes on a device.

    :param edge_ratio: largest far/near ratio of one surface inside four neighbours.
    """
    if source == target:
        return Sampler(None, None, edge_ratio)
    x, y = (_axis(old, new, device) for old, new in zip(source, target, strict=True))
    return Sampler(x, y, edge_ratio)


def _axis(source: int, target: int, device: torch.device) -> Axis:
    low, high, weight = (
        torch.from_numpy(each).to(device) for each in sample_positions(source, target))
    return Axis(low, high, weight, torch.where(weight < 0.5, low, high))
