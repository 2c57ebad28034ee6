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

"""What the settings ask of a frame: one meaning for topics, recordings and programs."""

from __future__ import annotations

import math

from depth_anything_ros.core.cloud_options import CloudOptions, ScanOptions
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize, Preprocess, SkyMode
from depth_anything_ros.core.placement import Mount
from depth_anything_ros.settings import Settings
from depth_anything_ros.settings.points import NO_LIMIT, PointsSettings


def options_of(settings: Settings, outputs: frozenset[Output]) -> FrameOptions:
    """
    Return what the settings ask of a frame.

    :param settings: the newest snapshot.
    :param outputs: what is wanted.
    """
    depth, camera, scan = settings.depth, settings.camera, settings.scan
    return FrameOptions(
        process_res=depth.process_res, process_res_method=depth.process_res_method,
        minimum=depth.minimum, maximum=depth.maximum, focal_length=camera.focal_length,
        fov_deg=camera.fov_deg, outputs=outputs, output_size=OutputSize(depth.output_size),
        sky_mode=SkyMode(settings.sky.mode), far_distance=settings.sky.far_distance,
        points=cloud_options(settings.points),
        scan=ScanOptions(
            lowest=scan.height_min, highest=scan.height_max, nearest=scan.range_min,
            farthest=scan.range_max, frame_id=scan.frame_id),
        mount=Mount(settings.mount.height, settings.mount.pitch_deg),
        preprocess=Preprocess(depth.preprocess))


def cloud_options(points: PointsSettings) -> CloudOptions:
    """Return what the settings ask of a cloud."""
    return CloudOptions(
        dense=points.dense, color=points.color, stride=points.stride,
        voxel_size=points.voxel_size, nearest=points.range_min,
        farthest=points.range_max or math.inf,
        lowest=-math.inf if points.height_min == -NO_LIMIT else points.height_min,
        highest=math.inf if points.height_max == NO_LIMIT else points.height_max,
        confidence_percentile=points.confidence_percentile, edge_filter=points.edge_filter,
        target_frame=points.target_frame)
