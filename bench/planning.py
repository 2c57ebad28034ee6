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

"""What the queueing model says about many cameras, and what their images weigh on a network."""

from __future__ import annotations

from functools import lru_cache
import math
from typing import Mapping

from bench.queueing import cameras, Outcome, phases, Servers
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.scenes.builder import demo_rooms
from depth_anything_ros.scenes.render import render
from depth_anything_ros.scenes.trajectory import camera_path
from depth_anything_ros.wire.depth_files import jpeg, png_file
import numpy as np

COUNTS = (10, 100, 10_000)
"""Cameras that the tables are about."""

HERTZ = 10.0
"""Frames per second of a camera."""

SERVICE = (0.010, 0.025, 0.050, 0.100)
"""Seconds of a device for an image."""

OVERHEAD = 0.010
"""Seconds of network, decoding and encoding."""

AGE = 0.25
"""Seconds that 99 of 100 depth maps may be old when they arrive."""

LOST = 0.01
"""Share of the frames that may be replaced by newer ones."""

BUSY = 0.8
"""Share of a device's time that is planned for; clocks drift, and images are not all alike."""

PLACES = 32

WIDTH, HEIGHT = 640, 480

PROCESSED_SIZE = (504, 378)
"""What the released models make of it."""

PROCESSED = '{}x{}'.format(*PROCESSED_SIZE)


def shared(count: int, service: float, hertz: float = HERTZ) -> Outcome:
    """Return what so many cameras get of one device."""
    servers = Servers(1, [service], PLACES, overhead=OVERHEAD)
    # The worst of some sets of phases: cameras do not choose when they begin.
    found = [cameras(phases(count, hertz, seed), hertz, servers, 200 / hertz)
             for seed in range(20)]
    return max(found, key=lambda outcome: outcome.p99)


@lru_cache(maxsize=32)
def cameras_per_device(service: float, hertz: float = HERTZ) -> int:
    """Return how many cameras a device can have within AGE, LOST and BUSY, 0 for none."""
    count = 0
    while (count + 1) * service * hertz <= BUSY + 1e-9:
        found = shared(count + 1, service, hertz)
        if found.p99 > AGE or found.lost > LOST:
            break
        count += 1
    return count


def replica_table() -> str:
    """Return how many devices the cameras need, by the device's time for an image."""
    rows = [['device time per image', 'cameras on one device', 'p99 age there',
             *(f'devices for {count:,} cameras' for count in COUNTS)]]
    for service in SERVICE:
        most = cameras_per_device(service)
        if not most:
            rows.append([f'{service * 1e3:g} ms', 'none', *['-'] * (1 + len(COUNTS))])
            continue
        rows.append([
            f'{service * 1e3:g} ms', str(most), f'{shared(most, service).p99 * 1e3:.0f} ms',
            *(f'{math.ceil(count / most):,}' for count in COUNTS)])
    return _markdown(rows)


def fixed_sizes() -> dict[str, int]:
    """Return bytes per image of the wire forms that are not compressed."""
    pixels, processed = WIDTH * HEIGHT, math.prod(PROCESSED_SIZE)
    return {
        'up: pixels, RGB': 3 * pixels,
        f'up: `engine.url`, RGB at {PROCESSED}': 3 * processed,
        'down: depth, float32': 4 * pixels,
        f'down: `engine.url`, depth and sky at {PROCESSED}': 5 * processed,
        'down: cloud, x y z colour': 16 * pixels}


def compressed_sizes() -> dict[str, int]:
    """Return bytes of the compressed ones, of a rendered room with noise as da3-tiny sees it."""
    from depth_anything_ros.api import DepthEstimator
    camera = Intrinsics.from_focal(460.0, WIDTH, HEIGHT)
    room = demo_rooms()[0]
    noise = np.random.default_rng(0).normal(0, 3, (HEIGHT, WIDTH, 3))
    picture = render(room, camera_path(room, 0.2), camera).rgb + noise
    rgb = np.clip(picture, 0, 255).astype(np.uint8)
    result = DepthEstimator('da3-tiny', device='cpu')(rgb, K=camera.matrix())
    return {'up: JPEG, quality 80': len(jpeg(rgb)),
            'down: depth, 16-bit PNG': len(png_file(result, {}).body)}


def bandwidth_table(sizes: Mapping[str, int]) -> str:
    """Return what wire forms of so many bytes need, per image and for all cameras."""
    rows = [['form, 640x480', 'an image', '1 camera', *(f'{count:,} cameras' for count in COUNTS)]]
    for name, size in sizes.items():
        rows.append([name, _bytes(size), *(_bits(8 * size * HERTZ * count)
                                           for count in (1, *COUNTS))])
    return _markdown(rows)


def _bytes(count: float) -> str:
    return f'{count / 1e6:.2f} MB' if count >= 1e6 else f'{count / 1e3:.0f} kB'


def _bits(rate: float) -> str:
    return f'{rate / 1e9:,.1f} Gbit/s' if rate >= 1e9 else f'{rate / 1e6:.0f} Mbit/s'


def _markdown(rows: list[list[str]]) -> str:
    lines = [rows[0], ['---'] * len(rows[0]), *rows[1:]]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
