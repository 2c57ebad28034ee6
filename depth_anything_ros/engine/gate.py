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

"""The check at start that what is faster gives the depth that plain float32 gives."""

from __future__ import annotations

import logging
from typing import Callable

from depth_anything_ros.core.depth import SKY_THRESHOLD
from depth_anything_ros.core.processed_size import PATCH
from depth_anything_ros.engine.passes import RawMaps
from depth_anything_ros.engine.preprocess import normalised
import numpy as np
import torch

logger = logging.getLogger(__name__)

TOLERANCE = {torch.float32: 0.002, torch.bfloat16: 0.03, torch.float16: 0.03}
"""Mean relative error of the depth that a backbone's precision may cost."""

SIZE = (10 * PATCH, 7 * PATCH)
"""Width and height in pixels of the image that precision is checked with."""

Network = Callable[[torch.Tensor], RawMaps]


def gate_images(
    count: int, device: torch.device, *, size: tuple[int, int] = SIZE, seed: int = 0,
) -> torch.Tensor:
    """
    Return always the same pictures: slopes, rectangles in front of them, a little noise.

    :param count: images in the batch, each another one.
    :param device: where they are to be.
    :param size: (width, height) in pixels.
    :param seed: another seed, other pictures.
    :returns: (count, 3, h, w) float32, normalised, channels last in memory.
    """
    width, height = size
    pictures = np.empty((count, height, width, 3), np.uint8)
    for index, picture in enumerate(pictures):
        random = np.random.default_rng([seed, index])
        slope = np.linspace(0, 200, height)[:, None, None] * random.uniform(0.3, 1.0, 3)
        picture[:] = slope + random.uniform(0, 50, (height, width, 3))
        for _ in range(6):
            x, y = random.integers(0, width - width // 4), random.integers(0, height // 2)
            picture[y:y + height // 3, x:x + width // 4] = random.integers(0, 256, 3)
    return normalised(torch.from_numpy(pictures).to(device))


def differences(found: RawMaps, reference: RawMaps) -> dict[str, float]:
    """
    Return how far maps are from others, 0 for equal, at most 1.

    Depth, confidence and the camera's focal lengths: the mean relative error; sky: the part of the
    pixels that are it in one of both only. A number beside none counts 1, none beside none 0.
    """
    result = {}
    for name, one, other in zip(RawMaps._fields, found, reference, strict=True):
        if one is None or other is None:
            if one is not other:
                result[name] = 1.0
        elif name == 'sky':
            result[name] = float(((one >= SKY_THRESHOLD) != (other >= SKY_THRESHOLD)
                                  ).float().mean())
        elif name == 'camera':
            result[name] = _relative(one[:, (0, 1), (0, 1)], other[:, (0, 1), (0, 1)])
        else:
            result[name] = _relative(one, other)
    return result


def objection(
    found: RawMaps, reference: RawMaps, precision: torch.dtype,
) -> tuple[str, float]:
    """
    Return what speaks against maps, '' where they are near enough, and the depth's own error.

    :param found: of the faster way.
    :param reference: of the way it is compared with.
    :param precision: of the backbone; it says what is near enough.
    """
    limit = TOLERANCE[precision]
    seen = differences(found, reference)
    bad = [f'{name} differs by {error:.2%}' for name, error in seen.items() if not error <= limit]
    text = f'{" and ".join(bad)} (accepted: {limit:.1%})' if bad else ''
    return text, seen['depth']


def failure(error: Exception) -> str:
    """Return what speaks against a way that cannot be gone, for people: one line."""
    logger.debug('a faster way failed', exc_info=error)
    said = str(error).strip().splitlines()
    return f'it fails ({type(error).__name__}{": " + said[0][:200] if said else ""})'


def _relative(one: torch.Tensor, other: torch.Tensor) -> float:
    one, other = one.double(), other.double()
    error = ((one - other).abs() / other.abs().clamp_min(1e-12)).clamp_max(1.0)
    both = one.isfinite() & other.isfinite()
    neither = ~one.isfinite() & ~other.isfinite()
    return float(torch.where(both, error, (~neither).double()).mean())
