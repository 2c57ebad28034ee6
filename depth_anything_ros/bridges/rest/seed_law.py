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
What the seed's numbers mean here (rule R10), and how it sends them (rules R6 to R8).

The older model's output is linear in ``max_depth`` and lies in 0..``max_depth``; with the range
that it was trained for, ``max_depth`` equal to 20 indoors (hypersim) or 80 outdoors (vkitti), it
is metres.
"""

from __future__ import annotations

import base64
from typing import Any, Mapping, Sequence

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.wire.depth_files import base64_of, encoded, LARGEST, npy
import numpy as np
import numpy.typing as npt

RANGES = {'hypersim': 20.0, 'vkitti': 80.0}
"""Metres that each training set reaches."""

SIZES = {'vits': 'small', 'vitb': 'base', 'vitl': 'large', 'vitg': 'giant'}
"""Size of the model that each encoder stands for."""

DEFAULT_FOV = 60.0
"""Horizontal field of view in degrees where a client gives no camera; a usual webcam's."""

Depth = npt.NDArray[np.float32]


def seed_depth(result: DepthResult, dataset: str, max_depth: float) -> tuple[Depth, str]:
    """
    Return depth as the seed's clients expect it, and the law that made it.

    :param result: metres, or depth of a relative model.
    :param dataset: whose range is meant.
    :param max_depth: largest value.
    :returns: (H, W) float32 in 0..max_depth, finite: what is invalid (the sky) is farthest.
    """
    if result.kind is DepthKind.RELATIVE:
        reach = float(np.nan_to_num(result.depth, nan=0.0, posinf=0.0, neginf=0.0).max()) or 1.0
        text = 'depth / max(depth) * max_depth: the model is relative, its scale is unknown'
    else:
        reach = RANGES[dataset]
        text = f'clip(metres / {reach:g}, 0, 1) * max_depth; {result.scale_law}'
    # One factor: with max_depth at the range, metres stay what they are to the last bit.
    scaled = np.clip(result.depth * np.float32(max_depth / reach), 0, np.float32(max_depth))
    return np.where(np.isfinite(result.depth), scaled, np.float32(max_depth)), text


def model_for(encoder: str, models: Sequence[str]) -> tuple[str, str]:
    """
    Return the model that an encoder means, and what a client must hear about it, '' for nothing.

    :param encoder: as the request has it.
    :param models: names of those that are loaded, at least one; the first answers where none has
        the size.
    """
    size = SIZES[encoder]
    for model in models:
        if size in model.replace('_', '-').split('-'):
            return model, ''
    return models[0], (
        f'encoder {encoder} stands for a {size} model; none is loaded, {models[0]} answered')


def levels(depth: Depth, largest: int) -> npt.NDArray[np.generic]:
    """Return trunc((d - min) / (max - min) * largest), zeros for a constant map."""
    low, high = float(depth.min()), float(depth.max())
    if high <= low:
        scaled = np.zeros(depth.shape)
    else:
        scaled = (depth.astype(np.float64) - low) / (high - low) * largest
    return scaled.astype(np.uint8 if largest == 255 else np.uint16)


def picture(depth: Depth, largest: int) -> str:
    """Return levels as a PNG in a data URL."""
    return 'data:image/png;base64,' + base64_of(encoded('.png', levels(depth, largest)))


DEPTH_FORMS: Mapping[str, Any] = {
    'png8': lambda depth: picture(depth, 255),
    'png16': lambda depth: picture(depth, LARGEST),
    'float32': lambda depth: base64_of(np.ascontiguousarray(depth, '<f4').data.cast('B')),
    'npy': lambda depth: base64_of(npy(depth)),
}
"""What ``depth_map`` holds, by ``depth_format``; the seed's first."""


def file_of(text: str) -> bytes:
    """
    Return the file that a text of base64 holds, with or without ``data:image...,`` before it.

    Line breaks and stray characters are skipped, as the seed's decoder does.

    :raises binascii.Error: when its length is impossible.
    """
    if text.startswith('data:'):
        text = text.partition(',')[2]
    return base64.b64decode(text.encode('ascii', 'ignore'))
