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

"""Pillow images out of pickles as plain values, and their RGB without Pillow."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.errors import InvalidImage, PayloadTooLarge
from depth_anything_ros.wire.inert import seen, shown
import numpy as np
import numpy.typing as npt

CHANNELS = {'L': 1, 'P': 1, 'LA': 2, 'PA': 2, 'RGB': 3, 'RGBA': 4, 'RGBX': 4, 'CMYK': 4}
"""Bytes per pixel of the modes that we read; mode '1' has eight pixels in a byte."""

MODES = ', '.join(['1', *CHANNELS])

MAX_PALETTE = 256 * 3


@dataclass(frozen=True)
class PillowImage:
    """
    A Pillow image as its class pickles itself: mode, size, palette and pixels.

    ``data`` is what ``Image.tobytes`` gives, a view of the message; ``palette`` red, green and
    blue of each colour, empty where the mode needs none.
    """

    mode: str
    width: int
    height: int
    data: memoryview
    palette: bytes = b''

    def rgb(self) -> npt.NDArray[np.uint8]:
        """
        Return the (H, W, 3) uint8 RGB that Pillow's ``convert('RGB')`` gives.

        :returns: a view of the message for mode RGB, else a new array.
        :raises InvalidImage: when a pixel is not in the palette.
        """
        height, width = self.height, self.width
        bits = np.frombuffer(self.data, np.uint8)
        if self.mode == '1':
            rows = np.unpackbits(bits.reshape(height, -1), axis=1)[:, :width]
            return np.repeat((rows * np.uint8(255))[..., None], 3, axis=2)
        pixels = bits.reshape(height, width, CHANNELS[self.mode])
        if self.mode in ('L', 'LA'):
            return np.repeat(pixels[..., :1], 3, axis=2)
        if self.mode in ('P', 'PA'):
            return self._painted(pixels[..., 0])
        if self.mode == 'CMYK':
            return cmyk_to_rgb(pixels)
        return pixels if self.mode == 'RGB' else np.ascontiguousarray(pixels[..., :3])

    def _painted(self, indices: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        colours = np.frombuffer(self.palette, np.uint8).reshape(-1, 3)
        highest = int(indices.max())
        if highest >= len(colours):
            raise InvalidImage(
                f'Pillow image uses colour {highest} of a palette of {len(colours)}')
        painted: npt.NDArray[np.uint8] = colours[indices]
        return painted


def cmyk_to_rgb(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """
    Return RGB of CMYK as Pillow does: each colour is 255 - K - ink * (255 - K) / 255.

    :param pixels: (H, W, 4) uint8.
    :returns: (H, W, 3) uint8.
    """
    light = np.uint16(255) - pixels[..., 3:].astype(np.uint16)
    # Pillow's division by 255 in integers, rounded to nearest; at most 255 * 255 + 128 + 254.
    product = pixels[..., :3].astype(np.uint16) * light + np.uint16(128)
    ink = ((product >> 8) + product) >> 8
    rgb: npt.NDArray[np.uint8] = (light - ink).astype(np.uint8)
    return rgb


def pillow_image(state: object, *, pixels: int) -> PillowImage:
    """
    Return the image of Pillow's state ``[info, mode, size, palette, data, ...]``.

    File classes of newer Pillow append to the list what nobody needs here.

    :param state: what the BUILD opcode brings.
    :param pixels: largest width times height.
    :raises InvalidImage: when a part is missing, of another kind or of the wrong length.
    :raises PayloadTooLarge: when it has too many pixels.
    """
    if not isinstance(state, list) or len(state) < 5:
        raise InvalidImage(f'Pillow image has the state {seen(state)}; accepted: a list of five')
    mode, size, palette, data = state[1:5]
    if not isinstance(mode, str) or not isinstance(data, memoryview):
        raise InvalidImage('Pillow image has no mode or no data')
    if not isinstance(size, tuple) or len(size) != 2 \
            or not all(type(side) is int and side > 0 for side in size):
        raise InvalidImage('Pillow image has no size; accepted: two ints of 1 or more')
    width, height = size
    if mode != '1' and mode not in CHANNELS:
        raise InvalidImage(
            f'Pillow image of mode {shown(mode)}; accepted: {MODES}; image.convert("RGB") helps')
    if width * height > pixels:
        raise PayloadTooLarge(
            f'Pillow image of {width}x{height} pixels; accepted: at most {pixels} pixels')
    row = (width + 7) // 8 if mode == '1' else width * CHANNELS[mode]
    if row * height != data.nbytes:
        raise InvalidImage(
            f'Pillow image of mode {mode}, {width}x{height}, needs {row * height} bytes; '
            f'{data.nbytes} are there')
    colours = palette_bytes(palette) if mode in ('P', 'PA') else b''
    return PillowImage(mode, width, height, data, colours)


def palette_bytes(palette: object) -> bytes:
    """
    Return the red, green and blue of a palette, a list of ints.

    :raises InvalidImage: when it is anything else.
    """
    if isinstance(palette, list) and 0 < len(palette) <= MAX_PALETTE and len(palette) % 3 == 0 \
            and all(type(value) is int and 0 <= value <= 255 for value in palette):
        return bytes(palette)
    raise InvalidImage(
        f'Pillow image has the palette {seen(palette)}; accepted: ints 0..255, three per colour')
