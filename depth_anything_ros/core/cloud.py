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
from depth_anything_ros.core.filters import lengths, surest, within_height, within_range
from depth_anything_ros.core.flying_pixels import flying_pixels
from depth_anything_ros.core.placement import Matrix, placed
from depth_anything_ros.core.pointcloud import pack_rgb
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
    keep = np.isfinite(depth)
    if options.edge_filter:
        keep &= ~flying_pixels(depth)
    if options.confidence_percentile and confidence is not None:
        keep &= surest(confidence, 100 - options.confidence_percentile, np.isfinite(depth))
    filtered = options.edge_filter or options.confidence_percentile
    return np.where(keep, depth, np.float32(np.nan)) if filtered else depth


def make_cloud(
    depth: Depth, camera: Intrinsics, rgb: npt.NDArray[np.uint8], options: CloudOptions, *,
    to_level: Matrix, placement: Matrix | None = None, beyond: Mask | None = None,
    far_distance: float = 0.0,
) -> npt.NDArray[np.float32]:
    """
    Return the points that the options leave.

    Range is the distance from the camera; height is z after ``placement``, else after
    ``to_level``. Where ``beyond`` is given, pixels that look past everything (those in it, and
    those beyond ``options.farthest``) get a clearing point on their ray: no filter takes it away,
    stride and voxels thin it like the others.

    :param depth: (H, W) float32 metres, NaN where there is to be no point.
    :param camera: the camera of this depth map.
    :param rgb: (H, W, 3) uint8, the colour of every depth pixel.
    :param options: which points, in which form.
    :param to_level: 3x4 transform from the optical frame to a level one.
    :param placement: 3x4 transform to the frame of the points, None: they stay optical.
    :param beyond: (H, W) bool, True where the view is free beyond the largest depth.
    :param far_distance: distance of clearing points from the camera, metres.
    :returns: (H', W', C) float32 with NaN where there is no point, or a list (N, C) without NaN;
        C is 4 with colour (the 4th value holds 0x00RRGGBB bits), else 3.
    """
    step = slice(None, None, options.stride)
    ray_x, ray_y = camera.rays()
    rays = np.ones((*depth[step, step].shape, 3), np.float32)
    rays[..., 0], rays[..., 1] = ray_x[None, step], ray_y[step, None]
    points = rays * depth[step, step, None]
    keep = within_range(points, options.nearest, options.farthest)
    keep &= within_height(points, options.lowest, options.highest, placement or to_level)
    if beyond is not None:
        with np.errstate(invalid='ignore'):
            free = beyond[step, step] | (lengths(points) > options.farthest)
        clearing = rays * (np.float32(far_distance) / lengths(rays))[..., None]
        points = np.where(free[..., None], clearing, points)
        keep |= free
    if placement is not None:
        points = placed(points, placement)
    points[~keep] = np.nan
    cloud = points
    if options.color:
        cloud = np.empty((*points.shape[:2], 4), np.float32)
        cloud[..., :3] = points
        cloud.view(np.uint32)[..., 3] = pack_rgb(rgb[step, step])
    if options.listed:
        # By integers: copied as floats, the bits of a colour may change.
        cloud = cloud.view(np.uint32)[keep].view(np.float32)
    if options.voxel_size:
        cloud = thinned(cloud, options.voxel_size)
    return np.ascontiguousarray(cloud)
