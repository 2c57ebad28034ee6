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

"""What became of a bag's images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from depth_anything_ros.errors import DepthAnythingError

NANOSECONDS = 1_000_000_000


@dataclass
class Summary:
    """
    Counts of one run; ``read == written + failed`` once it is over.

    ``exact`` of the written ones had a CameraInfo with their own stamp; ``messages`` counts what
    was written by topic, ``reasons`` what failed by the error's code with an example of each.
    ``first_ns`` and ``last_ns`` are when the first and the last image were received.
    ``elapsed`` is how long the run took, in seconds. ``stopped`` says why the bag was not read to
    its end, and is empty when it was.
    """

    read: int = 0
    written: int = 0
    exact: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    first_ns: int = 0
    last_ns: int = 0
    elapsed: float = 0.0
    scale_law: str = ''
    stopped: str = ''

    @property
    def failed(self) -> int:
        """Return how many images came to nothing."""
        return sum(self.reasons.values())

    @property
    def recorded(self) -> float:
        """Return how long the recording of the images took, in seconds."""
        return (self.last_ns - self.first_ns) / NANOSECONDS

    def arrived(self, time_ns: int) -> None:
        """Count an image that was read."""
        self.first_ns = min(self.first_ns, time_ns) if self.read else time_ns
        self.last_ns = max(self.last_ns, time_ns) if self.read else time_ns
        self.read += 1

    def fail(self, error: Exception) -> None:
        """Count an image that came to nothing, by the error's code; keep the first text."""
        known = isinstance(error, DepthAnythingError)
        code = error.code if isinstance(error, DepthAnythingError) else 'internal'
        self.reasons[code] += 1
        self.examples.setdefault(code, str(error) if known else f'{type(error).__name__}: {error}')
