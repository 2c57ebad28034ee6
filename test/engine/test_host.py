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
from depth_anything_ros.engine.host import CloudWriter
import numpy as np
import pytest


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
