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

"""Between two reconstructions of the same surfaces: scale, rotation and translation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from depth_anything_ros.core.multi_view import inverted, Views
from depth_anything_ros.errors import InvalidImage
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

SEED = 0
TRIES = 128
"""Samples of three pairs: with half of all pairs wrong, one is clean but for odds of 4e-8."""

ROUNDS = 20
INLIER = 0.05
"""A pair agrees when it is off by less than this part of its distance from the camera."""

CAUCHY = 2.385
"""Residuals in standard deviations where Cauchy's weight is a half: 95 % efficient on a normal
distribution (Holland and Welsch, Communications in Statistics A6, 1977)."""

NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True)
class Similarity:
    """x' = scale * rotation @ x + translation, and how well it fits what it was made from."""

    scale: float
    rotation: Points
    translation: Points
    inliers: float = 1.0
    """Share of the pairs that agree with it."""

    def points(self, points: Points) -> Points:
        """Return (P, 3) points under the similarity."""
        moved: Points = self.scale * points @ self.rotation.T + self.translation
        return moved

    def views(self, views: Views) -> Views:
        """Return views whose world is moved: the cameras go along, depth is scaled."""
        poses = inverted(views.extrinsics)
        moved = np.empty_like(poses)
        moved[:, :, :3] = self.rotation @ poses[:, :, :3]
        moved[:, :, 3] = self.points(poses[:, :, 3])
        return replace(views, depth=views.depth * np.float32(self.scale),
                       extrinsics=inverted(moved))


def umeyama(
    source: Points, target: Points, weights: Points,
) -> tuple[Points, Points, Points]:
    """
    Return the similarity that brings weighted points nearest to their partners.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE PAMI 13 (4), 1991, equations 34 to 43, with a weight for every pair. Leading dimensions
    are samples of their own.

    :param source: (..., P, 3).
    :param target: (..., P, 3).
    :param weights: (..., P), not negative.
    :returns: scale (...), rotation (..., 3, 3) and translation (..., 3).
    """
    share = (weights / weights.sum(-1, keepdims=True))[..., None]
    middle, aim = (share * source).sum(-2), (share * target).sum(-2)
    from_middle, from_aim = source - middle[..., None, :], target - aim[..., None, :]
    left, singular, right = np.linalg.svd((share * from_aim).swapaxes(-1, -2) @ from_middle)
    signs = np.ones_like(singular)
    signs[..., 2] = np.where(np.linalg.det(left) * np.linalg.det(right) < 0, -1, 1)
    rotation = (left * signs[..., None, :]) @ right
    spread = (share * from_middle ** 2).sum((-1, -2))
    scale = (singular * signs).sum(-1) / np.maximum(spread, 1e-30)
    translation = aim - scale[..., None] * (rotation @ middle[..., None])[..., 0]
    return scale, rotation, translation


def robust_similarity(source: Points, target: Points, distances: Points) -> Similarity:
    """
    Return the similarity that most pairs agree on, however wrong the others are.

    The best of seeded samples of three pairs (RANSAC, Fischler and Bolles, Communications of the
    ACM 24 (6), 1981) begins; iteratively reweighted least squares with Cauchy's weights refine it.
    Errors are measured as parts of the distance from the camera, as depth's own are.

    :param source: (P, 3) points.
    :param target: (P, 3) their partners.
    :param distances: (P,) distance of every target point from its camera, more than 0.
    :raises InvalidImage: when there are fewer than three pairs.
    """
    count = len(source)
    if count < 3:
        raise InvalidImage(f'{count} pairs of points fit any similarity; at least 3 are needed')
    picks = np.random.default_rng(SEED).integers(0, count, (TRIES, 3))
    guesses = umeyama(source[picks], target[picks], np.ones((TRIES, 3)))
    found = min(
        (Similarity(float(scale), rotation, translation)
         for scale, rotation, translation in zip(*guesses)),
        # As MSAC: pairs that agree count by how well, all others the same.
        key=lambda guess: float(np.minimum(
            residuals(guess, source, target, distances), INLIER).sum()))
    error = residuals(found, source, target, distances)
    for _ in range(ROUNDS):
        agreeing = error[error < INLIER]
        deviation = max(NORMAL * float(np.median(agreeing)), 1e-9) if agreeing.size else INLIER
        weights = 1 / (1 + (error / (CAUCHY * deviation)) ** 2) / distances ** 2
        scale, rotation, translation = umeyama(source, target, weights)
        found = Similarity(float(scale), rotation, translation)
        error = residuals(found, source, target, distances)
    return replace(found, inliers=float((error < INLIER).mean()))


def residuals(
    similarity: Similarity, source: Points, target: Points, distances: Points,
) -> Points:
    """Return how far pairs are apart, as (P,) parts of their distance from the camera."""
    apart: Points = np.linalg.norm(similarity.points(source) - target, axis=1) / distances
    return apart
