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

"""Views brought into the world of given poses: exact where the two are one scene."""

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.multi_view import inverted, Views
from depth_anything_ros.core.pose_alignment import aligned, check_poses
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import pytest


def rotation(axis, angle):
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def poses(count, seed=0):
    """Return world-to-camera poses with centres all over the place."""
    random = np.random.default_rng(seed)
    turns = np.stack([rotation(random.normal(size=3), random.uniform(0, 3))
                      for _ in range(count)])
    return np.concatenate([turns, random.normal(size=(count, 3, 1))], axis=2)


def views_of(extrinsics):
    count = len(extrinsics)
    return Views(
        np.zeros((count, 4, 6, 3), np.uint8), np.full((count, 4, 6), 2.0, np.float32),
        np.tile(np.eye(3), (count, 1, 1)), extrinsics, ScaleLaw(DepthKind.METRIC), 'm')


def moved(extrinsics, turn, scale, shift):
    """Return the poses of the same cameras in another world."""
    centres = scale * inverted(extrinsics)[:, :, 3] @ turn.T + shift
    turns = extrinsics[:, :, :3] @ turn.T
    return np.concatenate([turns, -turns @ centres[:, :, None]], axis=2)


@pytest.mark.parametrize('count', [2, 3, 10])
@pytest.mark.parametrize('scale', [0.02, 1.0, 50.0])
def test_another_world_of_the_same_cameras_is_found_exactly(count, scale):
    own = poses(count)
    given = moved(own, rotation((1, 2, 3), 2.5), scale, np.array([3.0, -2, 9]))
    found = aligned(views_of(own), given)
    np.testing.assert_allclose(found.extrinsics, given, atol=1e-9 * max(1, scale))
    np.testing.assert_allclose(found.depth, 2 * scale, rtol=1e-6)
    assert not found.notes


def test_noise_in_the_given_poses_is_averaged_out():
    own = poses(30)
    exact = moved(own, rotation((3, 1, 0), 1.0), 4.0, np.zeros(3))
    random = np.random.default_rng(5)
    noisy = exact.copy()
    noisy[:, :, 3] += random.normal(scale=0.05, size=(30, 3))
    found = aligned(views_of(own), noisy)
    assert np.abs(found.extrinsics - exact).max() < np.abs(noisy - exact).max() / 2
    np.testing.assert_allclose(found.depth, 8.0, rtol=0.01)


def test_without_motion_the_scale_stays_and_is_said():
    own = poses(1)
    given = moved(own, rotation((0, 0, 1), 1.0), 7.0, np.array([1.0, 2, 3]))
    found = aligned(views_of(own), given)
    np.testing.assert_allclose(found.extrinsics, given, atol=1e-9)
    assert found.depth[0, 0, 0] == 2.0 and 'do not move' in found.notes[0]


def test_another_motion_is_refused():
    own = poses(4)
    own[:, :, :3] = np.eye(3)
    with pytest.raises(InvalidRequest, match='do not fit'):
        aligned(views_of(own), own * np.array([1, 1, 1, -1.0]))


@pytest.mark.parametrize('broken', [
    lambda pose: pose * 2, lambda pose: pose * np.nan, lambda pose: pose[:, [1, 0, 2, 3]],
    lambda pose: pose + np.array([[0] * 4] * 3 + [[0, 0, 0, 1.0]])])
def test_what_is_no_rigid_transform_is_refused(broken):
    whole = np.tile(np.eye(4), (3, 1, 1))
    check_poses(whole)
    with pytest.raises(InvalidRequest, match='rigid'):
        check_poses(broken(whole))
