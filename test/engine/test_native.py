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

"""The compiled passes give what the numpy reference gives, and refuse what they cannot walk."""

import array
import logging
from pathlib import Path
import subprocess

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import invalidate, SKY_THRESHOLD
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.core.processed_size import plan
from depth_anything_ros.core.resize import resize_depth
from depth_anything_ros.engine import native
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.native_finish import Colouring, NativeSampler, NativeWriter
from depth_anything_ros.engine.native_prepare import NativePreparer
from depth_anything_ros.engine.preprocess import normalised_on_host, process
from depth_anything_ros.engine.tiny import build_tiny
import numpy as np
import pytest
import torch

ODD = [np.nan, np.inf, -np.inf, 0.0, -1.0, -0.0, 1e-42, 3e38, np.finfo(np.float32).tiny]


@pytest.fixture(scope='module')
def kernels():
    found, problem = native.load()
    assert found is not None, problem
    return found


def picture(random, width, height, layout):
    """Return an image as cameras hand it over: whole, with padded rows, a part, or turned."""
    wide = random.integers(0, 256, (height + 3, width + 5, 3), np.uint8)
    return {
        'whole': wide[:height, :width].copy(), 'padded': wide[:height, :width],
        'region': wide[2:height + 2, 4:width + 4], 'end': wide[3:, 5:],
        'bgr': wide[:height, :width, ::-1], 'upside down': wide[:height, :width][::-1]}[layout]


LAYOUTS = ['whole', 'padded', 'region', 'end', 'bgr', 'upside down']


def maps(random, width, height):
    """Return depth and sky with surfaces, edges and every number that is no depth."""
    depth = random.uniform(1.0, 1.04, (height, width)).astype(np.float32)
    depth[random.random(depth.shape) < 0.1] *= 2
    for value in ODD:
        depth[random.random(depth.shape) < 0.02] = value
    sky = random.uniform(0, 0.4, depth.shape).astype(np.float32)
    sky[random.random(depth.shape) < 0.05] = np.nan
    sky[random.random(depth.shape) < 0.05] = np.float32(SKY_THRESHOLD)
    return depth, sky


@pytest.mark.parametrize('seed', range(60))
def test_depth_and_cloud_are_the_reference_bit_for_bit(kernels, seed):
    random = np.random.default_rng(seed)
    source = tuple(int(side) for side in random.integers(1, 90, 2))
    target = tuple(int(side) for side in random.integers(1, 200, 2))
    if seed % 5 == 0:
        target = tuple(side * int(random.integers(1, 4)) for side in source)
    width, height = target
    depth, sky = maps(random, *source)
    law = (float(random.uniform(0.1, 3)), 0.0 if seed % 2 else 0.5, np.inf if seed % 3 else 2.5)
    masked = sky if seed % 4 else None
    camera = Intrinsics(300.0, 310.0, width / 2.1, height / 1.9, width, height)
    rgb = picture(random, width, height, LAYOUTS[seed % len(LAYOUTS)])
    sampler = NativeSampler(source, target, kernels=kernels)
    writer = NativeWriter(*camera.rays(), kernels=kernels)
    # As in messages: memory that begins anywhere a float may, used again, with walls around it.
    room = array.array('f', [7.0]) * (5 * width * height + 2)
    memory = np.frombuffer(room, np.float32)
    out = memory[1:1 + width * height].reshape(height, width)
    cloud = memory[1 + width * height:-1].reshape(height, width, 4)
    bounds = max(law[1], np.finfo(np.float32).tiny), min(law[2], np.finfo(np.float32).max)
    for _ in range(2):
        before = depth.copy()
        sampler.finish(
            torch.from_numpy(depth), None if masked is None else torch.from_numpy(masked),
            (law[0], *bounds), out, Colouring(cloud, writer, rgb))
        np.testing.assert_array_equal(depth, before)
        with np.errstate(over='ignore'):
            expected = resize_depth(invalidate(
                depth * np.float32(law[0]), minimum=bounds[0], maximum=bounds[1],
                sky=None if masked is None else masked >= np.float32(SKY_THRESHOLD)), *target)
        np.testing.assert_array_equal(out, expected)
        with np.errstate(over='ignore'):
            points = organised_cloud(expected, camera, rgb)
        alone = np.zeros_like(points)
        writer.fill(alone, expected, rgb)
        for found in (cloud, alone):
            np.testing.assert_array_equal(found[..., :3], points[..., :3])
            np.testing.assert_array_equal(
                found.view(np.uint32)[..., 3], points.view(np.uint32)[..., 3])
        assert memory[0] == memory[-1] == 7.0
        depth = depth[::-1].copy()
    only, valid = torch.empty(height, width), invalidate(depth, minimum=bounds[0])
    sampler.depth(torch.from_numpy(valid), only)
    np.testing.assert_array_equal(only, resize_depth(valid, *target))


@pytest.mark.parametrize('seed', range(40))
def test_a_prepared_image_is_that_of_opencv(kernels, seed):
    random = np.random.default_rng(seed)
    width, height = (int(side) for side in random.integers(30, 400, 2))
    method = f'{("upper", "lower")[seed % 2]}_bound_{("resize", "crop")[seed // 2 % 2]}'
    steps = plan(width, height, int(random.integers(200, 300)), method)
    if seed % 5 == 0:  # no resize at all
        width, height = steps.resized
    rgb = picture(random, width, height, LAYOUTS[seed % len(LAYOUTS)])
    expected = process(np.ascontiguousarray(rgb), steps, fast=True)
    pixels, values = NativePreparer(kernels)(rgb, steps)
    # OpenCV's own arithmetic, bit for bit where it was looked at; another build may round apart.
    assert np.abs(pixels.astype(int) - expected).max() <= 1
    assert (pixels != expected).mean() < 0.01
    torch.testing.assert_close(values, normalised_on_host(pixels), rtol=0, atol=1e-6)


def test_what_a_kernel_cannot_walk_through_is_refused(kernels):
    sampler = NativeSampler((8, 6), (16, 12), kernels=kernels)
    law, depth, out = (1.0, 0.1, 9.0), torch.ones(6, 8), np.ones((12, 16), np.float32)
    camera = Intrinsics.from_fov(60.0, 16, 12)
    writer = NativeWriter(*camera.rays(), kernels=kernels)
    other = NativeWriter(*Intrinsics.from_fov(60.0, 16, 11).rays(), kernels=kernels)
    rgb, cloud = np.zeros((12, 16, 3), np.uint8), np.zeros((12, 16, 4), np.float32)
    colouring = Colouring(cloud, writer, rgb)
    sampler.finish(depth, None, law, out, colouring)
    for wrong in (
            (depth[:5], None, law, out), (depth.double(), None, law, out),
            (depth, depth[:, :7], law, out), (depth, depth > 0, law, out),
            (depth, None, law, out[:, ::2]), (depth, None, law, out.astype(np.float16)),
            (depth, None, law, out, Colouring(cloud[:11], writer, rgb)),
            (depth, None, law, out, Colouring(cloud, other, rgb)),
            (depth, None, law, out, Colouring(cloud, writer, rgb[:11])),
            (depth, None, law, out, Colouring(cloud, writer, rgb.astype(np.int8)))):
        with pytest.raises(ValueError, match='needed'):
            sampler.finish(*wrong)
    with pytest.raises(ValueError, match='needed'):
        writer.fill(cloud[:, ::-1], out, rgb)
    # What merely lies elsewhere is brought together.
    sampler.finish(torch.ones(8, 6).T, torch.zeros(8, 6).T, law, out, colouring)
    assert (out == 1).all()


@pytest.fixture
def unloaded(monkeypatch):
    native.load.cache_clear()
    yield monkeypatch
    native.load.cache_clear()


def test_without_the_library_it_is_said_and_all_works(unloaded, tmp_path, caplog):
    unloaded.setattr(native, 'folders', lambda: [tmp_path])
    with caplog.at_level(logging.WARNING):
        engine = DA3Engine(build_tiny(), find('da3-tiny'))
    said = [text for text in engine.info.warnings if 'compiled frame path' in text]
    assert len(said) == 1 and 'C compiler' in said[0]
    assert said[0] in caplog.text


def test_a_library_of_another_version_is_not_used(unloaded, tmp_path):
    library = tmp_path / native.LIBRARY
    library.parent.mkdir(parents=True)
    unloaded.setattr(native, 'folders', lambda: [tmp_path])
    library.write_bytes(b'no library')
    assert native.load()[0] is None
    native.load.cache_clear()
    source = tmp_path / 'old.c'
    source.write_text('int frame_kernels_version(void) { return 0; }\n')
    subprocess.run(['cc', '-shared', '-fPIC', '-o', library, source], check=True)
    found, problem = native.load()
    assert found is None and 'version 0' in problem


def test_source_and_binding_are_of_one_version():
    source = Path(__file__).resolve().parents[2] / 'native/frame_kernels.c'
    assert f'frame_kernels_version(void) {{ return {native.VERSION}; }}' in source.read_text()
