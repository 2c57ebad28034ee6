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

"""Find the CameraInfo of every recorded image: by stamp, else the newest."""

from __future__ import annotations

from collections import deque, OrderedDict
from dataclasses import dataclass

from depth_anything_ros.bags.records import Record

LOOKAHEAD = 3
"""Images that are held back while the CameraInfo of the oldest may still come."""

KEPT = 64
"""CameraInfo messages kept, for those that come before their image."""


@dataclass(frozen=True)
class Pair:
    """An image and its CameraInfo; ``exact`` says whether their stamps are the same."""

    image: Record
    info: Record | None
    exact: bool


class Pairing:
    """
    Pairs images with CameraInfo records by the stamps in their headers; loses and reorders none.

    An image is held back until its CameraInfo comes, at most until ``LOOKAHEAD`` images are held;
    then it gets the newest CameraInfo so far, or the first of the bag where none came yet.
    """

    def __init__(self) -> None:
        """Start without any CameraInfo, and wait for none."""
        self._newest: Record | None = None
        self._infos: OrderedDict[int, Record] = OrderedDict()
        self._images: deque[tuple[int, Record]] = deque()

    def expect(self, first: Record | None) -> None:
        """Wait for CameraInfo from now on; ``first`` is the first one of the bag, if there is."""
        self._newest = first

    def add_image(self, stamp_ns: int, image: Record) -> list[Pair]:
        """Take an image and return what is decided now, in the order of the images."""
        self._images.append((stamp_ns, image))
        return self._decided(0 if self._newest is None else LOOKAHEAD)

    def add_info(self, stamp_ns: int, info: Record) -> list[Pair]:
        """Take a CameraInfo and return what is decided now, in the order of the images."""
        self._newest = info
        self._infos[stamp_ns] = info
        while len(self._infos) > KEPT:
            self._infos.popitem(last=False)
        return self._decided(LOOKAHEAD)

    def flush(self) -> list[Pair]:
        """Return what was held back."""
        return self._decided(0)

    def _decided(self, held: int) -> list[Pair]:
        decided = []
        while self._images:
            stamp_ns, image = self._images[0]
            info = self._infos.get(stamp_ns)
            if info is None and len(self._images) <= held:
                break
            self._images.popleft()
            decided.append(Pair(image, info or self._newest, info is not None))
        return decided
