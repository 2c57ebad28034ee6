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

"""An engine that says for how long its device has been busy."""

from __future__ import annotations

import time
from typing import Sequence

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine, EngineInfo, Inferred, Prepared


class Watched:
    """
    An engine, and since when a call of it that needs the device has been going on.

    Functions that are handed the engine itself take as long as they take, and are not watched.
    """

    def __init__(self, engine: Engine) -> None:
        """Stand before an engine."""
        self.engine = engine
        self._begun: dict[str, float] = {}

    @property
    def info(self) -> EngineInfo:
        """Return what the engine is."""
        return self.engine.info

    def busy_for(self) -> float:
        """Return the seconds that the longest call has been going on, 0 while there is none."""
        begun = list(self._begun.values())
        return time.monotonic() - min(begun) if begun else 0.0

    def prepare(self, frame: Frame, options: FrameOptions) -> Prepared:
        """Do what the engine does."""
        return self.engine.prepare(frame, options)

    def infer(self, batch: Sequence[Prepared]) -> list[Inferred]:
        """Do what the engine does, and note when it began."""
        self._begun['infer'] = time.monotonic()
        try:
            return self.engine.infer(batch)
        finally:
            del self._begun['infer']

    def finish(self, inferred: Inferred) -> DepthResult:
        """Do what the engine does, and note when it began."""
        self._begun['finish'] = time.monotonic()
        try:
            return self.engine.finish(inferred)
        finally:
            del self._begun['finish']

    def warm_up(self, width: int, height: int) -> None:
        """Do what the engine does."""
        self.engine.warm_up(width, height)

    def close(self) -> None:
        """Do what the engine does."""
        self.engine.close()
