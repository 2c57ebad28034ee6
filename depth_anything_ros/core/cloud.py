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

"""A cloud with options: the numpy reference of filters, forms and clearing points together."""

from __future__ import annotations

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud_options import CloudOptions
from depth_anything_ros.core.filters import dense, surest
from depth_anything_ros.core.flying_pixels import flying_pixels
from depth_anything_ros.core.placement import Matrix, placed
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.core.voxels import thinned
import numpy as np
import numpy.typing as npt

Depth = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def trusted_depth(depth: Depth, confidence: Depth | None, options: CloudOptions) -> Depth:
    """
    Return the depth from which points are made: NaN where a pixel is not to be trusted.

    Both filters look at the network's own pixels, before any resize: that is where a transition
    between two surfaces is narrow.

    :param depth: (h, w) float32 at the processed size, NaN where invalid.
    :param confidence: (h, w) float32, None where the model has none.
    :param options: what is asked of the cloud.
    :returns: (h, w) float32, ``depth`` itself when nothing is filtered.
    """
    by_confidence = options.confidence_percentile > 0 and confidence is not None
    if not (options.edge_filter or by_confidence):
        return depth
    keep = np.isfinite(depth)
    if confidence is not None and by_confidence:
        keep = surest(confidence, 100 - options.confidence_percentile, keep)
    if options.edge_filter:
        keep &= ~flying_pixels(depth)
    return np.where(keep, depth, np.float32(np.nan))


def point_depth(
    depth: Depth, camera: Intrinsics, options: CloudOptions, *, to_level: Matrix,
    placement: Matrix | None = None, beyond: Mask | None = None, far_distance: float = 0.0,
) -> Depth:
    """
    Return the depth of every point: NaN where there is to be none.

    Range is the distance from the camera; height is z after ``placement``, else after
    ``to_level``. Where ``beyond`` is given, pixels that look past everything (those in it, and
    those beyond ``options.farthest``) get a clearing point on their ray, which no filter takes
    away.

    :param depth: (H, W) float32 metres, NaN where invalid.
    :param camera: the camera of this depth map.
    :param options: range and height band.
    :param to_level: 3x4 transform from the optical frame to a level one.
    :param placement: 3x4 transform to the frame of the points, None: they stay optical.
    :param beyond: (H, W) bool, True where the view is free beyond the largest depth.
    :param far_distance: distance of clearing points from the camera, metres.
    :returns: (H, W) float32.
    """
    x, y = camera.rays()
    a, b, c, offset = np.asarray((placement or to_level)[2], np.float32)
    length = np.sqrt(x * x + (y * y + np.float32(1))[:, None])
    with np.errstate(invalid='ignore'):
        distance = depth * length
        height = depth * (x * a + (y * b + c)[:, None]) + offset
        keep = (distance >= options.nearest) & (distance <= options.farthest)
        keep &= (height >= options.lowest) & (height <= options.highest)
        kept = np.where(keep, depth, np.float32(np.nan))
        if beyond is None:
            return kept
        free = beyond | (distance > options.farthest)
    return np.where(free, np.float32(far_distance) / length, kept)


def make_cloud(
    depth: Depth, camera: Intrinsics, rgb: npt.NDArray[np.uint8], options: CloudOptions,
    placement: Matrix | None = None,
) -> npt.NDArray[np.float32]:
    """
    Return the cloud in the form that the options ask for.

    :param depth: (H, W) float32 metres, see :func:`point_depth`.
    :param camera: the camera of this depth map.
    :param rgb: (H, W, 3) uint8, the colour of every depth pixel.
    :param options: the form: stride, list, voxels, colour.
    :param placement: 3x4 transform to the frame of the points, None: they stay optical.
    :returns: (H', W', C) float32 with NaN where there is no point, or a list (N, C) without NaN;
        C is 4 with colour (the 4th value holds 0x00RRGGBB bits), else 3.
    """
    cloud = organised_cloud(depth, camera, rgb)[::options.stride, ::options.stride]
    if placement is not None:
        cloud[..., :3] = placed(cloud[..., :3], placement)
    cloud = cloud[..., :options.channels]
    if options.listed:
        cloud = dense(cloud)
    if options.voxel_size:
        cloud = thinned(cloud, options.voxel_size)
    return np.ascontiguousarray(cloud)
