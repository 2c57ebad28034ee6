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

"""The scan, and every option of it, changed live."""

import math

import numpy as np
from options_parts import CAMERA, running_bench
import pytest

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def running():
    with running_bench() as bench:
        yield bench


@pytest.fixture
def bench(running):
    yield running
    running.restore()


def scan_of(bench, **values):
    bench.change(**values)
    scan = bench.ask()['depth/scan']
    ranges = np.frombuffer(scan.ranges, np.float32)
    assert len(ranges) == round((scan.angle_max - scan.angle_min) / scan.angle_increment) + 1
    return scan, ranges


def test_a_scan_is_what_a_scanner_at_the_camera_sees(bench):
    wall = np.full((60, 80), 2.0)
    bench.change(scan__height_min=-0.3, scan__height_max=0.3)
    scan = bench.ask(wall)['depth/scan']
    ranges = np.frombuffer(scan.ranges, np.float32)
    angles = scan.angle_min + scan.angle_increment * np.arange(len(ranges))
    np.testing.assert_allclose(ranges, 2 / np.cos(angles), rtol=0.02)
    assert angles[-1] == pytest.approx(math.atan(CAMERA.cx / CAMERA.fx))
    assert scan.header.stamp.sec * 10 ** 9 + scan.header.stamp.nanosec == bench.stamp
    assert (scan.range_min, scan.range_max) == (np.float32(0.1), 10)
    assert (scan.scan_time, scan.time_increment, len(scan.intensities)) == (0, 0, 0)


def test_the_frame_of_the_scan(bench):
    assert scan_of(bench)[0].header.frame_id == 'camera_frame'
    assert scan_of(bench, scan__frame_id='laser')[0].header.frame_id == 'laser'


def test_the_scans_height_min(bench):
    low, high = (scan_of(bench, scan__height_min=height, scan__height_max=1.0)[1]
                 for height in (-0.2, 0.15))
    assert not np.array_equal(low, high, equal_nan=True)
    box = (low < 1.8).sum()
    assert box > (high < 1.8).sum(), 'the box lies below the upper band'


def test_the_scans_height_max(bench):
    low, high = (scan_of(bench, scan__height_min=-1.0, scan__height_max=height)[1]
                 for height in (-0.2, 0.3))
    assert (high < 1.8).sum() > (low < 1.8).sum() == 0, 'the box lies above the lower band'


def test_the_scans_range_min(bench):
    near, far = (scan_of(bench, scan__range_min=least)[1] for least in (0.1, 2.0))
    assert np.nanmin(near[np.isfinite(near)]) < 1.8 < 2 <= np.nanmin(far[np.isfinite(far)])


def test_the_scans_range_max(bench):
    scan, ranges = scan_of(bench, scan__range_max=2.0)
    assert scan.range_max == 2 and np.isposinf(ranges).any()
    assert (ranges[np.isfinite(ranges)] <= 2).all()


def test_a_scan_of_a_mounted_camera_counts_heights_from_the_ground(bench):
    with_ground = scan_of(bench, mount__height=1.0, scan__height_min=0.8, scan__height_max=1.2)[1]
    from_camera = scan_of(bench, mount__height=0.0, scan__height_min=-0.2,
                          scan__height_max=0.2)[1]
    np.testing.assert_allclose(with_ground, from_camera, rtol=1e-6)
