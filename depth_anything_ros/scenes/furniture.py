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
Furniture made of boxes, spheres and cylinders, in sizes that houses have.

A piece stands with its back at y = 0 and faces +y; x runs along its width, with 0 in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from depth_anything_ros.scenes.materials import Colour, Material
from depth_anything_ros.scenes.solids import Box, Cylinder, Solid, Sphere
import numpy as np

Rng = np.random.Generator


@dataclass(frozen=True)
class Piece:
    """Solids in the piece's own frame and the floor they stand on, in metres."""

    width: float
    depth: float
    solids: tuple[Solid, ...]


WOODS: tuple[tuple[Colour, Colour], ...] = (
    ((0.55, 0.36, 0.2), (0.38, 0.23, 0.12)), ((0.72, 0.55, 0.36), (0.58, 0.41, 0.25)),
    ((0.33, 0.2, 0.13), (0.22, 0.13, 0.08)), ((0.82, 0.8, 0.76), (0.74, 0.72, 0.67)))
FABRICS: tuple[Colour, ...] = (
    (0.25, 0.33, 0.45), (0.5, 0.2, 0.17), (0.3, 0.38, 0.25), (0.62, 0.55, 0.45),
    (0.28, 0.28, 0.3), (0.7, 0.52, 0.2), (0.45, 0.4, 0.55), (0.15, 0.4, 0.4))
METAL = Material('plain', (0.25, 0.25, 0.27))
DARK = Material('plain', (0.04, 0.045, 0.05))


def wooden(rng: Rng) -> Material:
    """Return one of the woods."""
    first, second = WOODS[rng.integers(len(WOODS))]
    return Material('wood', first, second, seed=int(rng.integers(1000)))


def fabric(rng: Rng) -> Material:
    """Return a cloth, sometimes striped."""
    first = FABRICS[rng.integers(len(FABRICS))]
    second = (first[0] * 0.8, first[1] * 0.8, first[2] * 0.8)
    kind = 'stripes' if rng.random() < 0.2 else 'carpet'
    return Material(kind, first, second, (0.1, 0.1), int(rng.integers(1000)))


def box(x: float, y: float, z: float, width: float, depth: float, height: float,
        material: Material) -> Box:
    """Return a box by the middle of its width, its back, its bottom and its size."""
    return Box((x, y + depth / 2, z + height / 2), (width, depth, height), material)


def legs(width: float, depth: float, height: float, thick: float,
         material: Material) -> list[Solid]:
    """Return four legs in the corners of a footprint."""
    x = width / 2 - thick / 2
    return [box(side * x, y, 0, thick, thick, height, material)
            for side in (-1, 1) for y in (0.0, depth - thick)]


def sofa(rng: Rng) -> Piece:
    """Return a sofa with two or three cushions."""
    seats = int(rng.integers(2, 4))
    width, depth, cloth = 0.4 + 0.65 * seats, 0.9, fabric(rng)
    lighter = fabric(rng) if rng.random() < 0.3 else cloth
    parts: list[Solid] = [box(0, 0, 0.08, width, depth, 0.22, cloth),
                          box(0, 0, 0.3, width, 0.22, 0.52, cloth)]
    parts += [box(side * (width / 2 - 0.1), 0, 0.3, 0.2, depth, 0.3, cloth) for side in (-1, 1)]
    parts += [box((index - (seats - 1) / 2) * 0.65, 0.22, 0.3, 0.63, depth - 0.23, 0.15, lighter)
              for index in range(seats)]
    return Piece(width, depth, tuple(parts))


def bed(rng: Rng) -> Piece:
    """Return a bed with its head at the wall."""
    width, frame = float(rng.choice([0.9, 1.4, 1.6])), wooden(rng)
    sheet = Material('carpet', (0.8, 0.8, 0.78), (0.72, 0.72, 0.7))
    parts: list[Solid] = [box(0, 0, 0, width + 0.06, 0.06, 0.95, frame),
                          box(0, 0.06, 0.1, width + 0.06, 2.0, 0.2, frame),
                          box(0, 0.06, 0.3, width, 1.98, 0.2, sheet),
                          box(0, 0.7, 0.45, width + 0.03, 1.37, 0.08, fabric(rng)),
                          box(0, 0.12, 0.5, width * 0.7, 0.4, 0.12, sheet),
                          box(0, 1.85, 0, width - 0.1, 0.08, 0.1, frame)]
    return Piece(width + 0.06, 2.07, tuple(parts))


def table(rng: Rng) -> Piece:
    """Return a dining table, 0.75 m high, with a vase or a bowl."""
    width, depth, wood = float(rng.uniform(1.2, 1.9)), float(rng.uniform(0.75, 0.95)), wooden(rng)
    parts: list[Solid] = [box(0, 0, 0.71, width, depth, 0.04, wood),
                          *legs(width, depth, 0.71, 0.07, wood),
                          Cylinder((0.1, depth / 2, 0.85), 0.07, 0.2, fabric(rng)),
                          Sphere((-0.25, depth / 2, 0.8), 0.05, fabric(rng))]
    return Piece(width, depth, tuple(parts))


def chair(rng: Rng) -> Piece:
    """Return a chair, its seat 0.45 m high."""
    wood, side = wooden(rng), 0.43
    parts: list[Solid] = [box(0, 0, 0.42, side, side, 0.04, wood),
                          box(0, 0, 0.46, side, 0.03, 0.42, wood),
                          *legs(side, side, 0.42, 0.04, wood)]
    return Piece(side, side, tuple(parts))


def desk(rng: Rng) -> Piece:
    """Return a desk with a screen and drawers."""
    width, wood = float(rng.uniform(1.2, 1.6)), wooden(rng)
    parts: list[Solid] = [box(0, 0, 0.7, width, 0.7, 0.04, wood),
                          *legs(width, 0.7, 0.7, 0.05, METAL),
                          box(0, 0.15, 0.84, 0.55, 0.04, 0.33, DARK),
                          box(0, 0.12, 0.74, 0.06, 0.06, 0.12, METAL),
                          box(width / 2 - 0.28, 0.1, 0.1, 0.4, 0.55, 0.55, wood)]
    return Piece(width, 0.7, tuple(parts))


def bookshelf(rng: Rng) -> Piece:
    """Return an open shelf with rows of books."""
    width, height, wood = float(rng.uniform(0.8, 1.2)), float(rng.choice([1.2, 2.0])), wooden(rng)
    back = Material('plain', (wood.second[0] * 0.6, wood.second[1] * 0.6, wood.second[2] * 0.6))
    parts: list[Solid] = [box(0, 0, 0, width, 0.02, height, back)]
    parts += [box(side * (width / 2 - 0.01), 0, 0, 0.02, 0.3, height, wood) for side in (-1, 1)]
    for level in range(int(height / 0.4) + 1):
        z = min(level * 0.4, height - 0.02)
        parts.append(box(0, 0, z, width, 0.3, 0.02, wood))
        if z < height - 0.1:
            filled = float(rng.uniform(0.4, 0.95)) * (width - 0.06)
            spines = Material('books', FABRICS[rng.integers(len(FABRICS))],
                              FABRICS[rng.integers(len(FABRICS))],
                              (float(rng.uniform(0.03, 0.05)), 0.3), int(rng.integers(1000)))
            parts.append(box((filled - width) / 2 + 0.03, 0.02, z + 0.02, filled, 0.2,
                             float(rng.uniform(0.22, 0.32)), spines))
    return Piece(width, 0.3, tuple(parts))


def wardrobe(rng: Rng) -> Piece:
    """Return a closed cupboard with door gaps, 2 m high."""
    width, wood = float(rng.choice([0.8, 1.2, 1.6])), wooden(rng)
    parts: list[Solid] = [box(0, 0, 0.06, width, 0.6, 1.94, wood),
                          box(0, 0, 0, width, 0.55, 0.06, DARK)]
    for index in range(int(width / 0.4)):
        x = -width / 2 + 0.4 * (index + 0.5)
        parts.append(box(x, 0.6, 0.1, 0.385, 0.018, 1.86, wood))
        parts.append(box(x + 0.14, 0.618, 0.95, 0.015, 0.02, 0.16, METAL))
    return Piece(width, 0.64, tuple(parts))


def sideboard(rng: Rng) -> Piece:
    """Return a low cupboard, often with a television on it."""
    width, wood = float(rng.uniform(1.2, 1.8)), wooden(rng)
    parts: list[Solid] = [box(0, 0, 0.1, width, 0.4, 0.4, wood),
                          *legs(width, 0.4, 0.1, 0.05, METAL)]
    parts += [box((index - 1) * width / 3, 0.4, 0.12, width / 3 - 0.015, 0.015, 0.36, wood)
              for index in range(3)]
    if rng.random() < 0.7:
        parts += [box(0, 0.17, 0.55, 1.05, 0.05, 0.6, DARK),
                  box(0, 0.1, 0.5, 0.4, 0.2, 0.05, METAL)]
    else:
        parts += [Sphere((-0.3, 0.2, 0.6), 0.1, fabric(rng)),
                  Cylinder((0.3, 0.2, 0.62), 0.08, 0.24, fabric(rng))]
    return Piece(width, 0.42, tuple(parts))


def plant(rng: Rng) -> Piece:
    """Return a potted plant of leafy balls."""
    green = Material('carpet', (0.16, 0.36, 0.12), (0.07, 0.2, 0.06), seed=int(rng.integers(99)))
    pot = Material('plain', FABRICS[rng.integers(len(FABRICS))])
    parts: list[Solid] = [Cylinder((0, 0.22, 0.16), 0.17, 0.32, pot),
                          Cylinder((0, 0.22, 0.5), 0.03, 0.5, WOOD_STEM)]
    for _ in range(5):
        x, y = rng.uniform(-0.14, 0.14, 2)
        parts.append(Sphere((float(x), 0.24 + float(y), float(rng.uniform(0.6, 1.15))),
                            float(rng.uniform(0.13, 0.22)), green))
    return Piece(0.5, 0.5, tuple(parts))


WOOD_STEM = Material('plain', (0.3, 0.2, 0.12))


def floor_lamp(rng: Rng) -> Piece:
    """Return a standing lamp, 1.6 m high."""
    shade = Material('plain', (0.95, 0.86, 0.65), glow=0.5)
    return Piece(0.4, 0.4, (Cylinder((0, 0.2, 0.015), 0.14, 0.03, METAL),
                            Cylinder((0, 0.2, 0.7), 0.015, 1.4, METAL),
                            Cylinder((0, 0.2, 1.48), 0.19, 0.26, shade)))


def cartons(rng: Rng) -> Piece:
    """Return a stack of cardboard boxes."""
    card = Material('stripes', (0.6, 0.44, 0.28), (0.56, 0.4, 0.25), (0.15, 0.15))
    low, high = float(rng.uniform(0.35, 0.5)), float(rng.uniform(0.25, 0.4))
    parts: list[Solid] = [box(0, 0.05, 0, 0.6, 0.5, low, card)]
    if rng.random() < 0.7:
        parts.append(box(0.04, 0.1, low, 0.45, 0.38, high, card))
    return Piece(0.62, 0.57, tuple(parts))


def armchair(rng: Rng) -> Piece:
    """Return an upholstered chair."""
    cloth = fabric(rng)
    parts: list[Solid] = [box(0, 0.1, 0.1, 0.8, 0.7, 0.32, cloth),
                          box(0, 0, 0.1, 0.8, 0.2, 0.8, cloth)]
    parts += [box(side * 0.34, 0.1, 0.42, 0.12, 0.65, 0.2, cloth) for side in (-1, 1)]
    return Piece(0.8, 0.8, tuple(parts))


def pouf(rng: Rng) -> Piece:
    """Return a round stool of cloth, 0.42 m high."""
    return Piece(0.56, 0.56, (Cylinder((0, 0.28, 0.21), 0.27, 0.42, fabric(rng)),))


def ball(rng: Rng) -> Piece:
    """Return a ball on the floor."""
    radius = float(rng.uniform(0.12, 0.33))
    return Piece(2 * radius, 2 * radius, (Sphere((0, radius, radius), radius, fabric(rng)),))


def low_table(rng: Rng) -> Piece:
    """Return a coffee table, 0.42 m high."""
    width, wood = float(rng.uniform(0.8, 1.2)), wooden(rng)
    parts: list[Solid] = [box(0, 0, 0.38, width, 0.6, 0.04, wood),
                          *legs(width, 0.6, 0.38, 0.06, wood),
                          Cylinder((0.2, 0.3, 0.46), 0.05, 0.09, fabric(rng))]
    return Piece(width, 0.6, tuple(parts))


AGAINST_WALLS: tuple[Callable[[Rng], Piece], ...] = (
    sofa, bed, desk, bookshelf, wardrobe, sideboard, bookshelf, plant, floor_lamp, cartons)
IN_THE_MIDDLE: tuple[Callable[[Rng], Piece], ...] = (
    table, chair, armchair, low_table, pouf, ball, chair, cartons)
