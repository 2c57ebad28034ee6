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

"""Small rooms and cameras that several tests of scenes/ share."""

from __future__ import annotations

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.scenes.materials import Material
from depth_anything_ros.scenes.room import Room
from depth_anything_ros.scenes.solids import Solid
from depth_anything_ros.scenes.trajectory import pose

GREY = Material('plain', (0.5, 0.5, 0.5))
CAMERA = Intrinsics(90.0, 95.0, 50.0, 40.0, 101, 81)
# One metre above the floor, looking along the world's x axis.
LEVEL = pose(0.0, 0.0, 1.0, 0.0, 0.0)


def bare_room(*solids: Solid) -> Room:
    return Room(0, (8.0, 6.0, 2.5), (GREY,) * 4, GREY, GREY, solids, (), (0.0, 0.0, 2.2))
