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

"""Where the demo camera's pictures come from: a ray-cast room, files, or a real camera."""

from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
from typing import Callable, Iterator, Protocol

import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.ros.demo_settings import DemoCameraSettings
from depth_anything_ros.scenes import camera_path, demo_rooms, render
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
ROOM_SIZE = (640, 480)
ROOM_FOV_DEG = 70.0
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Shot:
    """
    One picture: ``rgb`` (H, W, 3) uint8 and, where they are known, what belongs to it.

    ``depth`` is (H, W) float32, the exact depth in metres; ``camera_to_world`` (4, 4) float64.
    """

    rgb: Picture
    intrinsics: Intrinsics | None
    depth: npt.NDArray[np.float32] | None = None
    camera_to_world: npt.NDArray[np.float64] | None = None


class Source(Protocol):
    """Gives one picture after another."""

    live: bool
    """Whether a picture is taken when it is read, and not made for a stamp."""

    def read(self, stamp_ns: int) -> Shot | None:
        """Return the picture of a moment (nanoseconds), None when there are no more."""
        ...


def open_source(settings: DemoCameraSettings) -> Source:
    """
    Open what the settings name.

    :raises ConfigError: when it is not there or cannot be read; the text says what is accepted.
    """
    return SOURCES[settings.source](settings)


class Camera:
    """Size and field of view that the settings ask for, applied to pictures of any size."""

    def __init__(self, settings: DemoCameraSettings) -> None:
        """Remember what is asked for."""
        self._settings = settings

    def shot(self, bgr: Picture) -> Shot:
        """Return a picture of OpenCV's as RGB in the wanted size, with its camera."""
        height, width = bgr.shape[:2]
        size = wanted_size(self._settings, width, height)
        if size != (width, height):
            shrink = size[0] < width
            bgr = np.asarray(cv2.resize(
                bgr, size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR),
                np.uint8)
        rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        fov = self._settings.fov_deg
        return Shot(rgb, Intrinsics.from_fov(fov, *size) if fov else None)


def wanted_size(settings: DemoCameraSettings, width: int, height: int) -> tuple[int, int]:
    """Return (width, height) as asked for; where one of them is given, the shape is kept."""
    asked = settings.width, settings.height
    if not any(asked):
        return width, height
    return (asked[0] or max(1, round(width * asked[1] / height)),
            asked[1] or max(1, round(height * asked[0] / width)))


class RoomSource:
    """
    A robot's drive through a ray-cast room.

    The pose is that of ``camera_path`` at the stamp in seconds, so anybody can compute the exact
    depth of any image again.
    """

    live = False

    def __init__(self, settings: DemoCameraSettings) -> None:
        """Build the room."""
        self._room = demo_rooms()[settings.room]
        self.intrinsics = Intrinsics.from_fov(
            settings.fov_deg or ROOM_FOV_DEG, *wanted_size(settings, *ROOM_SIZE))

    def read(self, stamp_ns: int) -> Shot:
        """Render the view of a moment."""
        pose = camera_path(self._room, stamp_ns / NANOSECONDS)
        view = render(self._room, pose, self.intrinsics)
        return Shot(view.rgb, self.intrinsics, view.depth, pose)


class ImageSource:
    """The same still picture again and again."""

    live = False

    def __init__(self, settings: DemoCameraSettings) -> None:
        """Read the picture."""
        self._shot = Camera(settings).shot(read_picture(Path(settings.path)))

    def read(self, stamp_ns: int) -> Shot:
        """Return the picture."""
        return self._shot


class FolderSource:
    """The pictures of a folder in the order of their names."""

    live = False

    def __init__(self, settings: DemoCameraSettings) -> None:
        """List the pictures."""
        folder = Path(settings.path)
        if not folder.is_dir():
            raise ConfigError(f'no such folder: {folder}')
        self._paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
        if not self._paths:
            raise ConfigError(f'{folder} holds no pictures ({", ".join(PICTURES)})')
        self._camera, self._loop = Camera(settings), settings.loop
        self._names = self._order()

    def _order(self) -> Iterator[Path]:
        while True:
            yield from self._paths
            if not self._loop:
                return

    def read(self, stamp_ns: int) -> Shot | None:
        """Return the next picture."""
        path = next(self._names, None)
        return None if path is None else self._camera.shot(read_picture(path))


class VideoSource:
    """A video file in its own time: at a lower rate, frames are left out."""

    live = False

    def __init__(self, settings: DemoCameraSettings) -> None:
        """Open the file."""
        path = Path(settings.path)
        if not path.is_file():
            raise ConfigError(f'no such video: {path}')
        self._camera, self._loop = Camera(settings), settings.loop
        self._capture = cv2.VideoCapture(str(path))
        self._picture = self._next()
        if self._picture is None:
            raise ConfigError(f'{path} is not a video that OpenCV can read (accepted: MP4, AVI, '
                              'MKV and what else its FFmpeg knows)')
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._step = (fps if math.isfinite(fps) and fps > 0 else settings.rate) / settings.rate
        self._due = 0.0

    def _next(self) -> Picture | None:
        there, picture = self._capture.read()
        return np.asarray(picture, np.uint8) if there else None

    def read(self, stamp_ns: int) -> Shot | None:
        """Return the picture that is due."""
        shot = None if self._picture is None else self._camera.shot(self._picture)
        self._due += self._step
        while self._due >= 1 and self._picture is not None:
            self._due -= 1
            self._picture = self._next()
            if self._picture is None and self._loop:
                self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
                self._picture = self._next()
        return shot


class DeviceSource:
    """A camera of this machine, by Video for Linux."""

    live = True

    def __init__(self, settings: DemoCameraSettings) -> None:
        """Open the device at the wanted size and rate, or the nearest that it has."""
        if not Path(settings.path).is_char_device():
            here = ', '.join(sorted(str(p) for p in Path('/dev').glob('video*'))) or 'none'
            raise ConfigError(f'{settings.path} is not a camera device; here: {here}')
        self._path, self._camera = settings.path, Camera(settings)
        self._capture = cv2.VideoCapture(settings.path, cv2.CAP_V4L2)
        for name, value in ((cv2.CAP_PROP_FRAME_WIDTH, settings.width),
                            (cv2.CAP_PROP_FRAME_HEIGHT, settings.height),
                            (cv2.CAP_PROP_FPS, settings.rate),
                            # An old picture in a buffer is no measurement of now.
                            (cv2.CAP_PROP_BUFFERSIZE, 1)):
            if value:
                self._capture.set(name, value)
        if not self._capture.isOpened():
            raise ConfigError(f'{settings.path} cannot be opened: is another program using it, '
                              'and may this user read it (group video)?')

    def read(self, stamp_ns: int) -> Shot | None:
        """Return the next picture, None when the camera is gone."""
        there, picture = self._capture.read()
        return self._camera.shot(np.asarray(picture, np.uint8)) if there else None


SOURCES: dict[str, Callable[[DemoCameraSettings], Source]] = {
    'room': RoomSource, 'image': ImageSource, 'video': VideoSource, 'folder': FolderSource,
    'v4l': DeviceSource}


def read_picture(path: Path) -> Picture:
    """
    Return a picture as (H, W, 3) uint8 BGR, turned as its EXIF orientation says.

    :raises ConfigError: when it is not there or OpenCV cannot read it.
    """
    if not path.is_file():
        raise ConfigError(f'no such picture: {path}')
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConfigError(f'{path} is not a picture that OpenCV can read '
                          f'({", ".join(PICTURES)})')
    return np.asarray(picture, np.uint8)
