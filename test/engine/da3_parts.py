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

"""Frames, options and a small engine for the tests of the DA3 engine."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
import numpy as np
from tiny_networks import tiny_metric

EVERYTHING = frozenset(Output)
METRES = FrameOptions(process_res=98, outputs=EVERYTHING, fov_deg=60.0)


def frame_of(width: int = 128, height: int = 96, seed: int = 0, **more: Any) -> Frame:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(rgb, **more)


def metric_engine() -> DA3Engine:
    return DA3Engine(tiny_metric(), find('da3metric-large'))


def run(engine: Engine, frame: Frame, options: FrameOptions = METRES) -> DepthResult:
    return engine.finish(engine.infer([engine.prepare(frame, options)])[0])
