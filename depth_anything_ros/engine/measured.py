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

"""A network's depth under its law: in metres, what of it is valid, and where the view is free."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from depth_anything_ros.core.depth import SKY_THRESHOLD
from depth_anything_ros.engine.host import LARGEST, SMALLEST, within
import torch


def bounds(minimum: float, maximum: float) -> tuple[float, float]:
    """Return the smallest and largest valid depth within limits, numbers that float32 has."""
    return max(minimum, SMALLEST), min(maximum, LARGEST)


@dataclass(frozen=True)
class Measured:
    """
    Maps that follow from a network's depth, each computed when it is first asked for.

    ``depth`` and ``sky`` are (h, w) float32 as the network has them, metres are ``factor`` times
    that, valid from ``minimum`` to ``maximum``.
    """

    depth: torch.Tensor
    sky: torch.Tensor | None
    factor: float
    minimum: float
    maximum: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the smallest and largest valid depth, numbers that float32 has."""
        return bounds(self.minimum, self.maximum)

    @cached_property
    def scaled(self) -> torch.Tensor:
        """Return metres, also where they are no measurement."""
        return self.depth * self.factor

    @cached_property
    def valid(self) -> torch.Tensor:
        """Return depth with NaN where it is not a measurement; see ``core.depth.invalidate``."""
        # Two comparisons say the same as five: NaN and the infinities pass neither.
        depth, (low, high) = self.scaled, self.bounds
        if depth.device.type == 'cpu':
            return within(depth, low, high, self.sky, SKY_THRESHOLD)
        valid = (depth >= low) & (depth <= high)
        if self.sky is not None:
            valid &= ~(self.sky >= SKY_THRESHOLD)
        return torch.where(valid, depth, float('nan'))

    @cached_property
    def beyond(self) -> torch.Tensor:
        """Return where the view is free beyond it all; see ``core.depth.looks_beyond``."""
        beyond = self.scaled > self.maximum
        return beyond if self.sky is None else beyond | (self.sky >= SKY_THRESHOLD)
