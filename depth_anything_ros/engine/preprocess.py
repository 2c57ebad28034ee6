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

"""From a camera's image to the network's: bit for bit what upstream's InputProcessor makes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
from depth_anything_ros.engine.tables import PATCH
from depth_anything_ros.errors import InvalidImage, InvalidRequest
import numpy as np
import numpy.typing as npt
import torch

LONGEST = 4096
"""Largest side in pixels of a processed image, refused before any memory is taken."""

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's colour statistics, by which every DA3 network is fed."""


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


def process(rgb: npt.NDArray[np.uint8], steps: Plan) -> npt.NDArray[np.uint8]:
    """
    Return the image at the network's size.

    :param rgb: (H, W, 3) uint8.
    :param steps: the plan for this size.
    :returns: (h, w, 3) uint8; a view of ``rgb`` where nothing had to be resized.
    """
    height, width = rgb.shape[:2]
    growing = steps.bounded[0] > width or steps.bounded[1] > height
    image = _resized(rgb, steps.bounded, growing)
    growing = any(new > old for new, old in zip(steps.resized, steps.bounded, strict=True))
    image = _resized(image, steps.resized, growing)
    (x, y), (columns, rows) = steps.offset, steps.size
    return image[y:y + rows, x:x + columns]


def normalised(images: torch.Tensor) -> torch.Tensor:
    """
    Return images as the network takes them.

    :param images: (B, H, W, 3) uint8 on any device.
    :returns: (B, 3, H, W) float32 on the same device, channels last in memory.
    """
    mean, deviation = _colour_statistics(images.device)
    return images.permute(0, 3, 1, 2).to(torch.float32).div_(255).sub_(mean).div_(deviation)


@lru_cache(maxsize=16)
def _colour_statistics(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    mean, deviation = torch.tensor((MEAN, DEVIATION), device=device).view(2, 3, 1, 1)
    return mean, deviation


def _resized(
    image: npt.NDArray[np.uint8], size: tuple[int, int], growing: bool,
) -> npt.NDArray[np.uint8]:
    if size == (image.shape[1], image.shape[0]):
        return image
    way = cv2.INTER_CUBIC if growing else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def _nearest(side: int) -> int:
    """Return the nearest multiple of the patch, the larger one of two equally near."""
    down = side // PATCH * PATCH
    up = down + PATCH
    return up if up - side <= side - down else down
