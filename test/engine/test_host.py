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

import array

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.core.resize import resize_depth, resize_nearest
from depth_anything_ros.engine.host import CloudWriter, HostSampler
import numpy as np
import pytest
import torch


@pytest.mark.parametrize('width, height', [(640, 480), (97, 31), (3, 200_01), (1, 1)])
def test_cloud_on_the_host_is_the_reference(width, height):
    random = np.random.default_rng(width)
    camera = Intrinsics(300.0, 310.0, width / 2.1, height / 1.9, width, height)
    depth = random.uniform(0.3, 9.0, (height, width)).astype(np.float32)
    depth[random.random(depth.shape) < 0.2] = np.nan
    padded = random.integers(0, 256, (height, width + 2, 3), np.uint8)
    rgb = padded[:, 1:-1]
    message = array.array('B', bytes(16 * width * height))
    cloud = np.frombuffer(message, np.float32).reshape(height, width, 4)
    writer = CloudWriter(*camera.rays())
    for _ in range(2):
        writer.fill(cloud, depth, rgb)
        expected = organised_cloud(depth, camera, rgb)
        np.testing.assert_allclose(cloud[..., :3], expected[..., :3], rtol=1e-6)
        np.testing.assert_array_equal(
            cloud.view(np.uint32)[..., 3], expected.view(np.uint32)[..., 3])
        depth = depth[::-1].copy()


@pytest.mark.parametrize('seed', range(40))
def test_maps_are_resized_as_the_reference_does_it(seed):
    random = np.random.default_rng(seed)
    source = tuple(int(side) for side in random.integers(1, 90, 2))
    target = tuple(int(side) for side in random.integers(1, 300, 2))
    if seed % 5 == 0:  # whole factors, where centres fall on pixels
        target = tuple(side * int(random.integers(1, 4)) for side in source)
    if seed % 7 == 0:
        source = (source[0] * 3, source[1] * 3)
    depth = random.uniform(1.0, 1.04, source[::-1]).astype(np.float32)
    depth[random.random(depth.shape) < 0.1] *= 2
    depth[random.random(depth.shape) < 0.1] = np.nan
    if seed == 3:
        depth[:] = np.nan
    sampler = HostSampler(source, target)
    out = np.zeros(target[::-1], np.float32)
    for _ in range(2):
        before = depth.copy()
        sampler.depth(torch.from_numpy(depth), torch.from_numpy(out))
        np.testing.assert_array_equal(depth, before)
        expected = resize_depth(depth, *target)
        # OpenCV rounds the positions between two pixels to float32.
        np.testing.assert_allclose(out, expected, rtol=3e-5)
        depth = depth[::-1].copy()
    confident = out > 1.02
    small = np.empty(source[::-1], bool)
    HostSampler(target, source).nearest(torch.from_numpy(confident), torch.from_numpy(small))
    np.testing.assert_array_equal(small, resize_nearest(confident, *source))
