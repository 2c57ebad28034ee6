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

"""From depth maps with cameras to one cloud: what is kept, where it is, and how many."""

from __future__ import annotations

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.flying_pixels import flying_pixels
from depth_anything_ros.core.multi_view import anchored, inverted, Views
from depth_anything_ros.core.voxels import one_per_voxel
from depth_anything_ros.errors import InvalidImage
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.reconstruction.scene import DepthStatistics, Scene
import numpy as np
import numpy.typing as npt

SEED = 0
"""Of the random subset: the same views give the same points."""


def fuse(views: Views, options: SceneOptions) -> Scene:
    """
    Return the scene that several depth maps show.

    A pixel counts when its depth is valid, it is not sky, lies on a surface (see
    :func:`flying_pixels`) and is not among the least sure. Points are p = R^T (K^-1 (u, v, 1) z -
    t) with each view's own K, R and t, then thinned by voxels and by a seeded choice. The same
    views and options give the same bytes.

    :param views: depth and cameras in one world.
    :param options: what is kept.
    :returns: the scene, in the optical frame of the first camera.
    :raises InvalidImage: when no pixel of any image is left.
    :raises InvalidRequest: when the voxels are too small for the size of the scene.
    """
    views = anchored(views)
    valid = valid_pixels(views, options)
    depths = tuple(
        statistics(depth[mask]) for depth, mask in zip(views.depth, valid, strict=True))
    keep = sure_pixels(views, valid, options.conf_thresh_percentile)
    points = np.concatenate([
        world_points(views, index, keep[index]) for index in range(len(views))])
    if not len(points):
        raise InvalidImage(
            '; '.join((f'nothing to reconstruct: no pixel of {len(views)} image(s) has a valid '
                       'depth', *views.notes)))
    chosen = chosen_points(points, options)
    confidence = None
    if views.confidence is not None:
        confidence = views.confidence[keep][chosen]
    height, width = views.depth.shape[1:]
    return Scene(
        points=points[chosen], colours=views.rgb[keep][chosen], confidence=confidence,
        extrinsics=views.extrinsics, intrinsics=views.intrinsics, size=(width, height),
        depths=depths, total_points=len(points), kind=views.kind,
        scale_law=str(views.scale_law), model=views.model, notes=views.notes)


def valid_pixels(views: Views, options: SceneOptions) -> npt.NDArray[np.bool_]:
    """Return the (N, h, w) bool pixels that lie on a surface, however sure they are."""
    with np.errstate(invalid='ignore'):
        valid: npt.NDArray[np.bool_] = np.isfinite(views.depth) & (views.depth > 0)
    if options.remove_sky and views.sky is not None:
        valid &= ~views.sky
    if options.remove_edges:
        for depth, mask in zip(views.depth, valid, strict=True):
            mask &= ~flying_pixels(np.where(mask, depth, np.float32(np.nan)))
    return valid


def sure_pixels(
    views: Views, valid: npt.NDArray[np.bool_], percentile: float,
) -> npt.NDArray[np.bool_]:
    """
    Return the valid pixels without the least sure ``percentile`` percent of all images together.

    :param views: where the confidence is; without one all valid pixels are returned.
    :param valid: (N, h, w) bool.
    :param percentile: 0 to 100.
    """
    if views.confidence is None or percentile == 0 or not valid.any():
        return valid
    known = valid & np.isfinite(views.confidence)
    threshold = np.percentile(views.confidence[known], percentile) if known.any() else 0.0
    sure: npt.NDArray[np.bool_] = known & (views.confidence >= threshold)
    return sure


def world_points(
    views: Views, index: int, keep: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    """Return the (P, 3) float32 points of one view's kept pixels in the world, in row order."""
    height, width = keep.shape
    ray_x, ray_y = Intrinsics.from_matrix(views.intrinsics[index], width, height).rays()
    rows, columns = np.nonzero(keep)
    depth = views.depth[index, rows, columns]
    local = np.stack([ray_x[columns] * depth, ray_y[rows] * depth, depth], axis=1)
    pose = inverted(views.extrinsics[index:index + 1])[0]
    points: npt.NDArray[np.float32] = (local @ pose[:, :3].T + pose[:, 3]).astype(np.float32)
    return points


def chosen_points(
    points: npt.NDArray[np.float32], options: SceneOptions,
) -> npt.NDArray[np.int64]:
    """Return the ascending indices of the points that thinning leaves."""
    chosen = np.arange(len(points))
    if options.voxel_size:
        chosen = one_per_voxel(points, options.voxel_size)
    if len(chosen) > options.num_max_points:
        rng = np.random.default_rng(SEED)
        lucky = rng.choice(len(chosen), options.num_max_points, replace=False, shuffle=False)
        chosen = chosen[np.sort(lucky)]
    return chosen


def statistics(depth: npt.NDArray[np.float32]) -> DepthStatistics:
    """Return what is said about the (P,) valid depths of one image."""
    if not depth.size:
        return DepthStatistics(np.nan, np.nan, np.nan, 0)
    return DepthStatistics(
        float(depth.min()), float(np.median(depth)), float(depth.max()), depth.size)
