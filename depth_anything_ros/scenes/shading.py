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

"""Colour and light where rays ended: a ceiling lamp, soft ambient light, contact shade."""

from __future__ import annotations

from depth_anything_ros.scenes.cast import Hits
from depth_anything_ros.scenes.room import Room
from depth_anything_ros.scenes.solids import Floats
import numpy as np
import numpy.typing as npt

# The reach in metres of the darkening in corners and around furniture.
CORNER, CONTACT = 0.35, 0.22


def shaded(room: Room, hits: Hits, focal: float) -> Floats:
    """
    Return the light that every pixel receives.

    :param room: the room.
    :param hits: where the rays ended, (H, W).
    :param focal: mean focal length in pixels, which tells how much a pixel covers.
    :returns: (H, W, 3) float32 linear colour, 0 to 1.
    """
    shape = hits.depth.shape
    depth, solid = hits.depth.ravel(), hits.solid.ravel()
    directions = hits.directions.reshape(3, -1)
    points = (directions * depth + hits.origin.astype(np.float32)[:, None]).T
    normals = np.empty_like(points)
    albedo = np.empty_like(points)
    glow = np.zeros_like(depth)
    pixel = depth * np.float32(1 / focal)

    order = np.argsort(solid, kind='stable')
    present, starts = np.unique(solid[order], return_index=True)
    for index, where in zip(present, np.split(order, starts[1:])):
        if index < 0:
            _shell(room, where, points, pixel, normals, albedo)
            continue
        part = room.solids[index]
        local = points[where] - np.asarray(part.centre, np.float32)
        normal, u, v = part.surface(local)
        normals[where] = normal
        albedo[where] = part.material.albedo(u, v, pixel[where])
        if part.material.glow:
            glow[where] = part.material.glow
    light = _light(room, points, normals) * _shade(room, points, solid)
    colour = albedo * (light + glow)[:, None] * np.asarray(room.tint, np.float32)
    clipped: Floats = np.clip(colour, 0, 1).reshape(*shape, 3)
    return clipped


def _shell(
    room: Room, where: npt.NDArray[np.intp], points: Floats, pixel: Floats, normals: Floats,
    albedo: Floats,
) -> None:
    """Fill in the normals and colours of walls, floor and ceiling."""
    length, width, height = (np.float32(value) for value in room.size)
    x, y, z = points[where].T
    gaps = np.stack([length / 2 - x, length / 2 + x, width / 2 - y, width / 2 + y, height - z, z])
    face = np.argmin(np.abs(gaps), axis=0)
    materials = (*room.walls, room.ceiling, room.floor)
    for index, material in enumerate(materials):
        chosen = np.flatnonzero(face == index)
        if not len(chosen):
            continue
        at = where[chosen]
        normal = np.zeros(3, np.float32)
        normal[index // 2] = -1 if index % 2 == 0 else 1
        normals[at] = normal
        u, v = ((y, z), (y, z), (x, z), (x, z), (x, y), (x, y))[index]
        albedo[at] = material.albedo(u[chosen] + length, v[chosen] + (width if index > 3 else 0),
                                     pixel[at])


def _light(room: Room, points: Floats, normals: Floats) -> Floats:
    """Return (N,) light: ambient from above and from the walls, and the lamp's diffuse part."""
    to_lamp = np.asarray(room.lamp, np.float32) - points
    squared = np.einsum('ij,ij->i', to_lamp, to_lamp)
    facing = np.einsum('ij,ij->i', to_lamp, normals) / np.sqrt(squared)
    lamp = np.maximum(facing, 0) * np.float32(4.0) / (squared + np.float32(4.0))
    ambient = 0.5 + 0.02 * normals[:, 2] + 0.06 * normals[:, 0] + 0.03 * normals[:, 1]
    light: Floats = np.float32(room.brightness) * (ambient + np.float32(0.7) * lamp)
    return light


def _shade(room: Room, points: Floats, solid: npt.NDArray[np.int16]) -> Floats:
    """Return (N,) factors that darken corners of the room and the floor around furniture."""
    length, width, height = (np.float32(value) for value in room.size)
    x, y, z = points.T
    shade = np.ones_like(x)
    for gap in (length / 2 - np.abs(x), width / 2 - np.abs(y), np.minimum(z, height - z)):
        near = np.clip(np.float32(1) - gap / np.float32(CORNER), 0, 1)
        shade *= np.float32(1) - np.float32(0.28) * near * near
    floor = np.flatnonzero((z < 0.012) & (solid < 0))
    floor_x, floor_y = x[floor], y[floor]
    contact = np.ones_like(floor_x)
    for place in room.footprints:
        cos, sin = np.float32(np.cos(place.yaw)), np.float32(np.sin(place.yaw))
        right, ahead = floor_x - np.float32(place.x), floor_y - np.float32(place.y)
        beside = np.abs(cos * right + sin * ahead) - np.float32(place.half_x)
        beyond = np.abs(cos * ahead - sin * right) - np.float32(place.half_y)
        near = np.clip(1 - np.maximum(beside, beyond) / np.float32(CONTACT), 0, 1)
        contact *= np.float32(1) - np.float32(0.5) * near * near
    shade[floor] *= contact
    result: Floats = shade
    return result
