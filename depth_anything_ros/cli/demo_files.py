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

"""The files of the demo that one looks at: pictures and the cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

import cv2
from depth_anything_ros.cli.demo_cloud import draw_cloud, side_view
from depth_anything_ros.cli.demo_pictures import side_by_side
from depth_anything_ros.cli.demo_plan import Plan
from depth_anything_ros.cli.picture import write_picture
from depth_anything_ros.core.pointcloud import write_ply
from depth_anything_ros.ros.demo_listener import Seen
import numpy as np

CLOUD_SIZE = (1200, 800)


def typical(views: Sequence[Seen], *, relative: bool) -> Seen:
    """Return the view with most to see among those whose error is near the median."""
    def error(view: Seen) -> float:
        assert view.accuracy is not None
        return view.accuracy.aligned_abs_rel if relative else view.accuracy.abs_rel

    measured = sorted((view for view in views if view.accuracy is not None), key=error)
    quarter = len(measured) // 4
    return max(measured[quarter:len(measured) - quarter] or views, key=detail)


def detail(view: Seen) -> float:
    """Return how much there is to see in a view: its mean edge."""
    grey = cv2.cvtColor(view.rgb, cv2.COLOR_RGB2GRAY)
    return float(np.mean(np.abs(cv2.Laplacian(grey, cv2.CV_32F))))


def write_views(plan: Plan, views: Sequence[Seen], output: Path) -> dict[str, str]:
    """
    Write the pictures and the cloud of a typical view; return what each file is, by name.

    :param plan: what was run.
    :param views: complete views, may be empty.
    :param output: the folder; files of an earlier run are replaced or removed.
    """
    for name in ('depth.png', 'cloud.png', 'cloud.ply'):
        (output / name).unlink(missing_ok=True)
    if not views:
        return {}
    view = typical(views, relative=plan.relative)
    caption = f', mean {100 * view.accuracy.abs_rel:.1f} %' if view.accuracy else ''
    write_picture(output / 'depth.png', side_by_side(
        view.rgb, view.depth, view.truth, metric=not plan.relative, caption=caption))
    shows = 'camera image, relative depth' if plan.relative else 'camera image, depth'
    if view.accuracy:
        shows += '' if plan.relative else ', error'
        shows += ' (a view with a typical error)'
    files = {'depth.png': shows}
    if view.cloud is not None and view.intrinsics is not None:
        points, colours = view.cloud[..., :3], unpacked(view.cloud)
        finite = points[np.isfinite(points).all(axis=-1)]
        if len(finite):
            pose = side_view(finite, CLOUD_SIZE[0] / CLOUD_SIZE[1])
            write_picture(output / 'cloud.png', draw_cloud(
                points, colours, view.intrinsics, pose, CLOUD_SIZE))
            files['cloud.png'] = 'its cloud from another viewpoint, with the camera in yellow'
        count = write_ply(output / 'cloud.ply', points, colours)
        files['cloud.ply'] = f'its cloud, {count} points (MeshLab, CloudCompare, Blender)'
    return files


def unpacked(cloud: Any) -> Any:
    """Return the (H, W, 3) uint8 colours of a packed (H, W, 4) float32 cloud."""
    packed = np.ascontiguousarray(cloud[..., 3]).view('<u4')
    return np.stack([packed >> shift & 255 for shift in (16, 8, 0)], axis=-1).astype(np.uint8)
