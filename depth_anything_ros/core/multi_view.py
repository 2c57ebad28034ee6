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

"""What a model says about several images of one scene, looked at together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Views:
    """
    N images of one scene with depth and cameras in one world, all at the processed size.

    ``rgb`` (N, h, w, 3) uint8; ``depth`` (N, h, w) float32 along the optical axis, NaN where
    invalid, in metres when ``kind`` is METRIC and in one unknown unit for all images when it is
    RELATIVE; ``intrinsics`` (N, 3, 3) float64 in pixels of these maps; ``extrinsics`` (N, 3, 4)
    float64 world-to-camera (OpenCV) in the unit of depth. ``confidence`` (N, h, w) float32 in the
    model's own scale, higher is surer; ``sky`` (N, h, w) bool; None where the model has none.
    ``notes`` say what a reader must know.
    """

    rgb: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]
    intrinsics: npt.NDArray[np.float64]
    extrinsics: npt.NDArray[np.float64]
    scale_law: ScaleLaw
    model: str
    confidence: npt.NDArray[np.float32] | None = None
    sky: npt.NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together."""
        count, height, width = shape = self.depth.shape
        expected = {
            'rgb': (*shape, 3), 'intrinsics': (count, 3, 3), 'extrinsics': (count, 3, 4),
            'confidence': shape, 'sky': shape}
        for name, wanted in expected.items():
            part = getattr(self, name)
            if part is not None and part.shape != wanted:
                raise InvalidRequest(
                    f'{name} of {count} views of {width}x{height} is {part.shape}; accepted: '
                    f'{wanted}')
        if not (np.isfinite(self.intrinsics).all() and np.isfinite(self.extrinsics).all()):
            raise InvalidRequest('the cameras of the views are not finite')

    @property
    def kind(self) -> DepthKind:
        """Return METRIC where depth and poses are in metres, RELATIVE where nobody knows."""
        relative = self.scale_law.kind is DepthKind.RELATIVE
        return DepthKind.RELATIVE if relative else DepthKind.METRIC

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.depth)


def inverted(poses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """
    Return the inverses of rigid transforms.

    :param poses: (N, 3, 4) float64, rotation and translation.
    :returns: (N, 3, 4) float64: R^T and -R^T t.
    """
    turned = poses[:, :, :3].transpose(0, 2, 1)
    return np.concatenate([turned, -turned @ poses[:, :, 3:]], axis=2)


def anchored(views: Views) -> Views:
    """Return the views in the optical frame of the first camera: its extrinsics are identity."""
    to_world = np.eye(4)
    to_world[:3] = inverted(views.extrinsics[:1])[0]
    extrinsics = views.extrinsics @ to_world
    # Exactly, not but for rounding: the first camera is where the world is.
    extrinsics[0] = np.eye(4)[:3]
    return replace(views, extrinsics=extrinsics)
