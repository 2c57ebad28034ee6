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

"""The public Python API with an engine whose depth is given."""

import subprocess
import sys

import depth_anything_ros
from depth_anything_ros.api import CloudOptions, DepthEstimator, Output
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import InvalidImage, InvalidIntrinsics, InvalidRequest
import numpy as np
import pytest

K = [[50.0, 0, 30.0], [0, 40.0, 20.0], [0, 0, 1]]


def ramp(frame):
    height, width = frame.rgb.shape[:2]
    return np.linspace(1, 2, height * width, dtype=np.float32).reshape(height, width)


def image(height=40, width=60):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_a_result_has_all_that_the_readme_promises():
    with DepthEstimator(engine=GivenDepthEngine(ramp)) as estimator:
        result = estimator(image(), K=K)
    assert result.depth.shape == (40, 60) and result.depth.dtype == np.float32
    assert result.kind is DepthKind.METRIC
    assert (result.intrinsics.fx, result.intrinsics.cy) == (50.0, 20.0)
    points = result.points()
    np.testing.assert_allclose(points[7, 9, 0], (9 - 30) / 50 * result.depth[7, 9], rtol=1e-6)
    assert result.cloud.shape == (40, 60, 4)
    assert result.picture().shape == (40, 60, 3)
    assert result.confidence is None and result.sky is None


def test_canonical_depth_needs_a_focal_length_and_says_whose_was_used():
    estimator = DepthEstimator(engine=GivenDepthEngine(ramp, kind=DepthKind.CANONICAL))
    with pytest.raises(InvalidIntrinsics, match='focal_length .*or fov_deg'):
        estimator(image())
    by_matrix = estimator(image(), K=K)
    np.testing.assert_allclose(by_matrix.depth, ramp(by_matrix.frame) * 45 / 300, rtol=1e-6)
    assert 'from camera_info' in str(by_matrix.scale_law)
    by_focal = estimator(image(), focal_length=45)
    np.testing.assert_array_equal(by_focal.depth, by_matrix.depth)
    assert 'from focal_length' in str(by_focal.scale_law)
    by_angle = estimator(image(), fov_deg=np.degrees(2 * np.arctan(30 / 45)))
    np.testing.assert_allclose(by_angle.depth, by_matrix.depth, rtol=1e-6)
    assert 'from fov' in str(by_angle.scale_law)


def test_relative_depth_stays_relative_and_has_no_cloud():
    estimator = DepthEstimator(engine=GivenDepthEngine(ramp, kind=DepthKind.RELATIVE))
    result = estimator(image(), K=K, maximum=1.5)
    assert result.kind is DepthKind.RELATIVE and result.cloud is None
    np.testing.assert_array_equal(result.depth, ramp(result.frame))


def test_limits_make_depth_invalid():
    estimator = DepthEstimator(engine=GivenDepthEngine(ramp))
    result = estimator(image(), K=K, minimum=1.25, maximum=1.5, outputs=[Output.POINTS])
    given = ramp(result.frame)
    valid = (given >= 1.25) & (given <= 1.5)
    np.testing.assert_array_equal(np.isfinite(result.depth), valid)
    np.testing.assert_array_equal(np.isfinite(result.cloud[..., :3]).all(axis=2), valid)


def test_a_cloud_with_options_and_the_models_size():
    estimator = DepthEstimator(engine=GivenDepthEngine(lambda frame: ramp(frame)[::2, ::2]))
    result = estimator(
        image(), K=K, maximum=1.5, output_size='model', sky_mode='far',
        points=CloudOptions(dense=True, color=False, farthest=1.4))
    assert result.depth.shape == result.color.shape[:2] == (20, 30)
    assert result.intrinsics.fx == 25.0
    length = np.linalg.norm(result.cloud, axis=1)
    assert result.cloud.shape == (600, 3) and (length > 1.4).any() and (length < 1.4).any()
    assert np.allclose(length[length > 1.4], 10.0)
    with pytest.raises(InvalidRequest, match="'blue' is unknown; accepted: nan, inf, far"):
        estimator(image(), sky_mode='blue')


@pytest.mark.parametrize(('arguments', 'error', 'text'), [
    ({'rgb': np.zeros((4, 5), np.uint8)}, InvalidImage, r'uint8 \(4, 5\); accepted'),
    ({'rgb': np.zeros((4, 5, 3), np.float64)}, InvalidImage, 'float64'),
    ({'rgb': np.zeros((0, 5, 3), np.uint8)}, InvalidImage, 'empty'),
    ({'rgb': [[1]]}, InvalidImage, 'list'),
    ({'rgb': image(), 'K': np.eye(4)}, InvalidIntrinsics, 'seen 16'),
    ({'rgb': image(), 'K': np.zeros((3, 3))}, InvalidIntrinsics, 'must be positive'),
    ({'rgb': image(), 'K': np.full((3, 3), np.nan)}, InvalidIntrinsics, 'not finite'),
    ({'rgb': image(), 'fov_deg': 180}, InvalidRequest, r'\[0.01, 180\)'),
    ({'rgb': image(), 'process_res': -1}, InvalidRequest, '0 or more'),
    ({'rgb': image(), 'process_res_method': 'stretch'}, InvalidRequest, 'upper_bound_resize'),
    ({'rgb': image(), 'minimum': 5, 'maximum': 2}, InvalidRequest, 'minimum < maximum'),
])
def test_bad_input_is_refused_with_a_reason(arguments, error, text):
    estimator = DepthEstimator(engine=GivenDepthEngine(ramp))
    with pytest.raises(error, match=text):
        estimator(**arguments)


def test_the_package_imports_with_numpy_alone():
    code = ('import sys, depth_anything_ros; '
            'heavy = {"torch", "cv2", "rclpy", "yaml"} & set(sys.modules); '
            'assert not heavy, heavy; print(depth_anything_ros.DepthEstimator.__name__)')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.strip() == 'DepthEstimator', done.stderr
    with pytest.raises(AttributeError, match='no attribute'):
        _ = depth_anything_ros.nothing
