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

"""The size at which the network sees an image, and the steps to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from depth_anything_ros.errors import InvalidImage, InvalidRequest

PATCH = 14
"""Side in pixels of the patches that every DA3 network cuts an image into."""

LONGEST = 4096
"""Largest side in pixels of a processed image, refused before any memory is taken."""


@dataclass(frozen=True)
class Plan:
    """
    The sizes (width, height) in pixels on the way to the network.

    ``bounded`` is the first resize, ``resized`` the second (or the same), and the network sees
    the window of ``size`` at ``offset`` (x, y) in it.
    """

    bounded: tuple[int, int]
    resized: tuple[int, int]
    size: tuple[int, int]
    offset: tuple[int, int]


@lru_cache(maxsize=64)
def plan(width: int, height: int, process_res: int, method: str) -> Plan:
    """
    Return the sizes for an image.

    :param width: image width in pixels.
    :param height: image height in pixels.
    :param process_res: pixels of the side that ``method`` names.
    :param method: ``upper_bound_*`` scales the longest side to ``process_res``, ``lower_bound_*``
        the shortest; then ``*_resize`` rounds each side to a multiple of 14, ``*_crop`` cuts.
    :raises InvalidRequest: when the method is unknown or a side would exceed 4096 pixels.
    :raises InvalidImage: when a side would be shorter than a patch.
    """
    bound, _, fit = method.rpartition('_')
    if bound not in ('upper_bound', 'lower_bound') or fit not in ('resize', 'crop'):
        raise InvalidRequest(f'process_res_method {method!r} is unknown')
    side = max(width, height) if bound == 'upper_bound' else min(width, height)
    scale = process_res / float(side)
    bounded = (max(1, int(round(width * scale))), max(1, int(round(height * scale))))
    size = tuple(_nearest(each) if fit == 'resize' else each // PATCH * PATCH for each in bounded)
    seen = (f'an image of {width}x{height} becomes {size[0]}x{size[1]} with {method} and '
            f'process_res {process_res}')
    if max(*size, *bounded) > LONGEST:
        raise InvalidRequest(f'{seen}; accepted: at most {LONGEST} pixels a side')
    if min(size) < PATCH:
        raise InvalidImage(
            f'{seen}; accepted: at least {PATCH} pixels a side, so a less narrow image or a '
            'larger process_res')
    if fit == 'resize':
        return Plan(bounded, (size[0], size[1]), (size[0], size[1]), (0, 0))
    offset = (bounded[0] - size[0]) // 2, (bounded[1] - size[1]) // 2
    return Plan(bounded, bounded, (size[0], size[1]), offset)


def affordable_reduction(width: int, height: int, process_res: int, method: str) -> int:
    """
    Return by how much an image may be decoded smaller without the network seeing any less.

    :param width: of the whole image in pixels.
    :param height: of the whole image in pixels.
    :param process_res: as for :func:`plan`.
    :param method: as for :func:`plan`.
    :returns: 8, 4, 2, or 1 where only the whole image will do. Both sides are multiples of it:
        of others a decoder makes a last pixel that is only partly there, which is no plain ratio.
    :raises DepthAnythingError: as :func:`plan` does.
    """
    whole = plan(width, height, process_res, method)
    for factor in (8, 4, 2):
        small = width // factor, height // factor
        divides = small[0] * factor == width and small[1] * factor == height
        covers = small[0] >= whole.bounded[0] and small[1] >= whole.bounded[1]
        if divides and covers and plan(*small, process_res, method) == whole:
            return factor
    return 1


def _nearest(side: int) -> int:
    """Return the nearest multiple of the patch, the larger one of two equally near."""
    down = side // PATCH * PATCH
    up = down + PATCH
    return up if up - side <= side - down else down
