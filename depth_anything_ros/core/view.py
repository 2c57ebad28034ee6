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

"""Which pixels a frame's outputs have: those of the image or those that the network saw."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.options import FrameOptions, OutputSize
from depth_anything_ros.core.resize import resize_nearest
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class View:
    """The size of all outputs, their camera, and whether they are the processed pixels."""

    width: int
    height: int
    camera: Intrinsics | None
    processed: bool

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        return self.width, self.height


def view_of(
    options: FrameOptions, image: tuple[int, int], camera: Intrinsics | None,
    size: tuple[int, int], resized: tuple[int, int] | None, offset: tuple[int, int],
) -> View:
    """
    Return the view that the options ask for.

    :param options: says which size is wanted.
    :param image: (width, height) of the frame.
    :param camera: the frame's camera at its own size, None when unknown.
    :param size: (width, height) of the network's maps.
    :param resized: (width, height) before the crop, None without one.
    :param offset: (x, y) of the crop.
    """
    if options.output_size is OutputSize.INPUT:
        return View(*image, camera, False)
    return View(*size, processed_camera(camera, size, resized, offset), True)


def processed_camera(
    camera: Intrinsics | None, size: tuple[int, int], resized: tuple[int, int] | None,
    offset: tuple[int, int],
) -> Intrinsics | None:
    """
    Return the camera of the processed pixels.

    :param camera: that of the frame, None when unknown.
    :param size: (width, height) in pixels of the network's maps.
    :param resized: (width, height) before the crop, None without one.
    :param offset: (x, y) of the crop.
    """
    if camera is None:
        return None
    return camera.resized(*(resized or size)).cropped(*offset, *size)


def uncropped_camera(
    camera: Intrinsics | None, resized: tuple[int, int] | None, offset: tuple[int, int],
) -> Intrinsics | None:
    """Return a camera of processed pixels, such as a predicted one, as it was before the crop."""
    if camera is None or resized is None:
        return camera
    x, y = offset
    return Intrinsics(camera.fx, camera.fy, camera.cx + x, camera.cy + y, *resized)


def estimated_camera(
    predicted: Intrinsics | None, view: View, resized: tuple[int, int] | None,
    offset: tuple[int, int],
) -> Intrinsics | None:
    """Return the camera that a model predicts for its own pixels, for the pixels of a view."""
    if predicted is None or view.processed:
        return predicted
    whole = uncropped_camera(predicted, resized, offset)
    return None if whole is None else whole.resized(*view.size)


def processed_pixels(
    rgb: npt.NDArray[np.uint8], size: tuple[int, int], resized: tuple[int, int] | None,
    offset: tuple[int, int],
) -> npt.NDArray[np.uint8]:
    """
    Return an image at the processed size, by area where it shrinks.

    For engines that keep no pixels of their own; see :func:`view_of` for the arguments.

    :returns: (h, w, 3) uint8.
    """
    whole, (x, y), (width, height) = resized or size, offset, size
    if rgb.shape[1::-1] != whole:
        shrinks = whole[0] < rgb.shape[1] or whole[1] < rgb.shape[0]
        rgb = np.asarray(cv2.resize(
            rgb, whole, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)
    return rgb[y:y + height, x:x + width]


def processed_mask(
    mask: npt.NDArray[np.bool_], size: tuple[int, int], resized: tuple[int, int] | None,
    offset: tuple[int, int],
) -> npt.NDArray[np.bool_]:
    """
    Return a mask of an image at the processed size; see :func:`processed_pixels`.

    :returns: (h, w) bool.
    """
    (x, y), (width, height) = offset, size
    return resize_nearest(mask, *(resized or size))[y:y + height, x:x + width]
