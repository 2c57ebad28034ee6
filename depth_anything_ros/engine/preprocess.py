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

from functools import lru_cache

import cv2
from depth_anything_ros.core.processed_size import Plan
import numpy as np
import numpy.typing as npt
import torch

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's colour statistics, by which every DA3 network is fed."""


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
