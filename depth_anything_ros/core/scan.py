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

"""A depth map as a planar scan: the nearest obstacle in every direction."""

from __future__ import annotations

from dataclasses import dataclass
import math

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.cloud_options import ScanOptions
from depth_anything_ros.core.placement import Mount
from depth_anything_ros.errors import InvalidIntrinsics, InvalidRequest
import numpy as np
import numpy.typing as npt

LEVEL = ((0.0, 0.0, 1.0, 0.0), (-1.0, 0.0, 0.0, 0.0), (0.0, -1.0, 0.0, 0.0))
"""From the optical frame of a level camera to x forward, y left, z up (REP 103)."""


@dataclass(frozen=True)
class ScanGrid:
    """
    Where every pixel falls in a scan; it depends on the camera alone and is built once.

    The scan's frame sits at the camera with x forward, y left and z up; angles are in radians,
    counter-clockwise from x, beam i at ``angle_min + i * angle_increment``. ``beam`` (H, W) int32
    is -1 for pixels outside of all beams. ``reach`` and ``rise`` (H, W) float32 are the
    horizontal distance and the height gained for every metre of depth.
    """

    beam: npt.NDArray[np.int32]
    reach: npt.NDArray[np.float32]
    rise: npt.NDArray[np.float32]
    camera_height: float
    angle_min: float
    angle_max: float
    angle_increment: float
    beams: int


@dataclass(frozen=True)
class Scan:
    """
    A planar scan in a level frame at the camera: x forward, y left, z up (REP 103).

    ``ranges`` (beams,) float32 are horizontal distances in metres, from ``angle_min`` on in steps
    of ``angle_increment`` radians; +Inf, -Inf and NaN as in :func:`scan_ranges`. ``nearest`` and
    ``farthest`` are the limits, metres. ``frame_id`` is the level frame.
    """

    frame_id: str
    ranges: npt.NDArray[np.float32]
    angle_min: float
    angle_max: float
    angle_increment: float
    nearest: float
    farthest: float

    @classmethod
    def of(
        cls, ranges: npt.NDArray[np.float32], grid: ScanGrid, options: ScanOptions,
        frame_id: str,
    ) -> Scan:
        """Return the scan of ranges that were measured on a grid, for an image of a frame."""
        return cls(
            options.frame_id or level_frame(frame_id), ranges, grid.angle_min, grid.angle_max,
            grid.angle_increment, options.nearest, options.farthest)


def level_frame(frame_id: str) -> str:
    """
    Return the frame with x forward, y left, z up that belongs to an optical frame.

    By REP 103 an optical frame has the suffix ``_optical``, which drivers put before ``_frame``:
    camera_optical_frame lies in camera_frame.

    :param frame_id: of the image.
    :returns: the name without ``_optical``, empty where there is none in it.
    """
    return frame_id.replace('_optical', '', 1) if '_optical' in frame_id else ''


def scan_grid(intrinsics: Intrinsics, to_level: npt.ArrayLike | None = None) -> ScanGrid:
    """
    Return the grid of a camera.

    The outer angles are those of the first and last column, atan((cx - u) / fx), as in
    depthimage_to_laserscan, and the increment is constant. There are as many beams as leave none
    of them without a column: about as many as columns for a narrow view, fewer for a wide one.

    :param intrinsics: the camera of the depth map.
    :param to_level: 3x4 transform of a camera that is not level, from its optical frame to
        x forward, y left, z up. Its z offset is the height of the camera; x and y offsets are
        left out, because the scan is that of a scanner at the camera.
    :raises InvalidRequest: when the transform is not 3x4 and finite.
    :raises InvalidIntrinsics: when the view has no width.
    """
    transform = np.asarray(LEVEL if to_level is None else to_level, np.float64)
    if transform.shape != (3, 4) or not np.isfinite(transform).all():
        raise InvalidRequest(
            f'to_level must be a finite 3x4 matrix, seen {transform.shape}: {transform.tolist()}')
    angle_max = math.atan(intrinsics.cx / intrinsics.fx)
    angle_min = -math.atan((intrinsics.width - 1 - intrinsics.cx) / intrinsics.fx)
    # Neighbouring columns are farthest apart, 1 / fx, where they face the camera.
    beams = int((angle_max - angle_min) * intrinsics.fx) + 1
    if beams < 2:
        raise InvalidIntrinsics(
            f'a scan needs a view of at least 2 columns, seen {intrinsics.width} with a focal '
            f'length of {intrinsics.fx:g} pixels')
    increment = (angle_max - angle_min) / (beams - 1)
    ray_x, ray_y = (table.astype(np.float64) for table in intrinsics.rays())
    forward, left, up = (
        row[0] * ray_x[None, :] + row[1] * ray_y[:, None] + row[2] for row in transform[:, :3])
    nearest_beam = np.rint((np.arctan2(left, forward) - angle_min) / increment)
    outside = (nearest_beam < 0) | (nearest_beam >= beams)
    return ScanGrid(
        np.where(outside, -1, nearest_beam).astype(np.int32),
        np.hypot(forward, left).astype(np.float32), up.astype(np.float32),
        float(transform[2, 3]), angle_min, angle_max, increment, beams)


def scan_ranges(
    depth: npt.NDArray[np.float32], grid: ScanGrid, *, lowest: float, highest: float,
    nearest: float, farthest: float,
) -> npt.NDArray[np.float32]:
    """
    Return the horizontal distance to the nearest point of a height band in every beam.

    In the words of REP 117: +Inf where the band was looked through beyond ``farthest`` and nothing
    is in it, -Inf where all that is in it is nearer than ``nearest``, NaN where nothing is known
    (no valid depth, or only the floor in view). Points nearer than ``nearest`` do not hide others,
    so that the limit can leave out the robot itself.

    :param depth: (H, W) float32 metres, NaN where invalid; +Inf counts as beyond all limits.
    :param grid: the grid of this depth map's camera.
    :param lowest: lower edge of the band, metres, in the height that the grid measures.
    :param highest: upper edge of the band, metres.
    :param nearest: smallest range, metres (``range_min`` of a LaserScan).
    :param farthest: largest range, metres (``range_max``).
    :returns: (beams,) float32 metres.
    :raises InvalidRequest: when a pair of limits is not in order.
    :raises InvalidIntrinsics: when depth and grid have different sizes.
    """
    if not (lowest < highest and 0 <= nearest < farthest < math.inf):
        raise InvalidRequest(
            'a scan needs lowest < highest and 0 <= nearest < farthest, seen heights '
            f'{lowest:g} and {highest:g}, ranges {nearest:g} and {farthest:g}')
    if depth.shape != grid.beam.shape:
        raise InvalidIntrinsics(
            f'the scan grid is for {grid.beam.shape}, the depth map is {depth.shape}')
    with np.errstate(invalid='ignore', divide='ignore', over='ignore'):
        distance = depth * grid.reach
        # What lies beyond the limit is judged where its ray crosses the limit.
        height = grid.camera_height + grid.rise * np.minimum(depth, farthest / grid.reach)
        in_band = (depth > 0) & (grid.beam >= 0) & (height >= lowest) & (height <= highest)
        close = in_band & (distance < nearest)
        beyond = in_band & (distance > farthest)
    hit = in_band & ~close & ~beyond
    ranges = np.full(grid.beams, np.nan, np.float32)
    ranges[grid.beam[beyond]] = np.inf
    ranges[grid.beam[close]] = -np.inf
    found = np.full(grid.beams, np.inf, np.float32)
    np.minimum.at(found, grid.beam[hit], distance[hit])
    return np.where(np.isfinite(found), found, ranges)


def make_scan(
    depth: npt.NDArray[np.float32], intrinsics: Intrinsics, options: ScanOptions, mount: Mount,
    frame_id: str,
) -> Scan:
    """
    Return the scan of a depth map.

    :param depth: (H, W) float32 metres, NaN where invalid, +Inf where the view is free.
    :param intrinsics: the camera of this depth map.
    :param options: band and limits.
    :param mount: what is level, and from where heights count.
    :param frame_id: optical frame of the image.
    """
    grid = scan_grid(intrinsics, mount.to_level)
    ranges = scan_ranges(
        depth, grid, lowest=options.lowest, highest=options.highest, nearest=options.nearest,
        farthest=options.farthest)
    return Scan.of(ranges, grid, options, frame_id)
