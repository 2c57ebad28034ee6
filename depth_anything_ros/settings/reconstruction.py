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

"""Settings of reconstructions."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.settings.schema import setting


@dataclass(frozen=True)
class ReconstructionSettings:
    """What several images of one scene become, and how many they may be."""

    max_megapixels: float = setting(
        26.0, 'Processed pixels that the images of one reconstruction may have in all; 26: 100 '
        'images of any shape at 504.', low=0.01, high=10000.0, unit='Mpx', read_only=True)
    conf_thresh_percentile: float = setting(
        10.0, 'The least sure part of all pixels that is left out of a scene.', low=0.0,
        high=99.9, unit='%')
    num_max_points: int = setting(
        10_000_000, 'Points of a scene; of more a seeded random choice stays.', low=1,
        high=50_000_000)
    voxel_size: float = setting(
        0.0, 'Side of the cubes of which each keeps one point of a scene, in the unit of the '
        'scene; 0: all points.', low=0.0, high=100.0)
    remove_sky: bool = setting(True, 'Leave the sky out of a scene, where the model knows it.')
    remove_edges: bool = setting(
        True, 'Leave pixels between two surfaces out of a scene.')
    show_cameras: bool = setting(True, 'Draw the cameras into the GLB.')
    record_seconds: float = setting(
        10.0, 'Longest time that ~/record_scene takes images.', unit='s', low=0.1, high=600.0)
    record_keyframes: int = setting(
        16, 'Images that ~/record_scene takes: the sharpest of as many slots of time.', low=1,
        high=100)
    record_camera: str = setting(
        '', 'Camera of the node that ~/record_scene takes images of; empty: the first one.')
    folder: str = setting(
        '', 'Where ~/record_scene writes its scenes as GLB and PLY; empty: nowhere.',
        read_only=True)
