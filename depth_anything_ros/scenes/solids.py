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

"""Solids that a ray can hit: boxes, spheres and upright cylinders, in the world frame."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Protocol

from depth_anything_ros.scenes.materials import Material
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Vector = tuple[float, float, float]
Surface = tuple[Floats, Floats, Floats]


class Solid(Protocol):
    """What the renderer asks of a solid."""

    @property
    def centre(self) -> Vector:
        """Return the middle of the solid, world frame, metres."""

    @property
    def material(self) -> Material:
        """Return what the surface looks like."""

    @property
    def yaw(self) -> float:
        """Return how far the solid is turned left about its vertical axis, radians."""

    def corners(self) -> npt.NDArray[np.float64]:
        """Return the (8, 3) corners of a box around the solid, world frame, metres."""

    def hit(self, offset: Vector, rays: Rays) -> Floats:
        """Return the distance factor of the first hit of every ray, infinite where it misses."""

    def surface(self, points: Floats) -> Surface:
        """Return (normal (N, 3), u (N,), v (N,)) of (N, 3) points relative to the centre."""


class Rays:
    """
    Directions of a window of pixels, in the world and turned by a yaw, computed once each.

    The directions are not unit vectors: their part along the optical axis is 1, so the distance
    factor of a hit is its z-depth in metres.
    """

    def __init__(self, directions: Floats, cache: dict[float, Floats] | None = None) -> None:
        """Keep (3, H, W) float32 directions in the world frame."""
        self.directions = directions
        self._turned: dict[float, Floats] = {} if cache is None else cache

    def turned(self, yaw: float) -> Floats:
        """Return the (3, H, W) directions in a frame that is turned left by ``yaw`` radians."""
        if yaw == 0.0:
            return self.directions
        if yaw not in self._turned:
            cos, sin = np.float32(math.cos(yaw)), np.float32(math.sin(yaw))
            x, y, z = self.directions
            self._turned[yaw] = nonzero(np.stack([cos * x + sin * y, cos * y - sin * x, z]))
        return self._turned[yaw]

    def window(self, rows: slice, columns: slice, yaw: float) -> Rays:
        """Return the rays of a window; ``yaw`` is the only one that will be asked of it."""
        turned = self.turned(yaw)[:, rows, columns]
        return Rays(self.directions[:, rows, columns], {yaw: turned})


def nonzero(directions: Floats) -> Floats:
    """Return the directions with exact zeros replaced, so that dividing by them stays finite."""
    return np.where(np.abs(directions) < 1e-9, np.float32(1e-9), directions)


def _box_corners(centre: Vector, half: Vector, yaw: float) -> npt.NDArray[np.float64]:
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    local = signs * half
    cos, sin = math.cos(yaw), math.sin(yaw)
    turned = np.stack([cos * local[:, 0] - sin * local[:, 1],
                       sin * local[:, 0] + cos * local[:, 1], local[:, 2]], axis=1)
    corners: npt.NDArray[np.float64] = turned + np.asarray(centre)
    return corners


def _first(near: Floats, far: Floats) -> Floats:
    return np.where((near <= far) & (near > 0), near, np.float32(np.inf))


@dataclass(frozen=True)
class Box:
    """A box of ``size`` metres, turned left by ``yaw`` radians about its vertical axis."""

    centre: Vector
    size: Vector
    material: Material
    yaw: float = 0.0

    @property
    def half(self) -> Vector:
        """Return half the size in metres."""
        return self.size[0] / 2, self.size[1] / 2, self.size[2] / 2

    def corners(self) -> npt.NDArray[np.float64]:
        """Return the (8, 3) corners, world frame, metres."""
        return _box_corners(self.centre, self.half, self.yaw)

    def hit(self, offset: Vector, rays: Rays) -> Floats:
        """
        Return the first hit of every ray by the slab method.

        :param offset: the camera relative to the centre, world frame, metres.
        :param rays: (H, W) directions.
        :returns: (H, W) float32 distance factors, infinite where the ray misses.
        """
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        local = (cos * offset[0] + sin * offset[1], cos * offset[1] - sin * offset[0], offset[2])
        near = far = None
        for origin, half, direction in zip(local, self.half, rays.turned(self.yaw)):
            inverse = np.float32(1) / direction
            middle = np.float32(-origin) * inverse
            reach = np.float32(half) * np.abs(inverse)
            enter, leave = middle - reach, middle + reach
            near = enter if near is None else np.maximum(near, enter)
            far = leave if far is None else np.minimum(far, leave)
        assert near is not None and far is not None
        return _first(near, far)

    def surface(self, points: Floats) -> Surface:
        """
        Return the normals and the place on the face, measured from the box's corner.

        :param points: (N, 3) float32 points of the surface relative to the centre, metres.
        :returns: (N, 3) unit normals in the world frame, (N,) u and (N,) v in metres.
        """
        cos, sin = np.float32(math.cos(self.yaw)), np.float32(math.sin(self.yaw))
        x = cos * points[:, 0] + sin * points[:, 1]
        y = cos * points[:, 1] - sin * points[:, 0]
        z = points[:, 2]
        half = [np.float32(value) for value in self.half]
        outside = np.stack([np.abs(x) - half[0], np.abs(y) - half[1], np.abs(z) - half[2]])
        face = np.argmax(outside, axis=0)
        on_x, on_y, on_z = face == 0, face == 1, face == 2
        side_x, side_y = np.where(on_x, np.sign(x), 0), np.where(on_y, np.sign(y), 0)
        normal = np.stack([cos * side_x - sin * side_y, sin * side_x + cos * side_y,
                           np.where(on_z, np.sign(z), 0)], axis=1).astype(np.float32)
        u = np.where(on_x, y + half[1], x + half[0])
        v = np.where(on_z, y + half[1], z + half[2])
        return normal, u, v


@dataclass(frozen=True)
class Sphere:
    """A sphere of ``radius`` metres."""

    centre: Vector
    radius: float
    material: Material
    yaw: float = 0.0

    def corners(self) -> npt.NDArray[np.float64]:
        """Return the (8, 3) corners of the box around it, world frame, metres."""
        return _box_corners(self.centre, (self.radius, self.radius, self.radius), 0.0)

    def hit(self, offset: Vector, rays: Rays) -> Floats:
        """Return the (H, W) float32 distance factor of the first hit, infinite where none."""
        x, y, z = rays.directions
        ox, oy, oz = (np.float32(value) for value in offset)
        a = x * x + y * y + z * z
        b = x * ox + y * oy + z * oz
        c = np.float32(sum(value * value for value in offset) - self.radius ** 2)
        under = b * b - a * c
        root = np.sqrt(np.maximum(under, 0))
        # c / (root - b) is the nearer root without the cancellation of (-b - root) / a.
        near = c / np.maximum(root - b, np.float32(1e-9))
        found: Floats = np.where((under >= 0) & (b < 0), near, np.float32(np.inf))
        return found

    def surface(self, points: Floats) -> Surface:
        """Return normals (N, 3), and u along and v up the sphere in metres, (N,) each."""
        normal = points / np.float32(self.radius)
        u = np.arctan2(points[:, 1], points[:, 0]) * np.float32(self.radius)
        return normal, u, points[:, 2] + np.float32(self.radius)


@dataclass(frozen=True)
class Cylinder:
    """An upright cylinder of ``radius`` and ``height`` metres."""

    centre: Vector
    radius: float
    height: float
    material: Material
    yaw: float = 0.0

    def corners(self) -> npt.NDArray[np.float64]:
        """Return the (8, 3) corners of the box around it, world frame, metres."""
        return _box_corners(self.centre, (self.radius, self.radius, self.height / 2), 0.0)

    def hit(self, offset: Vector, rays: Rays) -> Floats:
        """Return the (H, W) float32 distance factor of the first hit, infinite where none."""
        x, y, z = rays.directions
        ox, oy, oz = (np.float32(value) for value in offset)
        a = x * x + y * y
        b = x * ox + y * oy
        under = b * b - a * np.float32(offset[0] ** 2 + offset[1] ** 2 - self.radius ** 2)
        root = np.sqrt(np.maximum(under, 0))
        inverse, inverse_z = np.float32(1) / np.maximum(a, np.float32(1e-12)), np.float32(1) / z
        reach = np.float32(self.height / 2) * np.abs(inverse_z)
        near = np.maximum((-b - root) * inverse, -oz * inverse_z - reach)
        far = np.minimum((root - b) * inverse, -oz * inverse_z + reach)
        return np.where(under >= 0, _first(near, far), np.float32(np.inf))

    def surface(self, points: Floats) -> Surface:
        """Return normals (N, 3), and u around and v up the side in metres, (N,) each."""
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        radius = np.float32(self.radius)
        cap = np.abs(z) - np.float32(self.height / 2) > np.hypot(x, y) - radius
        normal = np.stack([np.where(cap, 0, x / radius), np.where(cap, 0, y / radius),
                           np.where(cap, np.sign(z), 0)], axis=1).astype(np.float32)
        u = np.where(cap, x, np.arctan2(y, x) * radius)
        return normal, u, np.where(cap, y, z + np.float32(self.height / 2))
