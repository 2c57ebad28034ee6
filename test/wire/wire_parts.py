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

"""What several tests of the wire room need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.result import DepthResult, ScaleLaw
from depth_anything_ros.errors import DepthAnythingError
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.pickle_machine import Machine
from depth_anything_ros.wire.pillow import PillowImage
import numpy as np

GOLDEN = Path(__file__).parent / 'golden'

PICKLES = sorted(GOLDEN.glob('*-p?.pkl'))
"""Real pickles of numpy and Pillow, one file per version and protocol."""


def full_result() -> DepthResult:
    """Return a result with every field set to something that nothing else has."""
    frame = Frame(np.zeros((3, 5, 3), np.uint8), 1_700_000_000_123_456_789, 'camera_optical')
    depth = np.arange(15, dtype=np.float32).reshape(3, 5) / 4
    depth[1, 2] = np.nan
    return DepthResult(
        frame, depth, ScaleLaw(DepthKind.CANONICAL, 1.25, 375.0, FocalSource.CAMERA_INFO),
        'da3-tiny', Intrinsics(4.5, 4.25, 2.5, 1.5, 5, 3), confidence=depth + 1,
        sky=np.arange(15).reshape(3, 5) % 2 == 0,
        cloud=np.arange(60, dtype=np.float32).reshape(3, 5, 4),
        preview=np.arange(45, dtype=np.uint8).reshape(3, 5, 3),
        timings={'prepare': 0.001, 'device': 0.25}, notes=('assumed focal length', 'größer'))


def pickled_reply() -> dict[str, object]:
    """Return the reply of the committed file reply.pkl."""
    depth = full_result().depth
    return {
        'status': 'success', 'depth': depth, 'intrinsics': np.eye(3, dtype=np.float32),
        'conf': None, 'list': [depth[:2], np.ones((1, 2, 3), np.uint8), np.array(True)],
        'data': {'depth': depth.tobytes(), 'shape': [3, 5], 'units': 'm', 'timing': (0.5, 2)},
        'numbers': [0, -1, 2**31, -2**63, 2**63 - 1, 1.5, True, False, np.float32(0.25),
                    np.int64(7), np.bool_(True)],
        'text': 'Größe \U0001f916'}


class OneByOne(Machine):
    """The machine without its known runs."""

    def _known(self, length: int) -> bool:
        """Know none."""
        return False


def one_by_one(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Return what a pickle says, opcode by opcode, in a form that can be compared."""
    return outcome(OneByOne, data, limits)


def outcome(machine: type[Machine], data: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Return the value of a pickle as :func:`spelled`, or class and text of the refusal."""
    try:
        return spelled(machine(memoryview(data), limits).run())
    except DepthAnythingError as error:
        return type(error), str(error)


def spelled(value: Any) -> Any:
    """Return a value in builtins, types included; NaN equals itself."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.flags.writeable, value.tobytes()
    if isinstance(value, dict):
        return dict, [(spelled(key), spelled(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [spelled(item) for item in value]
    if isinstance(value, memoryview):
        return memoryview, value.tobytes()
    if isinstance(value, PillowImage):
        return value.mode, value.width, value.height, value.data.tobytes(), value.palette
    return type(value), repr(value)
