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

"""The laws of depth: canonical to metres, and what is no measurement."""

from __future__ import annotations

from depth_anything_ros.core.depth import canonical_to_metres, invalidate, millimetres
from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import pytest


def test_canonical_depth_is_metres_at_300_pixels_and_follows_the_focal_length() -> None:
    depth = np.array([[1.0, 2.5]], np.float32)
    assert np.array_equal(canonical_to_metres(depth, 300.0), depth)
    # Spec: a 640x480 camera with fx = 600 is 472.5 at 504x378, so the factor is 1.575, not 2.
    metres = canonical_to_metres(depth, 600 * 504 / 640)
    np.testing.assert_allclose(metres, depth * 1.575, rtol=1e-6)
    assert metres.dtype == np.float32


@pytest.mark.parametrize('focal', [0.0, -1.0, float('nan'), float('inf')])
def test_an_impossible_focal_length_is_refused(focal: float) -> None:
    with pytest.raises(InvalidIntrinsics, match='must be positive'):
        canonical_to_metres(np.ones((1, 1), np.float32), focal)


def test_what_is_no_measurement_becomes_nan() -> None:
    depth = np.array([[np.nan, np.inf, -np.inf, 0, -1, 0.4, 0.5, 9, 10, 10.1]], np.float32)
    before = depth.copy()
    found = invalidate(depth, minimum=0.5, maximum=10.0)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(
        found, np.float32([[np.nan] * 6 + [0.5, 9, 10, np.nan]]))
    np.testing.assert_array_equal(depth, before)


def test_without_limits_every_positive_number_stays() -> None:
    depth = np.array([[1e-30, 1e30, np.inf]], np.float32)
    np.testing.assert_array_equal(invalidate(depth), np.float32([[1e-30, 1e30, np.nan]]))


def test_sky_has_no_depth() -> None:
    depth, sky = np.ones((2, 2), np.float32), np.array([[True, False], [False, True]])
    assert np.array_equal(np.isnan(invalidate(depth, sky=sky)), sky)


def test_millimetres_are_rounded_clipped_and_zero_where_invalid() -> None:
    depth = np.array([[1.0004, 1.0006, np.nan, 65.535, 65.6, np.inf, 0.0]], np.float32)
    raw = millimetres(depth)
    assert raw.dtype == np.uint16
    assert raw.tolist() == [[1000, 1001, 0, 65535, 65535, 65535, 0]]
    odd = np.array([-np.inf, -3.0, -np.nan, -0.0, 1e-42, 0.0005, 0.0015, 65.5354], np.float32)
    assert millimetres(odd).tolist() == [0, 0, 0, 0, 0, 0, 2, 65535]
