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

"""How far a depth map is from the truth: the measures that depth papers report."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.errors import InvalidImage
import numpy as np
import numpy.typing as npt

DELTA1 = 1.25
"""Largest ratio between prediction and truth (or truth and prediction) that counts as right."""


@dataclass(frozen=True)
class Accuracy:
    """
    Errors of one depth map against the truth.

    ``abs_rel``: mean of abs(prediction - truth) / truth. ``delta1``: share of pixels within a
    ratio of 1.25. ``aligned_abs_rel``: abs_rel after scaling the prediction by the ratio of the
    medians, the only one of use for a relative model. ``valid``: share of the pixels with truth
    that have a prediction; the others are in no mean.
    """

    abs_rel: float
    delta1: float
    aligned_abs_rel: float
    valid: float


def accuracy(
    prediction: npt.NDArray[np.float32], truth: npt.NDArray[np.float32],
) -> Accuracy | None:
    """
    Return the errors of a depth map, None where no pixel has both a prediction and a truth.

    :param prediction: (H, W) float32, NaN where invalid.
    :param truth: (H, W) float32 metres, NaN where unknown.
    :raises InvalidImage: when the sizes differ.
    """
    if prediction.shape != truth.shape:
        raise InvalidImage(f'prediction is {prediction.shape}, truth is {truth.shape}')
    with np.errstate(invalid='ignore'):
        known = np.isfinite(truth) & (truth > 0)
        both = known & np.isfinite(prediction) & (prediction > 0)
    if not both.any():
        return None
    seen, real = prediction[both], truth[both]
    ratio = seen / real
    aligned = ratio * (np.median(real) / np.median(seen))
    return Accuracy(
        abs_rel=float(np.mean(np.abs(ratio - 1))),
        delta1=float(np.mean(np.maximum(ratio, 1 / ratio) < DELTA1)),
        aligned_abs_rel=float(np.mean(np.abs(aligned - 1))),
        valid=float(both.sum() / known.sum()))
