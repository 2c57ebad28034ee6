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

"""Where a camera sits: how high and tilted on its robot, or its pose in another frame."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Sequence

from depth_anything_ros.errors import InvalidRequest
import numpy as np
import numpy.typing as npt

Row = tuple[float, float, float, float]
Matrix = tuple[Row, Row, Row]
"""The upper three rows of a transform."""


@dataclass(frozen=True)
class Mount:
    """
    A camera on its robot: ``height`` metres over the ground, looking down by ``pitch_deg``.

    It defines a level frame below the camera: x forward, y left, z up, z = 0 on the ground.
    Without a height the ground is the plane through the camera.
    """

    height: float = 0.0
    pitch_deg: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        if not math.isfinite(self.height):
            raise InvalidRequest(f'the height of a mount must be finite, seen {self.height:g}')
        if not -90 <= self.pitch_deg <= 90:
            raise InvalidRequest(
                f'the pitch of a mount must be from -90 to 90 degrees, seen {self.pitch_deg:g}')

    @property
    def to_level(self) -> Matrix:
        """Return the 3x4 transform from the optical frame to the level one."""
        pitch = math.radians(self.pitch_deg)
        sine, cosine = math.sin(pitch), math.cos(pitch)
        return ((0.0, -sine, cosine, 0.0), (-1.0, 0.0, 0.0, 0.0),
                (0.0, -cosine, -sine, self.height))


@dataclass(frozen=True)
class Placement:
    """
    The pose of an optical frame in another frame.

    ``matrix`` is the 3x4 transform that takes points from the optical frame to ``frame_id``.
    """

    frame_id: str
    matrix: Matrix

    def __post_init__(self) -> None:
        """Refuse a matrix that is not 3x4 and finite."""
        values = np.asarray(self.matrix, np.float64)
        if values.shape != (3, 4) or not np.isfinite(values).all():
            raise InvalidRequest(
                f'a placement must be a finite 3x4 matrix, seen {values.shape}: '
                f'{values.tolist()}')

    @classmethod
    def from_pose(
        cls, frame_id: str, translation: Sequence[float], quaternion: Sequence[float],
    ) -> Placement:
        """
        Return the placement that a pose means.

        :param frame_id: the frame in which the pose is given.
        :param translation: x, y, z in metres: where the optical frame is.
        :param quaternion: x, y, z, w (the order of geometry_msgs) of its rotation; it is
            normalised.
        :raises InvalidRequest: when the rotation is none.
        """
        values = np.asarray(quaternion, np.float64)
        length = float(np.linalg.norm(values))
        if values.shape != (4,) or not np.isfinite(length) or length < 1e-6:
            raise InvalidRequest(f'a rotation needs x, y, z, w, not all 0; seen {quaternion}')
        x, y, z, w = values / length
        tx, ty, tz = (float(each) for each in translation)
        return cls(frame_id, (
            (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), tx),
            (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), ty),
            (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), tz)))


def placed(points: npt.NDArray[np.float32], matrix: Matrix) -> npt.NDArray[np.float32]:
    """
    Return points in the frame that a transform leads to.

    :param points: (..., 3) float32 metres.
    :param matrix: 3x4 transform.
    :returns: (..., 3) float32 metres; NaN stays NaN.
    """
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    moved = np.empty_like(points)
    for axis, (a, b, c, offset) in enumerate(np.asarray(matrix, np.float32)):
        moved[..., axis] = x * a + y * b + z * c + offset
    return moved


def quaternion(rotation: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    """
    Return a rotation matrix as a unit quaternion x, y, z, w (the order of geometry_msgs).

    It is the eigenvector of the largest eigenvalue of Bar-Itzhack's symmetric matrix (Journal of
    Guidance 23, 2000), which needs no case for any angle.

    :param rotation: (3, 3).
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    matrix = np.array([
        [xx - yy - zz, yx + xy, zx + xz, zy - yz],
        [yx + xy, yy - xx - zz, zy + yz, xz - zx],
        [zx + xz, zy + yz, zz - xx - yy, yx - xy],
        [zy - yz, xz - zx, yx - xy, xx + yy + zz]])
    x, y, z, w = np.linalg.eigh(matrix)[1][:, -1]
    return float(x), float(y), float(z), float(w)
