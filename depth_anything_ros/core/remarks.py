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

"""What a reader of a result must know: what was assumed, and what was asked for in vain."""

from __future__ import annotations

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, SkyMode
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.core.scan import level_frame


def cloud_missing(
    options: FrameOptions, frame: Frame, law: ScaleLaw, camera: Intrinsics | None,
) -> str:
    """
    Return why a frame cannot have a cloud, empty when it can.

    :param options: what was asked for.
    :param frame: the image.
    :param law: the scale law that was used.
    :param camera: the intrinsics that were used.
    """
    target = options.points.target_frame
    if law.kind is DepthKind.RELATIVE:
        return 'the depth of this model has no unit'
    if camera is None:
        return 'the camera is unknown; give K, a focal length or a field of view'
    if target and (frame.placement is None or frame.placement.frame_id != target):
        return f'no transform from {frame.frame_id!r} to {target!r} is known for this image'
    return ''


def scan_missing(
    options: FrameOptions, frame: Frame, law: ScaleLaw, camera: Intrinsics | None,
) -> str:
    """Return why a frame cannot have a scan, empty when it can; as :func:`cloud_missing`."""
    if law.kind is DepthKind.RELATIVE:
        return 'the depth of this model has no unit'
    if camera is None:
        return 'the camera is unknown; give K, a focal length or a field of view'
    if not (options.scan.frame_id or level_frame(frame.frame_id)):
        return (f"the image's frame {frame.frame_id!r} has no '_optical' in its name; set "
                'scan.frame_id to a level frame at the camera (x forward, z up)')
    return ''


def remarks(
    options: FrameOptions, frame: Frame, law: ScaleLaw, camera: Intrinsics | None,
    has_confidence: bool, has_sky: bool,
) -> tuple[str, ...]:
    """
    Return what was assumed, and what was asked for but is not there.

    :param options: what was asked for.
    :param frame: the image.
    :param law: the scale law that was used.
    :param camera: the intrinsics that were used.
    :param has_confidence: whether the model predicts confidence.
    :param has_sky: whether the model predicts sky.
    """
    wanted, notes = options.outputs, []
    if law.focal_source is FocalSource.MODEL:
        notes.append('the intrinsics are predicted by the model, not calibrated')
    if Output.POINTS in wanted:
        missing = cloud_missing(options, frame, law, camera)
        if missing:
            notes.append(f'no cloud: {missing}')
        elif options.points.confidence_percentile and not has_confidence:
            notes.append('the cloud is not filtered by confidence: this model predicts none')
    if Output.SCAN in wanted and scan_missing(options, frame, law, camera):
        notes.append(f'no scan: {scan_missing(options, frame, law, camera)}')
    if Output.CONFIDENCE in wanted and not has_confidence:
        notes.append('no confidence: this model predicts none')
    if Output.SKY in wanted and not has_sky:
        notes.append('no sky mask: this model predicts none')
    if options.sky_mode is not SkyMode.NAN and not has_sky and not options.raw:
        notes.append('this model predicts no sky: only depths beyond the largest valid one are '
                     f'treated as {options.sky_mode.value}')
    return tuple(notes)
