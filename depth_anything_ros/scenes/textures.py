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
Procedural textures, evaluated only where a ray ended.

Every texture has the same form: from (u, v) in metres on the surface, the metres that a pixel
covers there, the cell size in metres and a seed it returns (amount, shade): how much of the
second colour, 0 to 1, and a factor of brightness. Lines thinner than a pixel fade to their mean,
so a small picture of a far wall does not flicker.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Pattern = tuple[Floats, Floats]

_NOISE_SIDE = 256


@lru_cache(maxsize=1)
def _noise_table() -> Floats:
    """Return a tileable (256, 256) table of smooth noise, 0 to 1, of five octaves."""
    rng = np.random.default_rng(7)
    total = np.zeros((_NOISE_SIDE, _NOISE_SIDE))
    for octave in range(3, 8):
        cells = 2 ** octave
        lattice = rng.random((cells, cells))
        position = np.arange(_NOISE_SIDE) * cells / _NOISE_SIDE
        low = position.astype(int)
        part = position - low
        part = part * part * (3 - 2 * part)
        high = (low + 1) % cells
        rows = lattice[low] * (1 - part)[:, None] + lattice[high] * part[:, None]
        total += (rows[:, low] * (1 - part) + rows[:, high] * part) * 0.6 ** octave
    table: Floats = ((total - total.min()) / (total.max() - total.min())).astype(np.float32)
    return table


@lru_cache(maxsize=1)
def _white_table() -> Floats:
    """Return a (65536,) table of independent uniform numbers, 0 to 1."""
    return np.random.default_rng(8).random(65536).astype(np.float32)


def _whole(values: Floats) -> Ints:
    return np.floor(values).astype(np.int32)


def noise(u: Floats, v: Floats, wavelength: float, seed: int) -> Floats:
    """Return smooth noise, 0 to 1, whose coarsest waves are ``wavelength`` metres long."""
    scale = np.float32(_NOISE_SIDE / 8 / wavelength)
    i = (u * scale + 37 * seed).astype(np.int32) & (_NOISE_SIDE - 1)
    j = (v * scale + 91 * seed).astype(np.int32) & (_NOISE_SIDE - 1)
    value: Floats = _noise_table()[j, i]
    return value


def random_of(i: Ints, j: Ints, seed: int) -> Floats:
    """Return a number, 0 to 1, that depends on the cell (i, j) and the seed alone."""
    value: Floats = _white_table()[(i * 7919 + j * 104729 + seed * 31337) & 65535]
    return value


def line(position: Floats, half: float, pixel: Floats) -> Floats:
    """Return how much of a pixel is covered by a line of half width ``half`` at 0."""
    width = np.maximum(pixel, np.float32(1e-4))
    reach = np.float32(half) + np.float32(0.5) * width - np.abs(position)
    covered: Floats = np.clip(reach, 0, np.minimum(np.float32(2 * half), width)) / width
    return covered


def mixed(
    first: tuple[float, float, float], second: tuple[float, float, float],
    amount: Floats, shade: Floats,
) -> Floats:
    """Return (N, 3) colours from ``first`` (amount 0) to ``second`` (amount 1) times shade."""
    start, end = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return (start + amount[:, None] * (end - start)) * shade[:, None]


def _to_line(position: Floats, cell: float) -> Floats:
    """Return the signed metres from the nearest multiple of ``cell``."""
    scaled = position * np.float32(1 / cell)
    offset: Floats = (scaled - np.floor(scaled + np.float32(0.5))) * np.float32(cell)
    return offset


def plain(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return one even colour."""
    return np.zeros_like(u), np.ones_like(u)


def plaster(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return a painted wall: faint clouds and a faint grain."""
    clouds = noise(u, v, 1.5, seed)
    grain = noise(u, v, 0.12, seed + 3)
    return 0.25 * clouds, 0.94 + 0.06 * clouds + 0.06 * grain


def carpet(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return a woven floor: fine grain that fades with distance."""
    fade = np.minimum(1, np.float32(0.01) / np.maximum(pixel, np.float32(1e-4)))
    grain = random_of(_whole(u * 120), _whole(v * 120), seed)
    amount = np.float32(0.5) + fade * (grain - np.float32(0.5)) + 0.4 * noise(u, v, 0.6, seed) - .2
    return np.clip(amount, 0, 1), np.ones_like(u)


def tiles(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return square tiles of ``cell`` metres with joints of the second colour."""
    joint = np.maximum(line(_to_line(u, cell[0]), 0.004, pixel),
                       line(_to_line(v, cell[1]), 0.004, pixel))
    tone = random_of(_whole(u / np.float32(cell[0])), _whole(v / np.float32(cell[1])), seed)
    return joint, 0.88 + 0.12 * tone + 0.08 * (noise(u, v, 0.5, seed) - 0.5)


def bricks(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return a running bond: every second course is shifted by half a brick."""
    course = _whole(v / np.float32(cell[1]))
    shifted = u + np.where(course & 1, np.float32(cell[0] / 2), np.float32(0))
    joint = np.maximum(line(_to_line(shifted, cell[0]), 0.006, pixel),
                       line(_to_line(v, cell[1]), 0.006, pixel))
    tone = random_of(_whole(shifted / np.float32(cell[0])), course, seed)
    return joint, 0.75 + 0.3 * tone + 0.1 * (noise(u, v, 0.2, seed) - 0.5)


def wood(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return one piece of wood with its grain along u."""
    grain = noise(u * np.float32(0.12), v, 0.15, seed)
    return np.float32(0.6) * grain, np.ones_like(u)


def boards(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return a wooden floor: boards of length ``cell[0]`` and width ``cell[1]``."""
    row = _whole(v / np.float32(cell[1]))
    shifted = u + random_of(row, row, seed) * np.float32(cell[0])
    joint = np.maximum(line(_to_line(shifted, cell[0]), 0.002, pixel),
                       line(_to_line(v, cell[1]), 0.002, pixel))
    tone = random_of(_whole(shifted / np.float32(cell[0])), row, seed + 1)
    grain = noise(shifted * np.float32(0.12), v + tone, 0.2, seed)
    shade = np.asarray((0.8 + 0.3 * tone) * (1 - 0.6 * joint), np.float32)
    return 0.45 * grain, shade


def door(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return a door leaf: two panels with grooves, and a handle 1.05 m up."""
    across, up = np.abs(u - np.float32(0.45)), v
    groove = np.zeros_like(u)
    for bottom, top in ((0.15, 0.85), (1.15, 1.85)):
        middle, half = (bottom + top) / 2, (top - bottom) / 2
        outside = np.maximum(across - np.float32(0.3), np.abs(up - middle) - half)
        groove = np.maximum(groove, line(outside, 0.012, pixel))
    handle = line(np.maximum(np.abs(u - np.float32(0.78)) - 0.05, np.abs(up - 1.05)), 0.02, pixel)
    return np.maximum(0.6 * groove, handle), 0.97 + 0.06 * noise(u, v, 0.4, seed)


def window(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return panes that show a bright sky above hills, with bars of the second colour."""
    bars = np.maximum(line(_to_line(u, cell[0]), 0.035, pixel),
                      line(_to_line(v, cell[1]), 0.035, pixel))
    hills = np.float32(0.3 * cell[1]) + 0.25 * noise(u, u * 0, 1.2, seed)
    below = np.clip((hills - v) / np.maximum(pixel, np.float32(0.01)), 0, 1)
    shade = (0.75 + 0.25 * np.minimum(v, 1)) * (1 - 0.45 * below)
    return bars, np.where(bars > 0.5, np.float32(0.45), shade)


def books(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return a row of book spines between two colours."""
    column = _whole(u / np.float32(cell[0]))
    tone = random_of(column, column * 0, seed)
    gap = line(_to_line(u, cell[0]), 0.003, pixel)
    band = line(v - (0.1 + 0.12 * random_of(column, column * 0 + 1, seed)), 0.012, pixel)
    return tone, (0.6 + 0.5 * random_of(column, column * 0 + 2, seed)) * (1 - .7 * gap) + .3 * band


def stripes(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return stripes of ``cell[0]`` metres, alternating between the two colours."""
    half = cell[0] / 2
    amount = line(_to_line(u, 2 * cell[0]), half, pixel)
    return amount, 0.95 + 0.1 * noise(u, v, 0.1, seed)


def picture(u: Floats, v: Floats, pixel: Floats, cell: tuple[float, float], seed: int) -> Pattern:
    """Return an abstract painting of soft shapes."""
    shape = noise(u, v, 0.45, seed)
    amount = np.clip((shape - 0.45) * 6, 0, 1)
    return amount, 0.7 + 0.6 * noise(u, v, 0.3, seed + 5)
