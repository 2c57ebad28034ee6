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

"""A fair choice of points from a stream of them, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Sample:
    """
    At most so many points; each that was seen is in it with the same probability.

    ``points`` (P, 3) float32, ``colours`` (P, 3) uint8, ``confidence`` (P,) float32 and ``ranks``
    (P,) float64, random numbers by which points are chosen: 27 bytes a point.
    """

    points: npt.NDArray[np.float32]
    colours: npt.NDArray[np.uint8]
    confidence: npt.NDArray[np.float32]
    ranks: npt.NDArray[np.float64]

    @classmethod
    def empty(cls) -> Sample:
        """Return a sample of nothing."""
        return cls(np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8),
                   np.empty(0, np.float32), np.empty(0, np.float64))

    def joined(self, other: Sample, most: int) -> Sample:
        """Return both, thinned to the ``most`` lowest ranks, in the order they came."""
        both = Sample(
            np.concatenate((self.points, other.points)),
            np.concatenate((self.colours, other.colours)),
            np.concatenate((self.confidence, other.confidence)),
            np.concatenate((self.ranks, other.ranks)))
        if len(both.ranks) <= most:
            return both
        keep = np.sort(np.argpartition(both.ranks, most)[:most])
        return Sample(both.points[keep], both.colours[keep], both.confidence[keep],
                      both.ranks[keep])
