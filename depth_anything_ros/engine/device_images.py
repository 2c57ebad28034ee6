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
From a camera's image to the network's on the device: one upload, everything else there.

The torch form of ``core.distortion`` and of ``engine.preprocess.process``, each within one grey
level of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import cv2
from depth_anything_ros.core.distortion import Rectification
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.processed_size import Plan
from depth_anything_ros.engine.host_memory import HostMemory
from depth_anything_ros.engine.streams import Mark, SideStream
import numpy as np
import torch
from torch.nn.functional import grid_sample

ROWS_AT_ONCE = 256
"""Rows of the identity that are in memory while a matrix is made."""


@dataclass(frozen=True)
class DeviceImage:
    """
    One frame on the device: uint8 RGB, rectified, at its own size and at the network's.

    ``rgb`` is (H, W, 3), ``pixels`` (h, w, 3); both are complete behind ``ready``.
    """

    rgb: torch.Tensor
    pixels: torch.Tensor
    ready: Mark


class DeviceImages:
    """Uploads frames beside the device's other work; what depends on sizes and lenses is kept."""

    def __init__(self, device: torch.device) -> None:
        """Make empty caches for a device; PyTorch on the CPU does what it does on CUDA."""
        self._device = device
        self._stream = SideStream(device)
        self._memory = HostMemory(device)
        self._grid = lru_cache(maxsize=16)(partial(sampling_grid, device=device))
        self._matrices = lru_cache(maxsize=16)(partial(resize_matrices, device=device))

    @torch.inference_mode()
    def put(self, frame: Frame, steps: Plan) -> DeviceImage:
        """
        Return a frame on the device; nobody waits for it here.

        :param frame: the image; where it has a ``lens``, its distortion is taken out.
        :param steps: how it gets the network's size.
        """
        host = self._memory.filled(frame.rgb)
        with self._stream.after(None, ()):
            rgb = host.to(self._device, non_blocking=True)
            self._memory.read_until(Mark(self._device))
            if frame.lens is not None:
                rgb = undistorted(rgb, self._grid(frame.lens))
            pixels = resized(rgb, self._matrices(frame.size, steps))
            (x, y), (columns, rows) = steps.offset, steps.size
            return DeviceImage(rgb, pixels[y:y + rows, x:x + columns], Mark(self._device))

    def clear(self) -> None:
        """Free what is kept on the device."""
        self._grid.cache_clear()
        self._matrices.cache_clear()
        self._memory.clear()


def sampling_grid(lens: Rectification, device: torch.device) -> torch.Tensor:
    """
    Return the maps of a rectification as ``grid_sample`` takes them: (1, H, W, 2) float32.

    :param lens: the maps, in pixels.
    :param device: where they are to be.
    """
    height, width = lens.map_x.shape
    grid = np.stack([
        positions.astype(np.float64) * (2.0 / max(1, size - 1)) - 1
        for positions, size in ((lens.map_x, width), (lens.map_y, height))], axis=-1)
    # What is nowhere is outside, and outside is black.
    grid = np.nan_to_num(grid, nan=-9.0, posinf=-9.0, neginf=-9.0)
    return torch.from_numpy(grid.astype(np.float32)[None]).to(device)


def undistorted(rgb: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """
    Return what :meth:`Rectification.rectify` returns, within one grey level.

    OpenCV before 5 rounds the position between two pixels to 1/32, and differs by that.

    :param rgb: (H, W, 3) uint8.
    :param grid: its :func:`sampling_grid`.
    """
    planes = rgb.permute(2, 0, 1)[None].to(torch.float32)
    picture = grid_sample(
        planes, grid, mode='bilinear', padding_mode='zeros', align_corners=True)
    return _as_bytes(picture[0]).permute(1, 2, 0)


def resize_matrices(
    size: tuple[int, int], steps: Plan, device: torch.device,
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """
    Return for every pass of ``process`` the matrices (h', h) of rows and (w, w') of columns.

    :param size: (width, height) in pixels of the image.
    :param steps: the plan for this size.
    :param device: where they are to be.
    """
    passes = []
    for new in (steps.bounded, steps.resized):
        if new != size:
            growing = new[0] > size[0] or new[1] > size[1]
            way = cv2.INTER_CUBIC if growing else cv2.INTER_AREA
            columns, rows = (
                torch.from_numpy(_weights(old, wanted, way)).to(device)
                for old, wanted in zip(size, new, strict=True))
            passes.append((rows.T, columns))
        size = new
    return passes


def resized(
    rgb: torch.Tensor, passes: list[tuple[torch.Tensor, torch.Tensor]],
) -> torch.Tensor:
    """
    Return an image at another size: two matrix products a pass, rounded as OpenCV does.

    :param rgb: (H, W, 3) uint8.
    :param passes: of :func:`resize_matrices`.
    :returns: (h, w, 3) uint8.
    """
    if not passes:
        return rgb
    planes = rgb.permute(2, 0, 1)
    for rows, columns in passes:
        planes = _as_bytes(rows @ (planes.to(torch.float32) @ columns))
    return planes.permute(1, 2, 0)


def _as_bytes(values: torch.Tensor) -> torch.Tensor:
    return values.round_().clamp_(0, 255).to(torch.uint8)


def _weights(old: int, new: int, way: int) -> np.ndarray:
    """Return the (old, new) float32 matrix of OpenCV's resize along one axis."""
    # A resize is linear, so the images of unit vectors are all there is to know about it.
    return np.concatenate([
        cv2.resize(
            np.eye(min(ROWS_AT_ONCE, old - first), old, first, np.float32),
            (new, min(ROWS_AT_ONCE, old - first)), interpolation=way)
        for first in range(0, old, ROWS_AT_ONCE)])
