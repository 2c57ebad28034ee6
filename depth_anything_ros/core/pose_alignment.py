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

"""Views of a scene brought into a world that is known from elsewhere, such as odometry."""

from __future__ import annotations

from dataclasses import replace

from depth_anything_ros.core.multi_view import inverted, Views
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import numpy.typing as npt

SMALLEST_BASELINE = 1e-3
"""Root mean square distance of the cameras from their middle below which there is no scale."""

LARGEST_SCALE = 1e3
"""Beyond this, or below its inverse, two sets of cameras are not the same scene."""

ROTATION_TOLERANCE = 1e-2


def check_poses(poses: npt.NDArray[np.float64]) -> None:
    """
    Refuse what are no rigid transforms.

    :param poses: (N, 4, 4) float64.
    :raises InvalidRequest: when one is not finite, no rotation, or has another last row.
    """
    turns = poses[:, :3, :3]
    squares = turns @ turns.transpose(0, 2, 1)
    if not np.isfinite(poses).all() \
            or not np.allclose(squares, np.eye(3), atol=ROTATION_TOLERANCE) \
            or not (np.linalg.det(turns) > 0).all() \
            or not np.allclose(poses[:, 3], (0, 0, 0, 1), atol=ROTATION_TOLERANCE):
        raise InvalidRequest(
            'extrinsics are no rigid world-to-camera transforms: a rotation, a translation, and '
            '0 0 0 1 in the last row')


def aligned(views: Views, extrinsics: npt.NDArray[np.float64]) -> Views:
    """
    Return the views in the world of given poses, depth and translations at their scale.

    The rotation between the worlds is the chordal mean of what each camera says (Hartley et al.,
    Rotation Averaging, 2013), scale and shift are the least squares fit of the camera centres.

    :param views: as the model sees them.
    :param extrinsics: (N, 3, 4) float64 world-to-camera poses of the same images.
    :returns: the model's own cameras, refined against the given ones; the scale stays that of the
        model, and a note says so, where the given cameras do not move.
    :raises InvalidRequest: when the two cannot be the same scene.
    """
    turn = _mean_rotation(extrinsics[:, :, :3].transpose(0, 2, 1) @ views.extrinsics[:, :, :3])
    seen = inverted(views.extrinsics)[:, :, 3] @ turn.T
    given = inverted(extrinsics)[:, :, 3]
    seen_middle, given_middle = seen.mean(axis=0), given.mean(axis=0)
    moved, wanted = seen - seen_middle, given - given_middle
    scale, notes = 1.0, views.notes
    if min(np.sqrt((each ** 2).sum(axis=1).mean()) for each in (moved, wanted)) \
            < SMALLEST_BASELINE:
        notes += ('the cameras do not move: the scale is that of the model',)
    else:
        scale = float((moved * wanted).sum() / (moved ** 2).sum())
        if not 1 / LARGEST_SCALE < scale < LARGEST_SCALE:
            raise InvalidRequest(
                'the given extrinsics do not fit what the images show: the cameras move another '
                'way; accepted: world-to-camera poses (OpenCV) in the order of the images')
    # world = scale * turn @ seen + shift, put into camera = rotation @ seen + translation.
    shift = given_middle - scale * seen_middle
    turns = views.extrinsics[:, :, :3] @ turn.T
    translations = scale * views.extrinsics[:, :, 3] - turns @ shift
    return replace(
        views, depth=views.depth * np.float32(scale), notes=notes,
        extrinsics=np.concatenate([turns, translations[:, :, None]], axis=2))


def _mean_rotation(rotations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the rotation nearest to the mean of some, (3, 3)."""
    left, _, right = np.linalg.svd(rotations.mean(axis=0))
    flip = np.diag([1.0, 1.0, np.linalg.det(left @ right)])
    mean: npt.NDArray[np.float64] = left @ flip @ right
    return mean
