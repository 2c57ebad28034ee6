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
From a camera's image to the network's.

Bit for bit what upstream's InputProcessor makes, or, where asked for, something faster.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
from depth_anything_ros.core.processed_size import Plan
import numpy as np
import numpy.typing as npt
import torch

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's colour statistics, by which every DA3 network is fed."""


def process(
    rgb: npt.NDArray[np.uint8], steps: Plan, *, fast: bool = False,
) -> npt.NDArray[np.uint8]:
    """
    Return the image at the network's size.

    :param rgb: (H, W, 3) uint8.
    :param steps: the plan for this size.
    :param fast: halve while the image is twice too large, then resize linearly, in one step.
    :returns: (h, w, 3) uint8; a view of ``rgb`` where nothing had to be resized.
    """
    if fast:
        image = halved(rgb, steps.resized)
        image = _resized(image, steps.resized, cv2.INTER_LINEAR)
    else:
        image = upstream_resized(upstream_resized(rgb, steps.bounded), steps.resized)
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


def normalised_on_host(image: npt.NDArray[np.uint8]) -> torch.Tensor:
    """
    Return what :func:`normalised` returns, of one image in memory and by one table.

    :param image: (H, W, 3) uint8.
    :returns: (H, W, 3) float32.
    """
    return torch.from_numpy(cv2.LUT(np.ascontiguousarray(image), _table()))


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.float32]:
    grey = torch.arange(256, dtype=torch.uint8).view(1, 1, 256, 1).expand(1, 1, 256, 3)
    return np.ascontiguousarray(normalised(grey)[0].permute(1, 2, 0).numpy())


@lru_cache(maxsize=16)
def _colour_statistics(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    mean, deviation = torch.tensor((MEAN, DEVIATION), device=device).view(2, 3, 1, 1)
    return mean, deviation


def normalising_table() -> npt.NDArray[np.float32]:
    """Return what :func:`normalised` makes of every byte: (3, 256) float32."""
    return np.ascontiguousarray(_table()[0].T)


def upstream_resized(
    image: npt.NDArray[np.uint8], size: tuple[int, int],
) -> npt.NDArray[np.uint8]:
    """
    Return the image resized as upstream does it: cubic where a side grows, else by area.

    :param image: (H, W, 3) uint8.
    :param size: width and height in pixels.
    :returns: (height, width, 3) uint8; ``image`` itself where it has that size.
    """
    growing = size[0] > image.shape[1] or size[1] > image.shape[0]
    return _resized(image, size, cv2.INTER_CUBIC if growing else cv2.INTER_AREA)


def _resized(
    image: npt.NDArray[np.uint8], size: tuple[int, int], way: int,
) -> npt.NDArray[np.uint8]:
    if size == (image.shape[1], image.shape[0]):
        return image
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def halved(
    image: npt.NDArray[np.uint8], size: tuple[int, int],
) -> npt.NDArray[np.uint8]:
    """Return the image by exact halves as long as it does not get smaller than ``size``."""
    height, width = image.shape[:2]
    while width >= 2 * size[0] and height >= 2 * size[1]:
        width, height = (width + 1) // 2, (height + 1) // 2
        image = _resized(image, (width, height), cv2.INTER_AREA)
    return image
