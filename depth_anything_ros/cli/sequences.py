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

"""The pictures of a folder, or the frames of a video, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

from depth_anything_ros.cli.picture import read_rgb
from depth_anything_ros.errors import ConfigError, InvalidImage
import numpy as np
import numpy.typing as npt

RGB = npt.NDArray[np.uint8]

PICTURES = ('.bmp', '.jpeg', '.jpg', '.png', '.ppm', '.tif', '.tiff', '.webp')
VIDEOS = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm')


@dataclass(frozen=True)
class Sequence:
    """
    Pictures in order.

    ``count`` is how many there are, as far as it is known before; ``read`` yields the name of
    each, without an ending, and a function that returns its pixels, uint8 (H, W, 3) RGB.
    """

    count: int
    read: Callable[[], Iterator[tuple[str, Callable[[], RGB]]]]


def sequence_of(path: Path, every: int = 1) -> Sequence | None:
    """
    Return what a folder or a video holds, None for anything else.

    :param path: a folder with pictures, or a video file.
    :param every: take one picture of so many.
    :raises ConfigError: when there is nothing to take.
    """
    if every < 1:
        raise ConfigError(f'one picture of {every} cannot be taken; accepted: 1 or more')
    if path.is_dir():
        return folder(path, every)
    if path.is_file() and path.suffix.lower() in VIDEOS:
        return video(path, every)
    return None


def folder(path: Path, every: int) -> Sequence:
    """Return the pictures of a folder by name."""
    found = sorted(item for item in path.iterdir()
                   if item.is_file() and item.suffix.lower() in PICTURES)[::every]
    if not found:
        raise ConfigError(f'no picture in {path}; known endings: {", ".join(PICTURES)}')
    stems = [item.stem for item in found]

    def read() -> Iterator[tuple[str, Callable[[], RGB]]]:
        for item in found:
            # left.jpg beside left.png: both keep their ending, or one would replace the other.
            name = item.stem if stems.count(item.stem) == 1 else item.name
            yield name, lambda item=item: read_rgb(item)  # type: ignore[misc]
    return Sequence(len(found), read)


def video(path: Path, every: int) -> Sequence:
    """Return the frames of a video, named by their number."""
    import cv2
    stream = cv2.VideoCapture(str(path))
    frames = int(stream.get(cv2.CAP_PROP_FRAME_COUNT))
    opened = stream.isOpened()
    stream.release()
    if not opened:
        raise InvalidImage(f'{path} is not a video that OpenCV can read')

    def read() -> Iterator[tuple[str, Callable[[], RGB]]]:
        stream = cv2.VideoCapture(str(path))
        try:
            number = 0
            while stream.grab():
                if number % every == 0:
                    there, picture = stream.retrieve()
                    if there:
                        rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
                        yield f'frame_{number:06d}', lambda rgb=rgb: rgb  # type: ignore[misc]
                number += 1
        finally:
            stream.release()
    return Sequence(-(-max(0, frames) // every), read)
