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

"""Take lens distortion out: from a CameraInfo's numbers to rectification maps."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any, Sequence

import cv2
from depth_anything_ros.core.camera import from_camera_info, Intrinsics
from depth_anything_ros.errors import InvalidImage, InvalidIntrinsics
import numpy as np
import numpy.typing as npt

COEFFICIENTS = {
    'plumb_bob': (4, 5),
    'rational_polynomial': (8,),
    'equidistant': (4,),
    'fisheye': (4,),
}
"""How many values of D each distortion model takes; ``fisheye`` is ``equidistant``."""

FISHEYE_MODELS = ('equidistant', 'fisheye')

ROTATION_TOLERANCE = 1e-3
"""Largest departure of R R^T from the identity; calibration files round to six digits."""


ROUNDING = 1e-3
"""Pixels by which float32 maps may miss the border that they are exactly on."""


@dataclass(frozen=True, eq=False)
class Rectification:
    """
    How a distorted image becomes that of a pinhole camera.

    ``map_x`` and ``map_y`` (H, W) float32 say for every rectified pixel where it lies in the
    distorted image, in pixels. ``inside`` (H, W) bool is False where the distorted image shows
    nothing, so that no depth can be believed there. ``intrinsics`` is the rectified camera.
    """

    map_x: npt.NDArray[np.float32]
    map_y: npt.NDArray[np.float32]
    inside: npt.NDArray[np.bool_]
    intrinsics: Intrinsics

    def check(self, height: int, width: int) -> None:
        """
        Refuse an image of another size than the maps, in pixels.

        :raises InvalidImage: saying both sizes.
        """
        if (height, width) != self.map_x.shape:
            raise InvalidImage(
                f'image is {width}x{height}, the rectification is for '
                f'{self.map_x.shape[1]}x{self.map_x.shape[0]}')

    def rectify(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """
        Return the rectified image, bilinear, black where the camera saw nothing.

        :param rgb: (H, W, 3) uint8, the distorted image at the size of the maps.
        :returns: (H, W, 3) uint8, a new array.
        :raises InvalidImage: when the image has another size than the maps.
        """
        self.check(*rgb.shape[:2])
        picture = cv2.remap(
            rgb, self.map_x, self.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(picture, np.uint8)


def check_distortion(model: str, d: Sequence[float]) -> tuple[float, ...]:
    """
    Return the coefficients that OpenCV needs for a distortion model, empty for none.

    No coefficients, or zeros alone, mean an undistorted camera whatever the model is called;
    except for the fisheye models, where zeros still mean the equidistant projection.

    :param model: ``distortion_model`` of a CameraInfo.
    :param d: its D.
    :raises InvalidIntrinsics: when the model is unknown or D has the wrong length.
    """
    values = tuple(float(value) for value in d)
    if not all(math.isfinite(value) for value in values):
        raise InvalidIntrinsics(f'distortion coefficients are not finite: {values}')
    if not any(values) and model not in FISHEYE_MODELS:
        return ()
    accepted = ', '.join(
        f'{name} ({" or ".join(map(str, counts))})' for name, counts in COEFFICIENTS.items())
    if model not in COEFFICIENTS:
        raise InvalidIntrinsics(
            f'distortion model {model!r} is unknown; accepted, with the number of values of D: '
            f'{accepted}')
    if len(values) not in COEFFICIENTS[model]:
        raise InvalidIntrinsics(
            f'distortion model {model} with {len(values)} values of D; accepted: {accepted}')
    return values


def check_rotation(r: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """
    Return R as a 3x3 matrix, the identity where the message leaves it zero.

    :param r: rectification matrix of a CameraInfo, 9 values.
    :raises InvalidIntrinsics: when it is not a rotation.
    """
    values = np.asarray(r, np.float64)
    if values.size == 0 or not values.any():
        return np.eye(3)
    if values.size != 9:
        raise InvalidIntrinsics(f'R has 9 values, seen {values.size}')
    rotation = values.reshape(3, 3)
    error = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    # Written so that NaN is refused too.
    if not (error <= ROTATION_TOLERANCE and np.linalg.det(rotation) > 0):
        raise InvalidIntrinsics(f'R is not a rotation matrix: {rotation.tolist()}')
    return rotation


def rectification(
    model: str, d: Sequence[float], k: npt.ArrayLike, r: npt.ArrayLike, p: npt.ArrayLike,
    width: int, height: int, *, binning: tuple[int, int] = (0, 0),
    roi: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Rectification:
    """
    Return the maps from a distorted image to the rectified one that P describes.

    A rectified pixel is taken back through P, rotated by R^T, distorted and projected by K, as
    CameraInfo.msg says (the formulas are those of OpenCV's calibration). The rectified image has
    the size of the distorted one and covers the same region of interest with the same binning.
    Where P is zero the rectified camera is K.

    :param model: ``distortion_model`` of the CameraInfo.
    :param d: its D.
    :param k: its K, 9 values, full resolution.
    :param r: its R, 9 values.
    :param p: its P, 12 values, full resolution; a stereo baseline in it changes nothing here.
    :param width: full width in pixels.
    :param height: full height in pixels.
    :param binning: (binning_x, binning_y), 0 means 1.
    :param roi: (x_offset, y_offset, width, height) at full resolution, zeros for all of it.
    :raises InvalidIntrinsics: when a value is impossible or the model is not supported.
    """
    coefficients = np.array(check_distortion(model, d), np.float64)
    rotation = check_rotation(r)
    has_p = np.asarray(p, np.float64).any()
    camera = from_camera_info(np.ravel(k).tolist(), width, height, binning=binning, roi=roi)
    target = camera if not has_p else from_camera_info(
        np.ravel(p).tolist(), width, height, binning=binning, roi=roi)
    build: Any = cv2.initUndistortRectifyMap
    if model in FISHEYE_MODELS:
        build = cv2.fisheye.initUndistortRectifyMap
    map_x, map_y = build(
        camera.matrix(), coefficients, rotation, target.matrix(), camera.size, cv2.CV_32FC1)
    inside = (map_x >= -ROUNDING) & (map_x <= camera.width - 1 + ROUNDING)
    inside &= (map_y >= -ROUNDING) & (map_y <= camera.height - 1 + ROUNDING)
    return Rectification(map_x, map_y, inside, target)
