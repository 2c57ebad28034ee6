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

"""The two steps of a reconstruction's one call: images to the network's size, maps to views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource, invalidate, SKY_THRESHOLD
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import inverted, Views
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.processed_size import Plan, plan
from depth_anything_ros.core.result import choose_intrinsics, choose_law, ScaleLaw
from depth_anything_ros.core.view import processed_camera
from depth_anything_ros.engine.base import EngineInfo, PreparedViews
from depth_anything_ros.engine.batches import check_views
from depth_anything_ros.engine.passes import FrameNetwork, RawMaps
from depth_anything_ros.engine.predicted import NARROWEST, plausible_camera, WIDEST
from depth_anything_ros.engine.preprocess import normalised, process
from depth_anything_ros.engine.scene_pass import scene_maps, SceneMaps
import numpy as np
import numpy.typing as npt
import torch


@dataclass(frozen=True)
class SceneImages:
    """``pixels`` (N, h, w, 3) uint8, how each was made, and the window (x, y) of each in that."""

    pixels: npt.NDArray[np.uint8]
    plans: tuple[Plan, ...]
    windows: tuple[tuple[int, int], ...]

    def camera_of(self, frame: Frame, index: int, camera: Intrinsics) -> Intrinsics | None:
        """Return a camera of a frame as that of its processed pixels."""
        steps, (x, y) = self.plans[index], self.windows[index]
        height, width = self.pixels.shape[1:3]
        offset = steps.offset[0] + x, steps.offset[1] + y
        return processed_camera(camera, (width, height), steps.resized, offset)


def prepare_scene(
    info: EngineInfo, frames: Sequence[Frame], options: FrameOptions, most_pixels: int,
) -> PreparedViews:
    """
    Return images at one processed size; where sizes differ, the middle of each, as upstream.

    :param info: the model.
    :param frames: one or more images.
    :param options: the processed size.
    :param most_pixels: pixels that all of them may have.
    :raises InvalidRequest: when they cannot be looked at together.
    :raises PayloadTooLarge: when they are too many.
    """
    frames = [frame.rectified() for frame in frames]
    plans = tuple(
        plan(*frame.size, options.process_res or info.process_res, options.process_res_method)
        for frame in frames)
    width, height = (min(steps.size[axis] for steps in plans) for axis in (0, 1))
    check_views(info, len(frames), (width, height), most_pixels)
    pixels = np.empty((len(frames), height, width, 3), np.uint8)
    windows = []
    for index, (frame, steps) in enumerate(zip(frames, plans, strict=True)):
        x, y = (steps.size[0] - width) // 2, (steps.size[1] - height) // 2
        windows.append((x, y))
        image = process(frame.rgb, steps)
        pixels[index] = image[y:y + height, x:x + width]
    return PreparedViews(
        tuple(frames), options, (height, width), SceneImages(pixels, plans, tuple(windows)))


def infer_scene(network: FrameNetwork, info: EngineInfo, prepared: PreparedViews) -> Views:
    """
    Run the network once on all images and return what it says, on the host.

    :param network: cured, on its device.
    :param info: the model.
    :param prepared: its images.
    :raises InvalidIntrinsics: when metres need a focal length that nobody gave.
    """
    images: SceneImages = prepared.payload
    device = next(network.parameters()).device
    batch = normalised(torch.from_numpy(images.pixels).to(device))
    if info.multi_view:
        return joint_views(scene_maps(network, batch), info, prepared)
    return single_view(network(batch), info, prepared)


def single_view(maps: RawMaps, info: EngineInfo, prepared: PreparedViews) -> Views:
    """Return the one view of a model without poses: its camera stands in the origin."""
    images: SceneImages = prepared.payload
    frame, options = prepared.frames[0], prepared.options
    given, source = choose_intrinsics(frame, options)
    camera = images.camera_of(frame, 0, given) if given else None
    law = choose_law(info.kind, camera, source)
    assert camera is not None  # a fallback was given, see reconstruction.steps
    sky = None if maps.sky is None else host(maps.sky) >= SKY_THRESHOLD
    depth = limited(host(maps.depth) * np.float32(law.factor), info.kind, options)
    return Views(
        images.pixels, depth, camera.matrix()[None], np.eye(4)[None, :3], law, info.model,
        confidence=None if maps.confidence is None else host(maps.confidence), sky=sky)


def joint_views(maps: SceneMaps, info: EngineInfo, prepared: PreparedViews) -> Views:
    """
    Return the views of a model that predicts their cameras.

    Depth and poses of several views fit the predicted cameras only; a single view takes a given
    one.
    """
    images: SceneImages = prepared.payload
    height, width = prepared.shape
    depth = limited(host(maps.depth), info.kind, prepared.options)
    poses = inverted(host(maps.camera_to_world).astype(np.float64))
    cameras, notes, law = host(maps.camera).astype(np.float64), [], FocalSource.MODEL
    if maps.scale is not None and not np.isfinite(host(maps.scale)):
        notes.append('no depth: the model found no metric scale in these images')
        poses[:] = np.eye(4)[:3]
    given, source = choose_intrinsics(prepared.frames[0], prepared.options)
    only = images.camera_of(prepared.frames[0], 0, given) if given and len(depth) == 1 else None
    if only is not None:
        cameras[0], law = only.matrix(), source
    else:
        notes.append('the cameras are predicted by the model, not calibrated')
        notes += drop_impossible(depth, host(maps.camera))
        if any(frame.intrinsics is not None for frame in prepared.frames):
            notes.append('given intrinsics are not used: depth and poses of several images fit '
                         'the predicted ones')
    if len({steps.size for steps in images.plans}) > 1:
        notes.append(f'images of several sizes: the middle {width}x{height} of each is used')
    return Views(
        images.pixels, depth, cameras, poses, ScaleLaw(info.kind, focal_source=law), info.model,
        confidence=host(maps.confidence),
        sky=None if maps.sky is None else host(maps.sky) >= SKY_THRESHOLD, notes=tuple(notes))


def drop_impossible(
    depth: npt.NDArray[np.float32], cameras: npt.NDArray[np.float32],
) -> list[str]:
    """Make the depth of views NaN whose predicted camera cannot be one; return what to say."""
    height, width = depth.shape[1:]
    notes = []
    for index, camera in enumerate(cameras):
        if plausible_camera(torch.from_numpy(camera), width, height) is None:
            depth[index] = np.nan
            notes.append(
                f'image {index} is left out: its predicted camera is impossible (field of view '
                f'outside {NARROWEST:g} to {WIDEST:g} degrees)')
    return notes


def host(values: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return values as numpy, waiting for the device."""
    result: npt.NDArray[np.float32] = values.cpu().numpy()
    return result


def limited(
    depth: npt.NDArray[np.float32], kind: DepthKind, options: FrameOptions,
) -> npt.NDArray[np.float32]:
    """Return (N, h, w) depth with NaN where it is no measurement, beyond the limits if metric."""
    if kind is DepthKind.RELATIVE:
        return invalidate(depth)
    return invalidate(depth, minimum=options.minimum, maximum=options.maximum)
