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

"""What the tests of bridges and clients share: a known depth and real servers on free ports."""

from __future__ import annotations

from contextlib import contextmanager
import threading

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
import numpy as np

PATIENCE_S = 30.0
WIDTH, HEIGHT = 80, 60


def picture(seed=0, width=WIDTH, height=HEIGHT):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def depth_of(rgb):
    """Return the depth that the engine below gives: a quarter of the size, bound to the image."""
    small = rgb[::4, ::4].astype(np.float32)
    return 1 + small[..., 0] + small[..., 1] / 256 + small[..., 2] / 65536


class Gate:
    """Holds the engine until it is opened, and says when a frame has come to it."""

    def __init__(self):
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, frame):
        self.entered.set()
        assert self.opened.wait(PATIENCE_S)
        return depth_of(frame.rgb)


@contextmanager
def running(bridge, depth=None, kind=DepthKind.CANONICAL, queue_size=32, engine=None, max_batch=0):
    """Serve on a free port; ``bridge`` is opened, started and stopped."""
    engine = engine or GivenDepthEngine(
        depth or (lambda frame: depth_of(frame.rgb)), kind=kind)
    service = DepthService(engine, queue_size=queue_size, max_batch=max_batch)
    bridge.listen()
    try:
        bridge.start(service)
        yield bridge
    finally:
        if isinstance(depth, Gate):
            depth.opened.set()
        bridge.stop()
        service.close()
