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

"""
Damage image files at random and watch time and memory; run by hand.

    python test/wire/fuzz_images.py SECONDS [SEED]

Address space is limited to 3 GiB, so that a file which makes a decoder take more shows up.
"""

from __future__ import annotations

import io
import os
import random
import resource
import sys
import time

from depth_anything_ros.errors import DepthAnythingError
from depth_anything_ros.wire.images import decode_image
from depth_anything_ros.wire.limits import Limits
import numpy as np
from PIL import Image
from test_images import FILES

BYTES = (0, 1, 127, 128, 255)


def animated(kind: str) -> bytes:
    """Return four frames in one file."""
    frames = [Image.fromarray(np.full((20, 30, 3), 40 * level, np.uint8)) for level in range(4)]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return the file with a few bytes changed, most of them near its start, some cut off."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 8])):
        at = chance.randrange(min(len(changed), chance.choice([64, 200, len(changed)])))
        changed[at] = chance.choice([*BYTES, chance.randrange(256)])
    if chance.random() < 0.2:
        del changed[chance.randrange(len(changed)):]
    return bytes(changed)


def main() -> None:
    """Damage files until the time is over, then report."""
    # The decoders print a line for nearly every file.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
    files = [*FILES.values(), animated('WEBP'), animated('PNG')]
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    limits = Limits(pixels=1_000_000)
    end = time.monotonic() + float(sys.argv[1])
    count = read = 0
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while time.monotonic() < end:
        data = damaged(chance.choice(files), chance)
        start = time.monotonic()
        try:
            decode_image(data, limits)
            read += 1
        except DepthAnythingError:
            pass
        slowest = max(slowest, time.monotonic() - start)
        count += 1
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f'{count} files, {read} read, slowest {slowest * 1e3:.0f} ms, '
          f'largest memory {before // 1024} MiB before, {after // 1024} MiB after')


if __name__ == '__main__':
    main()
