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

"""From records to a frame: pixels, camera, stamp and name of the optical frame."""

from __future__ import annotations

from typing import Any, Protocol

from depth_anything_ros.bags.library import COMPRESSED_IMAGE
from depth_anything_ros.bags.notes import Notes
from depth_anything_ros.bags.pairing import Pair
from depth_anything_ros.bags.records import NANOSECONDS
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.camera_info import called_rectified, intrinsics_of, is_distorted
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.pictures import compressed_to_rgb
from depth_anything_ros.errors import InvalidIntrinsics
import numpy as np
import numpy.typing as npt

NO_FOCAL = (
    'metric depth needs a focal length: name a calibrated topic with --camera-info-topic, or '
    'give --fov (degrees) or --focal (pixels)')


class Decode(Protocol):
    """Turns the bytes of an image message into RGB; see ``to_rgb``."""

    def __call__(
        self, data: npt.NDArray[np.uint8], encoding: str, width: int, height: int, step: int, *,
        big_endian: bool = False,
    ) -> npt.NDArray[np.uint8]:
        """Return (height, width, 3) uint8 RGB."""
        ...


class Frames:
    """Makes frames of records."""

    def __init__(self, decode: Decode, notes: Notes, *, needs_camera: bool) -> None:
        """
        Make the maker.

        :param decode: reads raw images.
        :param notes: is told what a reader must know.
        :param needs_camera: whether a frame without intrinsics cannot be served.
        """
        self._decode = decode
        self._notes = notes
        self._needs_camera = needs_camera

    def frame(self, pair: Pair) -> Frame:
        """
        Return the frame of an image record.

        :param pair: the image and its CameraInfo.
        :raises InvalidRequest: when a record cannot be read, or they do not fit together.
        """
        message = pair.image.message()
        rgb = self._rgb(pair.image.msgtype, message)
        height, width = rgb.shape[:2]
        stamp, name = message.header.stamp, message.header.frame_id
        return Frame(
            rgb, int(stamp.sec) * NANOSECONDS + int(stamp.nanosec), name,
            self._camera(pair, name, width, height))

    def _rgb(self, kind: str, message: Any) -> npt.NDArray[np.uint8]:
        if kind == COMPRESSED_IMAGE:
            return compressed_to_rgb(memoryview(message.data), message.format)
        return self._decode(
            message.data, message.encoding, message.width, message.height, message.step,
            big_endian=bool(message.is_bigendian))

    def _camera(self, pair: Pair, name: str, width: int, height: int) -> Intrinsics | None:
        camera = None
        if pair.info is not None:
            if not pair.exact:
                self._notes.once(
                    'pairing', f'stamps on {pair.info.topic} do not all match those of '
                    f'{pair.image.topic}: where they do not, the newest camera_info is used')
            info = pair.info.message()
            rectified = called_rectified(pair.image.topic)
            camera = intrinsics_of(info, width, height, rectified=rectified or None)
            if info.header.frame_id != name:
                self._notes.once(
                    'frame_id', f'camera_info is in frame {info.header.frame_id!r}, the image in '
                    f'{name!r}: the frame of the image is used')
            if is_distorted(info) and not rectified:
                self._notes.once(
                    'distortion', 'the camera has lens distortion (D is not zero): points away '
                    'from the middle are off; record the rectified images for right ones')
        if camera is None and self._needs_camera:
            seen = 'there is no camera_info' if pair.info is None \
                else 'camera_info is not calibrated (K[0] is 0)'
            raise InvalidIntrinsics(f'{seen}; {NO_FOCAL}')
        return camera
