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

"""Every option of the cloud, changed live, changes what is published."""

from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.placement import Mount, placed
import numpy as np
from options_parts import CAMERA, decoded, kept, lengths, points_in, room, running_bench, valid
import pytest
from ros_parts import camera_info, CODE, coded_image, FRAME, wait_until

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def running():
    with running_bench() as bench:
        yield bench


@pytest.fixture
def bench(running):
    yield running
    running.restore()


def test_the_default_is_organised_with_nan_in_the_images_frame(bench):
    cloud = bench.cloud()
    assert (cloud.height, cloud.width, cloud.is_dense) == (60, 80, False)
    assert np.array_equal(kept(cloud), valid())
    assert cloud.header.frame_id == FRAME


def test_dense(bench):
    plain = points_in(bench.cloud())
    cloud = bench.cloud(points__dense=True)
    assert (cloud.height, cloud.width, cloud.is_dense) == (1, valid().sum(), True)
    assert points_in(cloud)[0].tobytes() == plain[valid()].tobytes()
    nothing = np.full((60, 80), 300.0 * CODE)
    bench.change(depth__minimum=1.0)
    empty = bench.ask(nothing)['depth/points']
    assert (empty.height, empty.width, len(empty.data)) == (1, 0, 0)


def test_color(bench):
    plain, cloud = points_in(bench.cloud()), bench.cloud(points__color=False)
    assert cloud.point_step == 12 and [f.name for f in cloud.fields] == ['x', 'y', 'z']
    np.testing.assert_array_equal(points_in(cloud), plain[..., :3])


def test_stride(bench):
    plain, cloud = points_in(bench.cloud()), bench.cloud(points__stride=4)
    assert (cloud.height, cloud.width) == (15, 20)
    assert points_in(cloud).tobytes() == plain[::4, ::4].tobytes()


def test_voxel_size(bench):
    cloud = bench.cloud(points__voxel_size=0.25)
    points = points_in(cloud)[0]
    assert cloud.height == 1 and cloud.is_dense and 20 < cloud.width < valid().sum() / 4
    assert len(np.unique(np.floor(points[:, :3] / np.float32(0.25)), axis=0)) == cloud.width


def test_range_min(bench):
    assert np.array_equal(kept(bench.cloud(points__range_min=2.0)), valid() & (lengths() >= 2))


def test_range_max(bench):
    assert np.array_equal(kept(bench.cloud(points__range_max=3.0)), valid() & (lengths() <= 3))


def over_camera():
    return -unproject(decoded(), CAMERA)[..., 1]


def test_height_min(bench):
    assert np.array_equal(kept(bench.cloud(points__height_min=0.1)),
                          valid() & (over_camera() >= np.float32(0.1)))


def test_height_max(bench):
    assert np.array_equal(kept(bench.cloud(points__height_max=0.1)),
                          valid() & (over_camera() <= np.float32(0.1)))


def test_the_height_of_the_mount(bench):
    found = kept(bench.cloud(mount__height=0.5, points__height_min=0.3))
    assert np.array_equal(found, valid() & (over_camera() >= np.float32(0.3) - np.float32(0.5)))
    assert not np.array_equal(found, kept(bench.cloud(mount__height=0.0)))


def test_the_pitch_of_the_mount(bench):
    found = kept(bench.cloud(mount__pitch_deg=30.0, points__height_min=-1.0))
    levelled = placed(unproject(decoded(), CAMERA), Mount(0.0, 30.0).to_level)[..., 2]
    assert np.array_equal(found, valid() & (levelled >= -1))
    assert not np.array_equal(found, kept(bench.cloud(mount__pitch_deg=0.0)))


def test_confidence_percentile(bench):
    found = kept(bench.cloud(points__confidence_percentile=50.0))
    assert not found[:, :39].any() and np.array_equal(found[:, 40:], valid()[:, 40:])


def test_edge_filter(bench):
    assert kept(bench.cloud())[33, 30]
    found = kept(bench.cloud(points__edge_filter=True))
    assert not found[33, 30] and found.sum() > 0.95 * valid().sum()


def test_max_rate(bench):
    def clouds(rate, count=12):
        bench.change(points__max_rate=rate)
        bench.stamp += 10 ** 10
        store, stamps = bench.rig.got['depth/points'], []
        others = [got for topic, got in bench.rig.got.items() if topic != 'depth/points']
        for _ in range(count):
            bench.stamp += 10 ** 8
            bench.rig.send(
                coded_image(room(), bench.stamp), camera_info(CAMERA, bench.stamp))
            assert wait_until(lambda: all(bench.stamp in got for got in others))
            stamps.append(bench.stamp)
        # The next cloud comes after all of the others'.
        bench.change(points__max_rate=0.0)
        bench.ask()
        return [stamp in store for stamp in stamps]

    assert clouds(0.0, 3) == [True] * 3
    assert clouds(5.0) == [True, False] * 6
    assert sum(clouds(4.0)) in (4, 5)


def test_max_rate_follows_stamps_that_jump_back(bench):
    bench.change(points__max_rate=0.001)
    bench.ask()
    bench.stamp = 10 ** 8
    assert bench.ask()['depth/points']
