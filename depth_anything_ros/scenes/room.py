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

"""A furnished room: its shell, what stands in it and where a robot can go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
import math

from depth_anything_ros.scenes.materials import Material
from depth_anything_ros.scenes.solids import Solid, Vector
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Footprint:
    """The floor that a piece takes: a rectangle by its middle, half sizes and yaw."""

    x: float
    y: float
    half_x: float
    half_y: float
    yaw: float = 0.0

    def distance(self, x: float, y: float) -> float:
        """Return the metres from a point of the floor to the rectangle, 0 inside it."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        right, ahead = x - self.x, y - self.y
        beside = max(abs(cos * right + sin * ahead) - self.half_x, 0.0)
        beyond = max(abs(cos * ahead - sin * right) - self.half_y, 0.0)
        return math.hypot(beside, beyond)


@dataclass(frozen=True)
class Room:
    """
    A box-shaped room around x = y = 0 with its floor at z = 0 (REP 103, metres).

    ``size`` is its length along x, width along y and height; ``walls`` are the materials at
    +x, -x, +y and -y.
    """

    seed: int
    size: Vector
    walls: tuple[Material, Material, Material, Material]
    floor: Material
    ceiling: Material
    solids: tuple[Solid, ...]
    footprints: tuple[Footprint, ...]
    lamp: Vector
    brightness: float = 1.0
    tint: Vector = (1.0, 1.0, 1.0)

    @cached_property
    def corners(self) -> npt.NDArray[np.float64]:
        """Return the (N, 8, 3) corners of the boxes around the solids, metres."""
        return np.stack([solid.corners() for solid in self.solids])

    def clearance(self, x: float, y: float) -> float:
        """Return the metres from a point of the floor to the nearest wall or piece."""
        free = min(self.size[0] / 2 - abs(x), self.size[1] / 2 - abs(y))
        return min([free, *(footprint.distance(x, y) for footprint in self.footprints)])
