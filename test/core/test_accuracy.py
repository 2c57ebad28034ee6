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

from depth_anything_ros.core.accuracy import accuracy
from depth_anything_ros.errors import InvalidImage
import numpy as np
import pytest

TRUTH = np.array([[1.0, 2.0], [4.0, 8.0]], np.float32)


def test_a_perfect_depth_has_no_error():
    found = accuracy(TRUTH, TRUTH)
    assert (found.abs_rel, found.delta1, found.aligned_abs_rel, found.valid) == (0, 1, 0, 1)


def test_scale_is_an_error_that_alignment_takes_away():
    found = accuracy(TRUTH * 1.5, TRUTH)
    assert found.abs_rel == pytest.approx(0.5)
    assert found.delta1 == 0
    assert found.aligned_abs_rel == pytest.approx(0, abs=1e-6)


def test_delta1_counts_too_near_and_too_far_alike():
    factors = np.array([[1.2, 1 / 1.2], [1.3, 1 / 1.3]], np.float32)
    assert accuracy(TRUTH * factors, TRUTH).delta1 == 0.5


def test_pixels_without_prediction_or_truth_are_in_no_mean():
    prediction, truth = TRUTH.copy(), TRUTH.copy()
    prediction[0, 0], truth[0, 1] = np.nan, np.nan
    prediction[1, 0] *= 1.1
    found = accuracy(prediction, truth)
    assert found.abs_rel == pytest.approx(0.05, rel=1e-5)
    assert found.valid == pytest.approx(2 / 3)


def test_nothing_to_compare_is_none_and_sizes_must_match():
    assert accuracy(np.full((2, 2), np.nan, np.float32), TRUTH) is None
    with pytest.raises(InvalidImage, match=r'\(1, 2\).*\(2, 2\)'):
        accuracy(TRUTH[:1], TRUTH)
