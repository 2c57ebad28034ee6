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

"""A point cloud as a picture, seen from somewhere else than its camera was."""

from __future__ import annotations

from itertools import product
from typing import Any

import cv2
from depth_anything_ros.core.camera import Intrinsics
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]

BACKGROUND = (28, 30, 36)
LINE = (255, 196, 64)
SUPERSAMPLE = 2
FOV_DEG = 55.0
"""Horizontal field of view of the picture."""

FILLED = 0.94
"""Part of the picture's width and height that the cloud may take."""

GRAZING = 16.0
"""Largest step to a neighbour, in pixels at its depth, on a surface seen at an angle."""

NEAR = 0.05


def side_view(
    points: Points, shape: float, *, yaw_deg: float = 30.0, pitch_deg: float = 24.0,
) -> Matrix:
    """
    Return a viewpoint that shows what was seen and where it was seen from.

    It looks at the cloud from above and from the side where less is in the way, from just so far
    that nearly all points and the camera fit into the picture.

    :param points: (N, 3) float32, finite, optical frame of the camera (y down), metres.
    :param shape: width / height of the picture.
    :param yaw_deg: turn about the vertical.
    :param pitch_deg: how far above the horizon the viewpoint is.
    :returns: (4, 4) world_to_camera; the world is the camera's optical frame.
    """
    yaw, pitch = np.radians([yaw_deg * open_side(points), pitch_deg])
    forward = np.array([
        -np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    x, y, z = rotation @ points.T
    tan_x = np.tan(np.radians(FOV_DEG) / 2) * FILLED
    place = []
    # Each side of the picture is a plane that the points must be inside of: two planes give the
    # viewpoint's place along the axis between them, and how far back it has to be.
    for values, tan in ((x, tan_x), (y, tan_x / shape)):
        high = max(0.0, float(np.percentile(values - tan * z, 99.5)))
        low = max(0.0, float(np.percentile(-values - tan * z, 99.5)))
        place.append(((high - low) / 2, -(high + low) / (2 * tan)))
    eye = np.array([place[0][0], place[1][0], min(place[0][1], place[1][1])])
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = rotation, -eye
    return result


def open_side(points: Points) -> int:
    """Return 1 where the cloud's right half is the farther one, else -1."""
    left = points[:, 0] < 0
    if left.all() or not left.any():
        return 1
    return 1 if np.median(points[~left, 2]) >= np.median(points[left, 2]) else -1


def draw_cloud(
    points: Points, colours: Picture, camera: Intrinsics, world_to_camera: Matrix,
    size: tuple[int, int],
) -> Picture:
    """
    Return the cloud and the camera that saw it, nearer points before farther ones.

    Every point is drawn as large as its distance to the neighbours looks from here, so that
    surfaces are closed where the camera saw them and open where it did not.

    :param points: (H, W, 3) float32 metres in the optical frame of ``camera``; NaN: no point.
    :param colours: (H, W, 3) uint8 RGB.
    :param camera: the camera that saw the points.
    :param world_to_camera: (4, 4) of the viewpoint; the world is the optical frame.
    :param size: (width, height) of the picture in pixels.
    """
    width, height = size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE
    view = Intrinsics.from_fov(FOV_DEG, width, height)
    flat, apart = points.reshape(-1, 3), spacing(points, camera).reshape(-1)
    keep = np.isfinite(flat).all(axis=1)
    flat, apart, rgb = flat[keep], apart[keep], colours.reshape(-1, 3)[keep]
    seen = flat @ world_to_camera[:3, :3].T.astype(np.float32) + world_to_camera[:3, 3].astype(
        np.float32)
    front = seen[:, 2] > NEAR
    seen, apart, rgb = seen[front], apart[front], rgb[front]
    u, v = project(seen, view)
    radius = np.clip(0.7 * apart * view.focal / seen[:, 2], 1.0, 7.0)
    picture = splat(u, v, seen[:, 2], radius, rgb, (width, height))
    draw_camera(picture, camera, world_to_camera, view)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def spacing(points: Points, camera: Intrinsics) -> npt.NDArray[np.float32]:
    """
    Return the metres from every point to its neighbours, as far as they are on one surface.

    :param points: (H, W, 3) float32 metres, NaN where there is no point.
    :param camera: the camera of these points.
    :returns: (H, W) float32; from one to GRAZING times the size of a pixel at that depth.
    """
    pixel = points[..., 2] / np.float32(camera.focal)
    apart: npt.NDArray[np.float32] = pixel.copy()
    with np.errstate(invalid='ignore'):
        for axis in (0, 1):
            step = np.linalg.norm(np.diff(points, axis=axis), axis=-1)
            pad = [(0, 1) if other == axis else (0, 0) for other in (0, 1)]
            step = np.pad(step, pad)
            # A larger step is an edge: nothing was seen between the two.
            apart = np.where(step <= GRAZING * pixel, np.fmax(apart, step), apart)
    return apart


def project(points: Points, view: Intrinsics) -> tuple[Any, Any]:
    """Return the pixels (u, v) of points in front of a camera."""
    return (view.fx * points[:, 0] / points[:, 2] + view.cx,
            view.fy * points[:, 1] / points[:, 2] + view.cy)


def splat(
    u: Any, v: Any, depth: Any, radius: Any, rgb: Picture, size: tuple[int, int],
) -> Picture:
    """
    Return a picture of square points with a depth buffer.

    :param u: (N,) columns; ``v`` rows, ``depth`` metres, ``radius`` half a side in pixels.
    :param v: see u.
    :param depth: see u.
    :param radius: see u.
    :param rgb: (N, 3) uint8.
    :param size: (width, height).
    """
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = BACKGROUND
    flat = picture.reshape(-1, 3)
    nearest = np.full(width * height, np.inf, np.float32)
    order = np.argsort(-depth)  # far to near: the last one written to a pixel is the nearest
    column, row = (np.floor(item[order]).astype(np.int64) for item in (u, v))
    depth, radius, rgb = depth[order], radius[order], rgb[order]
    writer = np.zeros(width * height, np.int64)
    reach = int(radius.max(initial=0))
    for shift_y, shift_x in product(range(-reach, reach + 1), repeat=2):
        large = np.flatnonzero(radius >= max(abs(shift_x), abs(shift_y)))
        x, y = column[large] + shift_x, row[large] + shift_y
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        point, pixel = large[inside], (y * width + x)[inside]
        writer[pixel] = point
        front = (writer[pixel] == point) & (depth[point] < nearest[pixel])
        point, pixel = point[front], pixel[front]
        nearest[pixel], flat[pixel] = depth[point], rgb[point]
    return picture


def draw_camera(
    picture: Picture, camera: Intrinsics, world_to_camera: Matrix, view: Intrinsics,
) -> None:
    """Draw the camera as a small pyramid that opens in the direction of view."""
    size = 0.25
    corners = [((u - camera.cx) / camera.fx * size, (v - camera.cy) / camera.fy * size, size)
               for u, v in ((0, 0), (camera.width, 0), (camera.width, camera.height),
                            (0, camera.height))]
    world = np.array([(0.0, 0.0, 0.0), *corners])
    seen = world @ world_to_camera[:3, :3].T + world_to_camera[:3, 3]
    if (seen[:, 2] <= NEAR).any():
        return
    u, v = project(seen.astype(np.float32), view)
    place = [(round(float(a)), round(float(b))) for a, b in zip(u, v)]
    pairs = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1)]
    for first, second in pairs:
        cv2.line(picture, place[first], place[second], LINE, 2 * SUPERSAMPLE, cv2.LINE_AA)
