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

"""What a surface looks like: a procedural texture with known sizes in metres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from depth_anything_ros.scenes import textures
from depth_anything_ros.scenes.textures import Floats

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """
    A named texture with two colours (albedo, 0 to 1) and the size of its cells in metres.

    ``glow`` is light that the surface gives off by itself, in the unit of albedo.
    """

    texture: str = 'plain'
    colour: Colour = (0.7, 0.7, 0.7)
    second: Colour = (0.4, 0.4, 0.4)
    cell: tuple[float, float] = (0.3, 0.3)
    seed: int = 0
    glow: float = 0.0

    def albedo(self, u: Floats, v: Floats, pixel: Floats) -> Floats:
        """
        Return the colour of every point of a surface.

        :param u: (N,) float32 metres along the surface.
        :param v: (N,) float32 metres across it, upwards on walls.
        :param pixel: (N,) float32 metres that one pixel covers there; finer detail fades.
        :returns: (N, 3) float32 albedo, 0 to 1.
        """
        amount, shade = TEXTURES[self.texture](u, v, pixel, self.cell, self.seed)
        return textures.mixed(self.colour, self.second, amount, shade)


Texture = Callable[[Floats, Floats, Floats, tuple[float, float], int], textures.Pattern]

TEXTURES: dict[str, Texture] = {
    'plain': textures.plain,
    'plaster': textures.plaster,
    'carpet': textures.carpet,
    'tiles': textures.tiles,
    'bricks': textures.bricks,
    'boards': textures.boards,
    'wood': textures.wood,
    'door': textures.door,
    'window': textures.window,
    'books': textures.books,
    'stripes': textures.stripes,
    'picture': textures.picture,
    'panels': textures.tiles,
}
