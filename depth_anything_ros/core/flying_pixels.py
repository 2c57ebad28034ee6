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

"""Find the points that hang between an object and what is behind it."""

from __future__ import annotations

from depth_anything_ros.errors import InvalidRequest
import numpy as np
import numpy.typing as npt

FLYING_RATIO = 1.05
"""A flying pixel is nearer than one surface and farther than the other by this factor."""

FLYING_RADIUS = 3
"""Widest transition between two surfaces that is found, in pixels, plus one."""


def flying_pixels(
    depth: npt.NDArray[np.float32], *, ratio: float = FLYING_RATIO, radius: int = FLYING_RADIUS,
) -> npt.NDArray[np.bool_]:
    """
    Return True where a depth lies on no surface but between two.

    The law is ours. On any plane, however slanted, 1 / depth is an affine function of the pixel
    (it follows from the pinhole projection, whatever the intrinsics), so that steepness alone
    says nothing. A pixel flies when, along a row or along a column,

    1. within ``radius`` pixels one side is nearer by ``ratio`` and the other is farther by it (a
       pole in front of a wall is not), and
    2. on neither side the next ``radius`` pixels continue it as a plane: 1 / depth bends by more
       than half of ``ratio - 1`` of its value.

    Invalid pixels are never flying, and nothing is concluded from invalid neighbours.

    A transition that was resized grew with the image: look at the processed size, or scale
    ``radius`` too.

    :param depth: (H, W) float32, NaN where invalid; metres or any other positive unit.
    :param ratio: depth ratio between different surfaces, more than 1.
    :param radius: how far to look, in pixels, at least 2.
    :returns: (H, W) bool.
    :raises InvalidRequest: when a parameter is out of range.
    """
    if not 1 < ratio < np.inf:
        raise InvalidRequest(f'ratio must be more than 1, seen {ratio:g}')
    if radius < 2:
        raise InvalidRequest(f'radius must be at least 2 pixels, seen {radius}')
    with np.errstate(invalid='ignore', divide='ignore'):
        inverse = np.where(np.isfinite(depth) & (depth > 0), 1 / depth, np.nan)
    inverse = inverse.astype(np.float32, copy=False)
    flying: npt.NDArray[np.bool_] = _flying_along_rows(inverse, ratio, radius)
    flying |= _flying_along_rows(inverse.T, ratio, radius).T
    return flying


def _flying_along_rows(
    inverse: npt.NDArray[np.float32], ratio: float, radius: int,
) -> npt.NDArray[np.bool_]:
    """Return where 1 / depth lies between two surfaces that are left and right of it."""
    columns = inverse.shape[1]
    padded = np.pad(inverse, ((0, 0), (radius, radius)), constant_values=np.nan)
    steps = [padded[:, offset:offset + columns] for offset in range(2 * radius + 1)]
    left, right = steps[radius::-1], steps[radius:]
    factor = np.float32(ratio)
    bend = inverse * np.float32((ratio - 1) / 2)
    # Comparisons with NaN are False: an invalid neighbour is neither nearer nor farther.
    with np.errstate(invalid='ignore'):
        nearer, farther, straight = [], [], []
        for side in (left, right):
            nearer.append(np.fmax.reduce(side[1:]) > inverse * factor)
            farther.append(np.fmin.reduce(side[1:]) * factor < inverse)
            straight.append(_largest_bend(side) <= bend)
    between = (nearer[0] & farther[1]) | (farther[0] & nearer[1])
    flying: npt.NDArray[np.bool_] = between & ~straight[0] & ~straight[1]
    return flying


def _largest_bend(side: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Return the largest second difference of a run of pixels, over what is valid of it."""
    largest = np.zeros_like(side[0])
    for before, here, after in zip(side, side[1:], side[2:]):
        np.fmax(largest, np.abs(before - 2 * here + after), out=largest)
    return largest
