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
An image for a network, and the network's own maps, as messages of our own form.

The image has the processed size; the reply is a raw result, see :mod:`wire.results`.
"""

from __future__ import annotations

from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.errors import InvalidImage, PayloadTooLarge
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.message import Message
import numpy as np
import numpy.typing as npt

TYPE = 'network_image'

PATH = '/v1/network'
"""Where a server takes them over HTTP."""

MEDIA_TYPE = 'application/octet-stream'

LARGEST_RES = 2016
"""Longest side in pixels."""


def image_message(pixels: npt.NDArray[np.uint8]) -> Message:
    """Return an image, (h, w, 3) uint8 RGB at the processed size, as a message."""
    return Message({'type': TYPE}, {'image': pixels})


def image_of(message: Message, limits: Limits = DEFAULT_LIMITS) -> npt.NDArray[np.uint8]:
    """
    Return the image of a message, a view of it.

    :param message: one that :func:`image_message` made.
    :param limits: how many pixels it may have.
    :raises InvalidImage: when there is none that a network takes.
    :raises PayloadTooLarge: when it has too many pixels.
    """
    image = message.arrays.get('image')
    if message.header.get('type') != TYPE or image is None:
        raise InvalidImage(f'message is no {TYPE} with an array "image"')
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise InvalidImage(f'image is {image.dtype} {image.shape}; accepted: uint8 (h, w, 3)')
    height, width = image.shape[:2]
    if height * width > limits.pixels or max(height, width) > LARGEST_RES:
        raise PayloadTooLarge(
            f'image of {width}x{height} pixels; accepted: sides up to {LARGEST_RES}')
    return image


def raw_options(
    pixels: npt.NDArray[np.uint8], *, has_confidence: bool, has_sky: bool,
) -> FrameOptions:
    """Return what makes a network give all it has for an image that has its size already."""
    wanted = {Output.DEPTH}
    if has_confidence:
        wanted.add(Output.CONFIDENCE)
    if has_sky:
        wanted.add(Output.SKY)
    return FrameOptions(
        process_res=max(pixels.shape[:2]), raw=True, outputs=frozenset(wanted))
