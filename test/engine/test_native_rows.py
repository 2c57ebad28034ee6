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

"""The helper that does rows of the compiled passes: nobody can tell from the result."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
import os
from pathlib import Path
import signal
import sys
import time

from depth_anything_ros.core.processed_size import plan
from depth_anything_ros.engine import native
from depth_anything_ros.engine.native_areas import NativeAreas
from depth_anything_ros.engine.native_finish import Colouring, NativeSampler, NativeWriter
from depth_anything_ros.engine.native_prepare import NativePreparer
import numpy as np
import pytest
import torch

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='the helper is for Linux')
SEVERAL = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason='a helper needs a second processor')
SIZES = [(640, 480), (1920, 1080), (1001, 137), (20000, 7), (70000, 2), (300, 1000), (16, 9000)]


@pytest.fixture(scope='module')
def passes():
    """Return a function of an image's size and a seed: what all passes make of such an image."""
    kernels, problem = native.load()
    assert kernels is not None, problem
    fast, exact = NativePreparer(kernels), NativeAreas(kernels)

    def make(size, seed):
        random = np.random.default_rng(seed)
        width, height = size
        small = max(1, width // 2), max(1, height * 2 // 3)
        rgb = random.integers(0, 256, (height, width, 3), np.uint8)
        x, y = (random.standard_normal(side).astype(np.float32) for side in size)
        writer = NativeWriter(x, y, kernels=kernels)
        network = torch.from_numpy(random.uniform(1, 1.1, small[::-1]).astype(np.float32))
        depth, cloud, again = (
            np.empty(shape, np.float32) for shape in ((height, width), *[(height, width, 4)] * 2))
        NativeSampler(small, size, kernels=kernels).finish(
            network, None, (1.5, 0.1, 100.0), depth, Colouring(cloud, writer, rgb))
        writer.fill(again, depth, rgb)
        found = [depth, cloud, again]
        if min(size) >= 100:
            steps = plan(*size, min(504, max(size)), 'upper_bound_resize')
            for prepare in (fast, exact):
                pixels, values = prepare(rgb, steps)
                found += [pixels, values.numpy()]
        return [each.tobytes() for each in found]

    return make


def alone(call):
    """Return what a function returns in a thread that may use one processor: without a helper."""
    def run():
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        return call()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def helper():
    """Return the folder of the helper's thread, None where there is none."""
    return next((each for each in Path('/proc/self/task').iterdir()
                 if (each / 'comm').read_text().strip() == 'depth-rows'), None)


@pytest.mark.parametrize('size', SIZES)
def test_rows_are_the_same_whoever_does_them(passes, size):
    for seed in range(3):
        assert passes(size, seed) == alone(partial(passes, size, seed))


@SEVERAL
def test_the_helper_does_some_of_them(passes):
    """It runs on another processor, and signals are not for it."""
    passes((640, 480), 0)
    for _ in range(100):
        if helper() is not None:
            break
        time.sleep(0.01)
    before = int((helper() / 'schedstat').read_text().split()[0])
    for seed in range(5):
        passes((1920, 1080), seed)
    assert int((helper() / 'schedstat').read_text().split()[0]) - before > 1e6, 'nanoseconds'
    status = dict(line.split(':', 1) for line in (helper() / 'status').read_text().splitlines())
    blocked = int(status['SigBlk'], 16)
    assert all(blocked >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGTERM))


def test_several_threads_at_once(passes):
    """One has the helper, the others do without."""
    expected = [alone(partial(passes, (640, 480), seed)) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda each: passes((640, 480), each % 4), range(60)))
    assert all(each == expected[index % 4] for index, each in enumerate(found))


def test_a_forked_process_has_a_helper_of_its_own(passes):
    expected = passes((640, 480), 5)
    child = os.fork()
    if child == 0:
        same = [passes((640, 480), 5) == expected for _ in range(5)]
        os._exit(0 if all(same) and (helper() is not None) == (len(os.sched_getaffinity(0)) > 1)
                 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_small_images_wake_nobody(passes):
    """Waking takes longer than they do; in a process where nobody was woken yet."""
    child = os.fork()
    if child == 0:
        passes((160, 120), 0)
        os._exit(0 if helper() is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
