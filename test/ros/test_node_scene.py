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

import math
import signal

from depth_anything_ros.core.camera import Intrinsics
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    coded_image,
    depth_from,
    HERE,
    plane_depth,
    points_of,
    Process,
    Rig,
    ros_context,
    small_camera,
    xyz_of,
)

pytestmark = pytest.mark.ros

SIZES = [(64, 48), (161, 121), (320, 240), (400, 225), (240, 320)]
FOCAL_PER_WIDTH = 0.8


def rig_beside(*options):
    """Make a rig in this process and the exact node in another one."""
    with ros_context() as context, Process(str(HERE / 'exact_node.py'), *options) as node:
        rig = Rig(context)
        try:
            yield rig
        finally:
            rig.close()
        assert node.end(signal.SIGINT) == 0, node.lines


@pytest.fixture(scope='module')
def metric():
    yield from rig_beside()


@pytest.fixture(scope='module')
def canonical():
    yield from rig_beside('--kind', 'canonical', '--focal-per-width', str(FOCAL_PER_WIDTH))


def relative_error(seen, expected):
    assert seen.shape == expected.shape
    difference = np.linalg.norm(seen - expected, axis=-1)
    return (difference / np.linalg.norm(expected, axis=-1)).max()


def depth_image_proc(depth, info):
    """Return points by depth_image_proc's formula: P of the info, no baseline term."""
    fx, cx, fy, cy = info.p[0], info.p[2], info.p[5], info.p[6]
    v, u = np.mgrid[0:info.height, 0:info.width]
    return np.stack([(u - cx) * depth / fx, (v - cy) * depth / fy, depth], -1, dtype=np.float64)


@pytest.mark.parametrize('size', SIZES)
def test_the_cloud_is_the_analytic_one(metric, size):
    camera = small_camera(*size)
    depth = plane_depth(camera)
    image = coded_image(depth, stamp=size[0] * 10 ** 9 + size[1])
    out = metric.ask(image, camera_info(camera, size[0] * 10 ** 9 + size[1]))
    cloud = out['depth/points']
    assert (cloud.width, cloud.height, cloud.is_dense) == (*size, False)
    assert relative_error(xyz_of(cloud), points_of(depth, camera)) < 1e-4
    assert all(message.header == image.header for message in out.values())
    colours = np.frombuffer(cloud.data, np.uint8).reshape(size[1], size[0], 16)[..., 12:]
    rgb = np.frombuffer(image.data, np.uint8).reshape(size[1], size[0], 3)
    assert np.array_equal(colours[..., 2::-1], rgb) and not colours[..., 3].any()


@pytest.mark.parametrize('size', SIZES)
def test_the_cloud_is_that_of_depth_image_proc(metric, size):
    camera = small_camera(*size)
    stamp = size[0] * 10 ** 9 + size[1] + 1
    out = metric.ask(coded_image(plane_depth(camera), stamp), camera_info(camera, stamp))
    points = depth_image_proc(depth_from(out['depth/image']), out['depth/camera_info'])
    assert relative_error(xyz_of(out['depth/points']), points) < 1e-5


def test_the_info_of_the_depth_describes_it(metric):
    camera = small_camera(96, 72)
    info = camera_info(camera, 5)
    info.binning_x = info.binning_y = 1
    out = metric.ask(coded_image(plane_depth(camera), 5), info)['depth/camera_info']
    assert (out.width, out.height) == (96, 72)
    assert list(out.k) == list(info.k) and list(out.p) == list(info.p)
    assert list(out.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert out.distortion_model == 'plumb_bob' and list(out.d) == [0.0] * 5
    assert (out.binning_x, out.binning_y, out.roi.width, out.roi.height) == (0, 0, 0, 0)


def test_region_of_interest(metric):
    full = small_camera(160, 120)
    x, y, width, height = 30, 14, 100, 80
    depth = plane_depth(full)
    info = camera_info(full, 6)
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = x, y, width, height
    window = np.s_[y:y + height, x:x + width]
    out = metric.ask(coded_image(depth[window], 6), info)
    assert relative_error(xyz_of(out['depth/points']), points_of(depth, full)[window]) < 1e-4
    assert out['depth/camera_info'].width == width
    assert out['depth/camera_info'].k[2] == pytest.approx(full.cx - x)


def test_binning(metric):
    full = small_camera(160, 120)
    binned = full.resized(80, 40)
    info = camera_info(full, 7)
    info.binning_x, info.binning_y = 2, 3
    depth = plane_depth(binned)
    out = metric.ask(coded_image(depth, 7), info)
    assert relative_error(xyz_of(out['depth/points']), points_of(depth, binned)) < 1e-4


def test_region_of_interest_and_binning(metric):
    full = small_camera(160, 120)
    info = camera_info(full, 8)
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 20, 10, 120, 100
    info.binning_x = info.binning_y = 2
    seen = full.cropped(20, 10, 120, 100).resized(60, 50)
    depth = plane_depth(seen)
    out = metric.ask(coded_image(depth, 8), info)
    assert relative_error(xyz_of(out['depth/points']), points_of(depth, seen)) < 1e-4


def test_a_rotated_optical_frame(metric):
    # A camera 1.2 m above a floor, looking 35 degrees down, rolled by 12: its cloud, taken to the
    # world by its pose, is the floor.
    camera = small_camera(120, 90)
    down, roll = math.radians(35), math.radians(12)
    looks_along_x = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    pitch = np.array([[math.cos(down), 0, math.sin(down)], [0, 1, 0],
                      [-math.sin(down), 0, math.cos(down)]])
    turn = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0],
                     [0, 0, 1]])
    rotation = pitch @ looks_along_x @ turn
    height = 1.2
    # The floor in the optical frame: all X with (R X)_z = -height.
    depth = plane_depth(camera, normal=-rotation[2], distance=height)
    visible = (depth > 0.1) & (depth < 100)
    assert visible.mean() > 0.9
    depth = np.where(visible, depth, 0)
    frame = 'tilted_optical'
    out = metric.ask(coded_image(depth, 9, frame), camera_info(camera, 9, frame))
    cloud = out['depth/points']
    assert cloud.header.frame_id == frame
    points = xyz_of(cloud)
    assert np.isnan(points[~visible]).all()
    world = points @ rotation.T + (0, 0, height)
    distance = np.linalg.norm(points, axis=-1)
    assert np.nanmax(np.abs(world[..., 2]) / distance) < 1e-4
    assert relative_error(points[visible], points_of(depth, camera)[visible]) < 1e-4


@pytest.mark.parametrize('width', [96, 200, 320])
def test_same_metres_at_every_input_size(canonical, width):
    # The same pinhole view at three sizes: a network of canonical depth answers the same picture,
    # and only the focal length at each size makes the same metres of it.
    height = width * 3 // 4
    focal = FOCAL_PER_WIDTH * width
    camera = Intrinsics(focal, focal, width / 2, height / 2, width, height)
    depth = plane_depth(camera)
    out = canonical.ask(coded_image(depth, width), camera_info(camera, width))
    assert np.allclose(depth_from(out['depth/image']), depth, rtol=1e-4)
    assert relative_error(xyz_of(out['depth/points']), points_of(depth, camera)) < 1e-4
