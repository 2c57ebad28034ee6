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
Depth to an organised XYZRGB cloud: ours, the usual way and the limit (a copy of its bytes).

``python -m bench.cloud``
"""

from __future__ import annotations

import argparse
import array

from bench import naive, report
from bench.pairs import interleave, one_processor
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.process import set_up_process
import numpy as np

SIZES = ((640, 480), (1920, 1080))


def rows(width: int, height: int, rounds: int) -> list[report.Row]:
    """Return the rows of one image size."""
    import cv2
    from depth_anything_ros.engine.host import CloudWriter
    from depth_anything_ros.engine.native import load
    from depth_anything_ros.engine.native_finish import NativeWriter
    cv2.setNumThreads(1)
    random = np.random.default_rng(0)
    camera = Intrinsics.from_fov(70.0, width, height)
    depth = random.uniform(0.5, 8.0, (height, width)).astype(np.float32)
    depth[random.random(depth.shape) < 0.05] = np.nan
    rgb = random.integers(0, 256, (height, width, 3), np.uint8)
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    expected = organised_cloud(depth, camera, rgb)
    kernels, missing = load()
    if kernels is None:
        raise SystemExit(missing)
    writer = NativeWriter(*camera.rays(), kernels=kernels)
    without = CloudWriter(*camera.rays())
    # As in a message: memory of an array.array, used again for every frame.
    message = array.array('B', bytes(expected.nbytes))
    cloud = np.frombuffer(message, np.float32).reshape(height, width, 4)
    copy = np.empty_like(cloud)

    def usual() -> None:
        data = array.array('B')
        data.frombytes(naive.cloud_bytes(
            depth, bgr, (camera.fx, camera.fy, camera.cx, camera.cy)))

    ours, limit, by_opencv = 'ours', 'memcpy', 'ours without a compiler'
    samples = interleave({
        ours: lambda: writer.fill(cloud, depth, rgb), 'usual way': usual,
        by_opencv: lambda: without.fill(cloud, depth, rgb),
        limit: lambda: np.copyto(copy, cloud)}, rounds=rounds, warm_up=5)
    np.testing.assert_allclose(cloud[..., :3], expected[..., :3], rtol=1e-6)
    np.testing.assert_array_equal(cloud.view(np.uint32)[..., 3], expected.view(np.uint32)[..., 3])
    size = f'{width}x{height}'
    found = [report.compared(samples, ours, limit, report.bar('at most', 1.6)),
             report.compared(samples, by_opencv, limit),
             report.compared(samples, 'usual way', limit)]
    return [{**row, 'what': f'{size}: {row["what"]}'} for row in found]


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=60)
    arguments = parser.parse_args()
    set_up_process()
    one_processor()
    report.save(
        'cloud', 'time, ratio',
        [row for size in SIZES for row in rows(*size, arguments.rounds)],
        columns={'milliseconds': 'ms', 'against_milliseconds': 'against, ms'},
        rounds=arguments.rounds, threads=1)


if __name__ == '__main__':
    main()
