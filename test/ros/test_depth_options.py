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

"""Every option of depth and sky, changed live, changes what is published."""

import numpy as np
from options_parts import CAMERA, decoded, points_in, running_bench, valid, WORLD
import pytest
from ros_parts import depth_from, FRAME

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def running():
    with running_bench() as bench:
        yield bench


@pytest.fixture
def bench(running):
    yield running
    running.restore()


@pytest.mark.parametrize('mode', ['nan', 'inf', 'far'])
def test_the_mode_of_the_sky(bench, mode):
    bench.change(sky__mode=mode, depth__maximum=3.2)
    out = bench.ask()
    free = ~valid() | (decoded() > 3.2)
    depth = depth_from(out['depth/image'])
    np.testing.assert_array_equal(np.isposinf(depth), free & (mode == 'inf'))
    np.testing.assert_array_equal(np.isnan(depth), free & (mode != 'inf'))
    points = points_in(out['depth/points'])[..., :3]
    found = np.isfinite(points[..., 2])
    np.testing.assert_array_equal(found, ~free | (mode == 'far'))
    if mode == 'far':
        np.testing.assert_allclose(np.linalg.norm(points[free], axis=-1), 10.0, rtol=1e-5)
    raw = np.frombuffer(out['depth/image_raw'].data, np.uint16).reshape(60, 80)
    assert (raw[free] == (65535 if mode == 'inf' else 0)).all()


def test_far_distance(bench):
    bench.change(sky__mode='far', sky__far_distance=25.0)
    bench.change(points__dense=True, points__range_max=2.0)
    points = points_in(bench.ask()['depth/points'])[0, :, :3]
    assert len(points) == 60 * 80, 'every pixel clears or is measured'
    length = np.linalg.norm(points, axis=-1)
    np.testing.assert_allclose(length[length > 2], 25.0, rtol=1e-5)
    assert (length <= 2).any()


def test_minimum(bench):
    bench.change(depth__minimum=2.0)
    assert np.array_equal(
        np.isfinite(depth_from(bench.ask()['depth/image'])), valid() & (decoded() >= 2))


def test_maximum(bench):
    bench.change(depth__maximum=3.0)
    assert np.array_equal(
        np.isfinite(depth_from(bench.ask()['depth/image'])), valid() & (decoded() <= 3))


def test_output_size(bench):
    WORLD.scale = 2
    sizes = {}
    for size in ('input', 'model'):
        bench.change(depth__output_size=size)
        out = bench.ask()
        shapes = {(message.width, message.height) for topic, message in out.items()
                  if topic != 'depth/scan'}
        assert len(shapes) == 1, 'all topics of a frame have one size'
        sizes[size] = shapes.pop()
        info, points = out['depth/camera_info'], points_in(out['depth/points'])
        assert list(out['color/camera_info'].k) == list(info.k)
        depth = depth_from(out['depth/image'])
        v, u = np.mgrid[0:info.height, 0:info.width]
        x = (u - info.p[2]) * depth / info.p[0]
        np.testing.assert_allclose(points[..., 0], x, rtol=1e-5, atol=1e-6)
        assert info.k[0] == pytest.approx(CAMERA.fx * info.width / 80)
        assert info.k[5] == pytest.approx(CAMERA.cy * info.height / 60)
    assert sizes == {'input': (80, 60), 'model': (40, 30)}


def test_the_camera_that_the_model_takes_it_for(bench):
    info = bench.ask()['camera_info/estimated']
    assert list(info.k) == [float(value) for value in CAMERA.matrix().reshape(-1)]
    assert info.header.frame_id == FRAME and list(info.d) == [0.0] * 5
