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

"""Find the CameraInfo of every image, without waiting longer than until the next image."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Callable

PATIENCE = 5
"""Images in a row without their CameraInfo, after which nobody waits for it any more."""

KEPT = 16
"""CameraInfo messages kept, for those that come before their image."""


@dataclass(frozen=True)
class Pair:
    """An image and its CameraInfo, None when it has none; ``exact``: by equal stamps."""

    image: Any
    info: Any = None
    exact: bool = field(default=False, compare=False)


class Pairing:
    """
    Pairs images with CameraInfo messages by stamp.

    An image whose CameraInfo is not here waits for it until the next image comes. After
    ``PATIENCE`` misses in a row nobody waits: the newest CameraInfo is taken, or none where there
    never was one. One match by stamp brings exactness back. An image whose CameraInfo was lost
    between two that say the same takes the later of those.
    """

    def __init__(self, content: Callable[[Any], Any] | None = None) -> None:
        """
        Start with nothing.

        :param content: returns what a CameraInfo says but for its stamp; None: a lost one is
            never made up for.
        """
        self._content = content
        self._infos: OrderedDict[int, Any] = OrderedDict()
        self._newest: Any = None
        self._waiting: tuple[int, Any, bool] | None = None
        self._last_image: int | None = None
        self._misses = 0

    @property
    def fallen(self) -> bool:
        """Return whether stamps do not match and the newest CameraInfo is taken instead."""
        return self._misses >= PATIENCE

    @property
    def has_info(self) -> bool:
        """Return whether any CameraInfo came so far."""
        return self._newest is not None

    @property
    def waiting(self) -> int:
        """Return how many images wait, 0 or 1."""
        return 0 if self._waiting is None else 1

    def add_image(self, stamp: int, image: Any, *, exact: bool = True) -> list[Pair]:
        """
        Take an image and return what is decided now, oldest first.

        :param stamp: stamp in nanoseconds.
        :param image: the message.
        :param exact: False to take the newest CameraInfo whatever its stamp.
        """
        decided = []
        if self._waiting is not None:
            decided.append(Pair(self._waiting[1]))
            self._waiting = None
            self._misses += 1
        self._last_image = stamp
        if stamp in self._infos:
            self._misses = 0
            decided.append(Pair(image, self._infos[stamp], exact=True))
        elif self.fallen or (not exact and self.has_info):
            decided.append(Pair(image, self._newest))
        elif exact and (near := self._around(stamp)) is not None:
            self._misses += 1
            decided.append(Pair(image, near))
        else:
            self._waiting = stamp, image, exact
        return decided

    def add_info(self, stamp: int, info: Any) -> list[Pair]:
        """Take a CameraInfo and return the image that waited for it, if one did."""
        self._newest = info
        self._infos.pop(stamp, None)
        self._infos[stamp] = info
        while len(self._infos) > KEPT:
            self._infos.popitem(last=False)
        if stamp == self._last_image:
            self._misses = 0
        if self._waiting is None:
            return []
        wanted, image, exact = self._waiting
        if exact and wanted != stamp:
            info = self._around(wanted)
            if info is None:
                return []
            self._misses += 1
        self._waiting = None
        return [Pair(image, info, exact=wanted == stamp)]

    def _around(self, stamp: int) -> Any:
        """Return the CameraInfo after a stamp where the one before it says the same, else None."""
        before = max((each for each in self._infos if each < stamp), default=None)
        after = min((each for each in self._infos if each > stamp), default=None)
        if self._content is None or before is None or after is None:
            return None
        one, two = self._infos[before], self._infos[after]
        return two if self._content(one) == self._content(two) else None

    def flush(self) -> list[Pair]:
        """Give up waiting and return the image that waited, if one did."""
        left = [] if self._waiting is None else [Pair(self._waiting[1])]
        self._waiting = None
        return left
