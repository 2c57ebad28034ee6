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

"""How a room comes out of a seed: surfaces, openings, furniture that does not overlap."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
import math

from depth_anything_ros.scenes import furniture
from depth_anything_ros.scenes.furniture import box, Piece, Rng
from depth_anything_ros.scenes.materials import Colour, Material
from depth_anything_ros.scenes.room import Footprint, Room
from depth_anything_ros.scenes.solids import Cylinder, Solid, Vector
import numpy as np

# One height for all rooms: a known size makes the metric scale observable.
CEILING = 2.5
PAINTS: tuple[Colour, ...] = (
    (0.85, 0.83, 0.78), (0.75, 0.8, 0.82), (0.82, 0.76, 0.66), (0.7, 0.76, 0.68),
    (0.82, 0.72, 0.7), (0.6, 0.67, 0.74), (0.88, 0.88, 0.86), (0.8, 0.78, 0.6))
# The wall's yaw turns a piece so that it faces the room; +x, -x, +y, -y.
WALL_YAWS = (math.pi / 2, -math.pi / 2, math.pi, 0.0)


# Chosen by eye from make_room's seeds: furnished rooms with free floor to drive on.
DEMO_SEEDS = (1, 3, 5, 7, 9, 10, 12, 14)


@lru_cache(maxsize=1)
def demo_rooms() -> tuple[Room, ...]:
    """Return the eight rooms of the demo, which da3-tiny knows well."""
    return tuple(make_room(seed) for seed in DEMO_SEEDS)


def make_room(seed: int) -> Room:
    """Return the furnished room of a seed; the same seed always gives the same room."""
    rng = np.random.default_rng(seed)
    size = (float(rng.uniform(4.2, 7.2)), float(rng.uniform(3.8, 6.0)), CEILING)
    paint, accent = _paint(rng), _accent(rng)
    accented = int(rng.integers(4))
    walls = tuple(accent if index == accented else paint for index in range(4))
    skirting = Material('plain', (0.9, 0.9, 0.88) if rng.random() < 0.6 else (0.3, 0.2, 0.13))
    lamp = (float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.4, 0.4)), CEILING - 0.25)

    openings, solids = _openings(rng, size)
    for wall in range(4):
        length = _along(size, wall)
        solids += _placed([box(0, 0, 0, length, 0.015, 0.08, skirting)], size, wall, 0.0)
    bowl = Material('plain', (0.95, 0.93, 0.85), glow=0.6)
    solids.append(Cylinder((lamp[0], lamp[1], CEILING - 0.06), 0.22, 0.12, bowl))
    pieces, footprints = _furnish(rng, size, openings)
    solids += pieces
    if rng.random() < 0.6:
        solids.append(_rug(rng, size))
    return Room(seed, size, (walls[0], walls[1], walls[2], walls[3]), _floor(rng), _ceiling(rng),
                tuple(solids), tuple(footprints), lamp, float(rng.uniform(0.85, 1.2)),
                _tint(rng))


def _along(size: Vector, wall: int) -> float:
    return size[1] if wall < 2 else size[0]


def _tint(rng: Rng) -> Vector:
    warm = float(rng.uniform(-0.08, 0.08))
    return 1.0 + warm, 1.0, 1.0 - warm


def _paint(rng: Rng) -> Material:
    colour = PAINTS[rng.integers(len(PAINTS))]
    darker = (colour[0] * 0.9, colour[1] * 0.9, colour[2] * 0.9)
    return Material('plaster', colour, darker, seed=int(rng.integers(1000)))


def _accent(rng: Rng) -> Material:
    kind, seed = rng.choice(['bricks', 'tiles', 'stripes', 'plaster']), int(rng.integers(1000))
    if kind == 'bricks':
        return Material('bricks', (0.6, 0.33, 0.25), (0.72, 0.7, 0.66), (0.25, 0.075), seed)
    if kind == 'tiles':
        return Material('tiles', (0.8, 0.84, 0.86), (0.55, 0.56, 0.57), (0.2, 0.2), seed)
    if kind == 'stripes':
        return Material('stripes', (0.78, 0.72, 0.62), (0.68, 0.6, 0.52), (0.2, 0.2), seed)
    return _paint(rng)


def _floor(rng: Rng) -> Material:
    kind, seed = rng.choice(['boards', 'tiles', 'boards', 'carpet']), int(rng.integers(1000))
    if kind == 'boards':
        first, second = furniture.WOODS[rng.integers(3)]
        return Material('boards', first, second, (1.2, 0.15), seed)
    if kind == 'tiles':
        colour = ((0.62, 0.58, 0.53), (0.5, 0.5, 0.52), (0.6, 0.42, 0.32))[rng.integers(3)]
        return Material('tiles', colour, (0.3, 0.29, 0.28), (0.4, 0.4), seed)
    colour = furniture.FABRICS[rng.integers(len(furniture.FABRICS))]
    return Material('carpet', colour, (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7),
                    seed=seed)


def _ceiling(rng: Rng) -> Material:
    if rng.random() < 0.4:
        return Material('panels', (0.9, 0.9, 0.88), (0.6, 0.6, 0.6), (0.6, 0.6))
    return Material('plaster', (0.92, 0.92, 0.9), (0.85, 0.85, 0.83))


def _rug(rng: Rng, size: Vector) -> Solid:
    cloth = furniture.fabric(rng)
    kind = str(rng.choice(['stripes', 'picture', 'carpet']))
    weave = replace(cloth, texture=kind, second=furniture.FABRICS[rng.integers(8)])
    x, y = rng.uniform(-0.15, 0.15, 2) * size[:2]
    return box(float(x), float(y) - 0.8, 0, float(rng.uniform(1.6, 2.4)), 1.6, 0.008, weave)


def _placed(
    solids: list[Solid] | tuple[Solid, ...], size: Vector, wall: int, shift: float,
) -> list[Solid]:
    """Return solids of a piece's frame put against a wall, ``shift`` metres along it."""
    x, y, yaw = _wall_place(size, wall, shift)
    return moved(solids, x, y, yaw)


def _wall_place(size: Vector, wall: int, shift: float) -> tuple[float, float, float]:
    yaw = WALL_YAWS[wall]
    if wall < 2:
        return (size[0] / 2 if wall == 0 else -size[0] / 2), shift, yaw
    return shift, (size[1] / 2 if wall == 2 else -size[1] / 2), yaw


def moved(solids: list[Solid] | tuple[Solid, ...], x: float, y: float, yaw: float) -> list[Solid]:
    """Return solids turned left by ``yaw`` about the origin, then moved to (x, y)."""
    cos, sin = math.cos(yaw), math.sin(yaw)
    result: list[Solid] = []
    for solid in solids:
        cx, cy, cz = solid.centre
        centre = (x + cos * cx - sin * cy, y + sin * cx + cos * cy, cz)
        result.append(replace(solid, centre=centre, yaw=yaw))  # type: ignore[type-var]
    return result


def _openings(rng: Rng, size: Vector) -> tuple[list[tuple[int, float, float]], list[Solid]]:
    """Return the door's and windows' (wall, shift, width) and all solids on the walls."""
    first, second = furniture.WOODS[rng.integers(len(furniture.WOODS))]
    leaf = Material('door', first, (second[0] * 0.5, second[1] * 0.5, second[2] * 0.5))
    frame = Material('plain', (0.9, 0.9, 0.88))
    walls = [int(wall) for wall in rng.permutation(4)]
    solids: list[Solid] = []
    openings: list[tuple[int, float, float]] = []

    shift = float(rng.uniform(-0.5, 0.5)) * (_along(size, walls[0]) - 1.6)
    solids += _placed([box(0, 0, 0, 1.06, 0.03, 2.08, frame), box(0, 0, 0, 0.9, 0.05, 2.0, leaf)],
                      size, walls[0], shift)
    openings.append((walls[0], shift, 1.1))
    glass = Material('window', (0.75, 0.87, 1.0), (0.9, 0.9, 0.9), (0.6, 0.7),
                     int(rng.integers(1000)), 0.9)
    for wall in walls[1:2 + int(rng.integers(2))]:
        panes = int(rng.integers(2, 4))
        shift = float(rng.uniform(-0.5, 0.5)) * (_along(size, wall) - 0.6 * panes - 0.4)
        solids += _placed([box(0, 0, 0.85, 0.6 * panes + 0.1, 0.02, 1.45, frame),
                           box(0, 0, 0.9, 0.6 * panes, 0.03, 1.4, glass),
                           box(0, 0, 0.82, 0.6 * panes + 0.2, 0.14, 0.03, frame)],
                          size, wall, shift)
        openings.append((wall, shift, 0.0))
    for wall in walls[2:]:
        canvas = Material('picture', furniture.FABRICS[rng.integers(8)],
                          furniture.FABRICS[rng.integers(8)], seed=int(rng.integers(1000)))
        width, shift = float(rng.uniform(0.5, 1.0)), float(rng.uniform(-1, 1))
        if all(wall != other for other, _, _ in openings):
            solids += _placed([box(0, 0, 1.25, width + 0.06, 0.025, 0.66, furniture.DARK),
                               box(0, 0, 1.28, width, 0.03, 0.6, canvas)], size, wall, shift)
    return openings, solids


def _furnish(
    rng: Rng, size: Vector, openings: list[tuple[int, float, float]],
) -> tuple[list[Solid], list[Footprint]]:
    """Return pieces along the walls and a few in the middle, with room to drive between."""
    solids: list[Solid] = []
    taken: list[Footprint] = []
    doors = [(*_wall_place(size, wall, shift)[:2],) for wall, shift, width in openings if width]
    for _ in range(int(rng.integers(8, 14))):
        piece = furniture.AGAINST_WALLS[rng.integers(len(furniture.AGAINST_WALLS))](rng)
        wall = int(rng.integers(4))
        room = _along(size, wall) / 2 - piece.width / 2 - 0.05
        if room > 0:
            x, y, yaw = _wall_place(size, wall, float(rng.uniform(-room, room)))
            _try(piece, x, y, yaw, 0.08, solids, taken, doors)
    for _ in range(int(rng.integers(4, 9))):
        piece = furniture.IN_THE_MIDDLE[rng.integers(len(furniture.IN_THE_MIDDLE))](rng)
        x, y = rng.uniform(-0.5, 0.5, 2) * (size[0] - 2.0, size[1] - 2.0)
        turned = float(rng.choice([0.0, math.pi / 2, float(rng.uniform(-math.pi, math.pi))]))
        _try(piece, float(x), float(y), turned, 0.45, solids, taken, doors)
    return solids, taken


def _try(
    piece: Piece, x: float, y: float, yaw: float, gap: float, solids: list[Solid],
    taken: list[Footprint], doors: list[tuple[float, float]],
) -> None:
    """Add the piece unless it comes nearer than ``gap`` to another or blocks a door."""
    cos, sin = math.cos(yaw), math.sin(yaw)
    half = piece.depth / 2
    place = Footprint(x - sin * half, y + cos * half, piece.width / 2, half, yaw)
    radius = math.hypot(place.half_x, place.half_y)
    if any(place.distance(*door) < 0.9 for door in doors):
        return
    for other in taken:
        apart = math.hypot(place.x - other.x, place.y - other.y)
        if apart > radius + math.hypot(other.half_x, other.half_y) + gap:
            continue
        if _gap(place, other) < gap or _gap(other, place) < gap:
            return
    taken.append(place)
    solids += moved(piece.solids, x, y, yaw)


def _gap(place: Footprint, other: Footprint) -> float:
    """Return the metres from the outline of ``place``, sampled, to ``other``."""
    cos, sin = math.cos(place.yaw), math.sin(place.yaw)
    nearest = math.inf
    for along in np.linspace(-1, 1, 9):
        for across in np.linspace(-1, 1, 9):
            right, ahead = along * place.half_x, across * place.half_y
            nearest = min(nearest, other.distance(place.x + cos * right - sin * ahead,
                                                  place.y + sin * right + cos * ahead))
    return nearest
