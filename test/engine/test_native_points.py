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

"""Compiled lists and scans are the numpy reference's, bit for bit, and so are PyTorch's."""

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud import make_cloud as reference_cloud
from depth_anything_ros.core.cloud_options import CloudOptions, ScanOptions
from depth_anything_ros.core.placement import Mount, Placement
from depth_anything_ros.core.scan import scan_ranges as reference_ranges
from depth_anything_ros.engine import native
from depth_anything_ros.engine.cloud import make_cloud, strided
from depth_anything_ros.engine.grids import Rays
from depth_anything_ros.engine.native_points import native_cloud, NativeGrid
from depth_anything_ros.engine.scan import device_grid, scan_ranges
import numpy as np
import pytest
import torch

ODD = [np.nan, np.inf, -np.inf, -np.nan, 1e-42, 3e30]
PLACEMENT = Placement.from_pose('map', (1.25, -3.5, 0.7), (0.3, -0.2, 0.6, 0.7))


@pytest.fixture(scope='module')
def kernels():
    found, problem = native.load()
    assert found is not None, problem
    return found


def depth_map(random, width, height, holes):
    """Return depth with surfaces, holes of any size and every number that is no depth."""
    depth = random.uniform(0.2, 9.0, (height, width)).astype(np.float32)
    depth[random.random(depth.shape) < holes] = np.nan
    for value in ODD:
        depth[random.random(depth.shape) < 0.01] = value
    return depth


def walled(size):
    """Return room for float32 values between two others, and the room with them."""
    memory = np.full(int(np.prod(size)) + 2, 7.0, np.float32)
    return memory[1:-1].reshape(size), memory


@pytest.mark.parametrize('seed', range(48))
def test_every_form_of_a_cloud_is_the_reference_bit_for_bit(kernels, seed):
    random = np.random.default_rng(seed)
    width, height = (int(side) for side in random.integers(1, 90, 2))
    camera = Intrinsics(70.0, 75.0, width / 2.1, height / 1.9, width, height)
    depth = depth_map(random, width, height, (0.0, 0.05, 0.7, 1.0)[seed % 4])
    rgb = random.integers(0, 256, (height, width + 3, 3), np.uint8)[:, 1:width + 1]
    if seed % 5 == 0:
        rgb = rgb[..., ::-1]
    options = CloudOptions(
        dense=bool(seed & 1), color=bool(seed & 2), stride=1 + seed % 3,
        target_frame='map' if seed & 4 else '')
    if not options.dense:  # where there is no point, depth is NaN
        depth[np.isinf(depth)] = np.nan
    matrix = PLACEMENT.matrix if options.target_frame else None
    step, written = options.stride, []
    rays = strided(Rays(*(torch.from_numpy(table) for table in camera.rays())), step)
    few = depth[::step, ::step]

    def place(size, kind):
        assert kind is np.float32
        if 0 in size:
            return None
        written.append(walled(size))
        return written[-1][0]

    with np.errstate(all='ignore'):
        expected = reference_cloud(depth, camera, rgb, options, matrix)
    colours = rgb[::step, ::step]
    found = native_cloud(
        kernels, few, (rays.x.numpy(), rays.y.numpy()), colours if options.color else None,
        listed=options.listed, placement=matrix, place=place)
    by_torch = make_cloud(
        torch.from_numpy(few), rays,
        torch.from_numpy(colours.copy()) if options.color else None, options, matrix).numpy()
    for cloud in (found, by_torch):
        assert cloud.shape == expected.shape and cloud.dtype == np.float32
        np.testing.assert_array_equal(cloud[..., :3], expected[..., :3])
        np.testing.assert_array_equal(
            cloud.view(np.uint32)[..., 3:], expected.view(np.uint32)[..., 3:])
    if options.listed:
        assert found.tobytes() == by_torch.tobytes() == expected.tobytes()
    for values, memory in written:
        assert found.base is values.base and memory[0] == memory[-1] == 7.0


@pytest.mark.parametrize('seed', range(40))
def test_a_scan_is_the_reference_bit_for_bit(kernels, seed):
    random = np.random.default_rng(seed)
    width, height = (int(side) for side in random.integers(9, 120, 2))
    camera = Intrinsics(
        float(random.uniform(0.4, 2) * width), 60.0, width / 2.1, height / 1.9, width, height)
    mount = Mount() if seed % 3 else Mount(0.8, 90.0 if seed % 2 else 25.0)
    depth = depth_map(random, width, height, (0.0, 0.05, 0.7, 1.0)[seed % 4])
    depth[random.random(depth.shape) < 0.02] = 0.0
    beyond = random.random(depth.shape) < (0.0, 0.1, 1.0)[seed % 3]
    low = float(random.uniform(-1, 0.5))
    options = ScanOptions(
        low, low + float(random.uniform(0.1, 2)), float(random.choice([0.0, 1.2])),
        float(random.uniform(2, 10)))
    grid = NativeGrid(camera, mount, kernels=kernels)
    open_depth = np.where(beyond, np.float32(np.inf), depth)
    with np.errstate(all='ignore'):
        expected = reference_ranges(
            open_depth, grid.grid, lowest=options.lowest, highest=options.highest,
            nearest=options.nearest, farthest=options.farthest)
    found = grid.ranges(depth, beyond, options)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(grid.ranges(open_depth, None, options), expected)
    table = device_grid(camera, mount, device=torch.device('cpu'))
    np.testing.assert_array_equal(
        scan_ranges(torch.from_numpy(open_depth), table, options).numpy(), expected)


def test_what_a_kernel_cannot_walk_through_is_refused(kernels):
    camera = Intrinsics.from_fov(60.0, 16, 12)
    depth, rgb = np.ones((12, 16), np.float32), np.zeros((12, 16, 3), np.uint8)

    def cloud(depth=depth, rgb=rgb, rays=None, place=np.empty):
        rays = rays or camera.rays()
        return native_cloud(
            kernels, depth, rays, rgb, listed=True, placement=None, place=place)

    assert cloud().shape == (192, 4)
    for wrong in ({'depth': depth.astype(np.float64)}, {'depth': depth[:11]},
                  {'rgb': rgb[:11]}, {'rgb': rgb.astype(np.int8)}, {'rays': camera.rays()[::-1]},
                  {'place': lambda size, kind: np.empty((191, 4), kind)},
                  {'place': lambda size, kind: np.empty(size, np.uint32)}):
        with pytest.raises(ValueError, match='needed'):
            cloud(**wrong)
    grid, options = NativeGrid(camera, Mount(), kernels=kernels), ScanOptions()
    for wrong in ((depth[:11], None), (depth[:, ::-1], None), (depth, depth)):
        with pytest.raises(ValueError, match='needed'):
            grid.ranges(*wrong, options)
