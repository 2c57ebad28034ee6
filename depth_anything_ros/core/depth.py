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

"""Depth kinds, scale laws and what counts as valid: the numpy reference of the laws."""

from __future__ import annotations

from enum import Enum

from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import numpy.typing as npt

CANONICAL_FOCAL = 300.0
"""Focal length in pixels of the canonical camera (Depth Anything 3 paper, section 4)."""

SKY_THRESHOLD = 0.3
"""A pixel is sky where the network's sky value reaches this (upstream's own threshold)."""


class DepthKind(str, Enum):
    """What the numbers of a depth map mean."""

    # That of Enum is a function in Python, and called for every message.
    __hash__ = str.__hash__

    RELATIVE = 'relative'
    """Unknown scale: never handed out in a field whose unit is metres."""
    CANONICAL = 'canonical'
    """Metres after ``* focal / 300``."""
    METRIC = 'metric'
    """Metres."""


class FocalSource(str, Enum):
    """Where the focal length that made metres (or the cloud) came from."""

    # That of Enum is a function in Python, and called for every message.
    __hash__ = str.__hash__

    CAMERA_INFO = 'camera_info'
    FOCAL_LENGTH = 'focal_length'
    FIELD_OF_VIEW = 'fov'
    MODEL = 'model'
    NONE = 'none'


def canonical_to_metres(
    canonical: npt.NDArray[np.float32], focal: float,
) -> npt.NDArray[np.float32]:
    """
    Return depth in metres from a canonical depth map.

    metres = canonical * focal / 300 (Depth Anything 3 paper, canonical camera transform).

    :param canonical: (H, W) float32, the network's output.
    :param focal: mean(fx, fy) in pixels at the size of ``canonical``.
    :returns: (H, W) float32, metres.
    :raises InvalidIntrinsics: when the focal length is not positive and finite.
    """
    if not (np.isfinite(focal) and focal > 0):
        raise InvalidIntrinsics(f'focal length must be positive, seen {focal:g}')
    metres: npt.NDArray[np.float32] = canonical * np.float32(focal / CANONICAL_FOCAL)
    return metres


def invalidate(
    depth: npt.NDArray[np.float32], *, minimum: float = 0.0, maximum: float = float('inf'),
    sky: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.float32]:
    """
    Return depth with NaN where it is not a measurement.

    Invalid are: not finite, zero or negative, below ``minimum``, above ``maximum``, sky.

    :param depth: (H, W) float32.
    :param minimum: smallest valid depth, same unit.
    :param maximum: largest valid depth, same unit.
    :param sky: (H, W) bool, True where the sky is.
    :returns: (H, W) float32, a new array.
    """
    with np.errstate(invalid='ignore'):
        valid = np.isfinite(depth) & (depth > 0) & (depth >= minimum) & (depth <= maximum)
    if sky is not None:
        valid &= ~sky
    return np.where(valid, depth, np.float32(np.nan)).astype(np.float32, copy=False)


def looks_beyond(
    depth: npt.NDArray[np.float32], *, maximum: float = float('inf'),
    sky: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.bool_]:
    """
    Return where the view is free beyond ``maximum``: sky, or a depth farther than that.

    :param depth: (H, W) float32, as the network has it: not invalidated.
    :param maximum: largest valid depth, same unit.
    :param sky: (H, W) bool, True where the sky is.
    :returns: (H, W) bool.
    """
    with np.errstate(invalid='ignore'):
        beyond = np.asarray(depth > maximum)
    return beyond if sky is None else beyond | sky


LARGEST_MILLIMETRES = 65535
"""Largest depth of the 16-bit raw form: 65.535 m."""


def millimetres(
    depth: npt.NDArray[np.float32], out: npt.NDArray[np.uint16] | None = None,
) -> npt.NDArray[np.uint16]:
    """
    Return depth in the raw form of REP 118: whole millimetres, 0 where invalid.

    What is farther than 65.535 m is clipped to that, not wrapped.

    :param depth: (H, W) float32 metres, NaN where invalid.
    :param out: (H, W) uint16 to write to, default: a new array.
    :returns: (H, W) uint16.
    """
    raw = np.empty(depth.shape, np.uint16) if out is None else out
    whole = depth * np.float32(1000.0)
    # Limits first: NaN passes them, and fmax, which would not let it, takes four times as long.
    np.clip(whole, np.float32(0.0), np.float32(LARGEST_MILLIMETRES), out=whole)
    np.rint(whole, out=whole)
    np.copyto(whole, np.float32(0.0), where=np.isnan(whole))
    np.copyto(raw, whole, casting='unsafe')
    return raw
