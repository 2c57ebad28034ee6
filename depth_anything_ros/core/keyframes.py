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

"""Which images of a live camera a scene is made of: sharp ones, spread in time, each one new."""

from __future__ import annotations

from typing import Generic, TypeVar

import cv2
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import numpy.typing as npt

SHARPNESS_WIDTH = 320
"""Width in pixels at which sharpness is measured: the noise of single pixels is no sharpness."""

THUMBNAIL = (32, 24)

NEWS = 3.0
"""Mean change of a thumbnail's grey values, of 255, from which on an image shows something new."""

Item = TypeVar('Item')


def sharpness(rgb: npt.NDArray[np.uint8]) -> float:
    """Return the variance of an image's Laplacian: the larger, the less blur."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if width > SHARPNESS_WIDTH:
        size = (SHARPNESS_WIDTH, max(1, round(height * SHARPNESS_WIDTH / width)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def thumbnail(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return a small grey image without its mean, so that a change of exposure is no news."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small - small.mean(), np.float32)


class Keyframes(Generic[Item]):
    """
    Picks up to ``count`` items in ``seconds``: one per slot of equal length.

    Of each slot the sharpest image is taken, unless it shows what the last one showed already: a
    camera that stands still gives one.
    """

    def __init__(self, count: int, seconds: float) -> None:
        """
        Begin with the first image that is offered.

        :param count: most items.
        :param seconds: time for all of them.
        :raises InvalidRequest: when either is not positive.
        """
        if count < 1 or not seconds > 0:
            raise InvalidRequest(
                f'keyframes need a count and a time of more than 0, seen {count} and {seconds:g}')
        self.items: list[Item] = []
        self._count, self._slot = count, seconds / count
        self._end: float | None = None
        self._best: tuple[float, Item, npt.NDArray[np.float32]] | None = None
        self._last: npt.NDArray[np.float32] | None = None

    @property
    def full(self) -> bool:
        """Return whether there are as many items as were asked for."""
        return len(self.items) >= self._count

    def offer(self, rgb: npt.NDArray[np.uint8], item: Item, when: float) -> None:
        """
        Consider an image.

        :param rgb: (H, W, 3) uint8.
        :param item: what is kept of it.
        :param when: seconds, never falling.
        """
        if self._end is None:
            self._end = when + self._slot
        while when >= self._end:
            self._close_slot()
            self._end += self._slot
        if self.full:
            return
        score = sharpness(rgb)
        if self._best is None or score > self._best[0]:
            self._best = score, item, thumbnail(rgb)

    def finish(self) -> list[Item]:
        """Return the items, with the best of the slot that is open."""
        self._close_slot()
        return self.items

    def _close_slot(self) -> None:
        best, self._best = self._best, None
        if best is None or self.full:
            return
        _, item, seen = best
        if self._last is None or float(np.abs(seen - self._last).mean()) >= NEWS:
            self.items.append(item)
            self._last = seen
