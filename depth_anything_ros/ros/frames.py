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

"""From the messages of one camera to a frame: pixels, lens, intrinsics."""

from __future__ import annotations

from typing import Any, Callable, Hashable, TypeVar

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.camera_info import (
    called_rectified,
    intrinsics_of,
    is_distorted,
    rectification_of,
)
from depth_anything_ros.core.distortion import Rectification
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, OutputSize
from depth_anything_ros.core.processed_size import affordable_reduction
from depth_anything_ros.errors import InvalidIntrinsics
from depth_anything_ros.ros.camera_info import content_of
from depth_anything_ros.ros.conversions import stamp_ns
from depth_anything_ros.ros.pairing import Pair
from depth_anything_ros.ros.pictures import Picture, picture_of
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.settings import Settings

Value = TypeVar('Value')

NO_FOCAL = (
    'metric depth needs a focal length: publish a calibrated camera_info (K[0] > 0), or set '
    'camera.fov_deg or camera.focal_length')


class FrameMaker:
    """
    Makes the frames of one camera; called in the threads that prepare them.

    ``lens`` says for people what is done about the lens.
    """

    def __init__(self, image_topic: str, reporter: Reporter) -> None:
        """
        Make a maker that knows no camera yet.

        :param image_topic: where the images come from; its name may say that they are rectified.
        :param reporter: is told what the messages leave open.
        """
        self._called_rectified = called_rectified(image_topic)
        self._image_topic = image_topic
        self._reporter = reporter
        self._maps: tuple[tuple[Any, ...], Rectification | None] | None = None
        self._said: tuple[Any, dict[Hashable, Any]] = None, {}
        self.lens = ''

    def frame(
        self, pair: Pair, settings: Settings, options: FrameOptions, process_res: int, *,
        needs_camera: bool, on_device: bool = False, handed_in_ns: int = 0,
    ) -> Frame:
        """
        Return the frame of an image message.

        :param pair: the Image or CompressedImage and its CameraInfo, None when it has none.
        :param settings: what is to be done with the lens.
        :param options: what is asked of the frame.
        :param process_res: the model's own, in pixels; 0 when it takes every image as it is.
        :param needs_camera: whether a frame without intrinsics cannot be served.
        :param on_device: whether the engine takes the distortion out, by ``Frame.lens``.
        :param handed_in_ns: see :class:`Frame`.
        :raises DepthAnythingError: when a message is wrong, or they do not fit together.
        """
        image, info = pair.image, pair.info
        picture = picture_of(image)
        reduction = self._reduction(picture, info, settings, options, process_res)
        intrinsics, maps = None, None
        if info is not None:
            if info.header.frame_id != image.header.frame_id:
                self._reporter.once(
                    'frame_id', f'camera_info is in frame {info.header.frame_id!r}, the image in '
                    f'{image.header.frame_id!r}: the frame of the image is used')
            intrinsics, maps = self._camera(info, *picture.size, settings, reduction)
        if intrinsics is None:
            if needs_camera:
                raise InvalidIntrinsics(f'camera_info is not calibrated (K[0] is 0); {NO_FOCAL}')
            if settings.camera.rectify:
                self._reporter.once(
                    'uncalibrated', 'camera.rectify has no effect: there is no calibrated '
                    'camera_info')
        rgb = picture.rgb(reduction)
        seen = None
        if maps is not None:
            seen = None if maps.inside.all() else maps.inside
            if not on_device:
                rgb, maps = maps.rectify(rgb), None
        if intrinsics is not None and intrinsics.size != rgb.shape[1::-1]:
            intrinsics = intrinsics.resized(rgb.shape[1], rgb.shape[0])
        return Frame(
            rgb, stamp_ns(image.header.stamp), image.header.frame_id, intrinsics, seen=seen,
            handed_in_ns=handed_in_ns, lens=maps)

    @staticmethod
    def _reduction(
        picture: Picture, info: Any, settings: Settings, options: FrameOptions, process_res: int,
    ) -> int:
        """Return how many times smaller the picture may be made without anybody seeing it."""
        worth = picture.shrinks or settings.camera.rectify
        if not worth or options.output_size is not OutputSize.MODEL or not process_res:
            return 1
        if options.focal_length > 0 and (info is None or info.k[0] == 0):
            return 1  # one that is given in pixels belongs to the whole image
        return affordable_reduction(
            *picture.size, options.process_res or process_res, options.process_res_method)

    def _camera(
        self, info: Any, width: int, height: int, settings: Settings, reduction: int,
    ) -> tuple[Intrinsics | None, Rectification | None]:
        """Return the camera of the frame, and how the image, reduced, becomes its own."""
        geometry = settings.camera.image_geometry
        rectified = None if geometry == 'auto' else geometry == 'rectified'
        if rectified is None and self._called_rectified:
            rectified = True
            if self._says(info, is_distorted):
                self._reporter.once(
                    'named', f'{self._image_topic} is taken for rectified because of its name: P '
                    'describes it and D is ignored (camera.image_geometry says otherwise)')
        if settings.camera.rectify and not rectified:
            # Checks the sizes too.
            if self._says(info, intrinsics_of, width, height, rectified=False) is None:
                return None, None
            maps = self._rectification(info, reduction)
            self.lens = 'rectified by this node'
            if maps is not None:
                return maps.intrinsics, maps
            rectified = True
        elif rectified:
            self.lens = 'the image is rectified'
        elif self._says(info, is_distorted):
            self.lens = 'distorted, not rectified'
            self._reporter.once(
                'distortion', 'the camera has lens distortion (D is not zero), so points away '
                'from the middle are off: set camera.rectify to take it out, remap image to a '
                'rectified topic (image_rect), or, if the image is rectified already, set '
                'camera.image_geometry to rectified')
        else:
            self.lens = 'no distortion'
        return self._says(info, intrinsics_of, width, height, rectified=rectified), None

    def _says(self, info: Any, question: Callable[..., Value], *about: Any, **more: Any) -> Value:
        """Return what a CameraInfo says, asked once: its reader hands out one that stays equal."""
        said = self._said  # another thread may set it meanwhile
        if said[0] is not info:
            said = self._said = info, {}
        answers, key = said[1], (question, about, *more.values())
        if key not in answers:
            answers[key] = question(info, *about, **more)
        answer: Value = answers[key]
        return answer

    def _rectification(self, info: Any, reduction: int) -> Rectification | None:
        """Return the maps, made anew only when the camera changed."""
        key = content_of(info), reduction
        maps = self._maps
        if maps is None or maps[0] != key:
            maps = self._maps = key, rectification_of(info, reduction)
        return maps[1]
