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

"""Frames of a video that are worth a reconstruction: apart in viewpoint, and sharp."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

import cv2
from depth_anything_ros.errors import ConfigError, InvalidImage
import numpy as np
import numpy.typing as npt

WIDTH = 320
"""Pixels across at which frames are compared."""

FEATURES = 120

STILL = 0.25
"""Median motion in pixels between two frames below which the camera stands still."""


def chosen(
    sharpness: Sequence[float], motion: Sequence[float], count: int,
) -> list[int]:
    """
    Return the numbers of the frames to take, rising: the sharpest of each of equal ways.

    The way of the camera is the sum of the motion between frames. It is cut into ``count`` equal
    parts, so that a pause gives one frame and a fast turn gives many; a camera that never moves
    gives frames that are equally far apart in time.

    :param sharpness: of each frame, higher is sharper.
    :param motion: of each frame since the one before, pixels.
    :param count: frames wanted, at least 1.
    """
    frames = len(sharpness)
    if count >= frames:
        return list(range(frames))
    way = np.cumsum(np.where(np.asarray(motion) >= STILL, motion, 0.0))
    if way[-1] <= 0:
        way = np.arange(frames, dtype=np.float64)
    part = np.minimum((way * count / way[-1]).astype(int), count - 1)
    best: dict[int, int] = {}
    for index, where in enumerate(part):
        if where not in best or sharpness[index] > sharpness[best[where]]:
            best[where] = index
    return sorted(best.values())


def measure(path: Path) -> tuple[list[float], list[float]]:
    """
    Return sharpness and motion of all frames of a video, looked at small and one by one.

    Sharpness is the variance of the Laplacian, motion the median length of the optical flow at
    corners (pyramidal Lucas-Kanade), in pixels at ``WIDTH``.

    :raises InvalidImage: when OpenCV cannot read the video.
    """
    stream = cv2.VideoCapture(str(path))
    if not stream.isOpened():
        raise InvalidImage(f'{path} is not a video that OpenCV can read')
    sharpness: list[float] = []
    motion: list[float] = []
    before: npt.NDArray[np.uint8] | None = None
    try:
        while True:
            there, picture = stream.read()
            if not there:
                return sharpness, motion
            grey = small_grey(picture)
            sharpness.append(float(cv2.Laplacian(grey, cv2.CV_32F).var()))
            motion.append(0.0 if before is None else flow(before, grey))
            before = grey
    finally:
        stream.release()


def small_grey(bgr: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a frame in grey, ``WIDTH`` across."""
    height, width = bgr.shape[:2]
    size = (WIDTH, max(1, round(height * WIDTH / width)))
    return np.asarray(cv2.cvtColor(
        cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY), np.uint8)


def flow(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]) -> float:
    """Return how far corners have moved, in pixels; 0 where there are none to follow."""
    corners = cv2.goodFeaturesToTrack(before, FEATURES, 0.01, 8)
    if corners is None:
        return 0.0
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None)
    steps = np.linalg.norm((moved - corners).reshape(-1, 2), axis=1)[found.ravel() == 1]
    return float(np.median(steps)) if len(steps) else 0.0


def video_views(path: Path, count: int) -> list[tuple[str, bytes]]:
    """
    Return the best frames of a video for a reconstruction, as PNG files with names.

    :param path: the video.
    :param count: at most so many.
    :raises ConfigError: when none are asked for.
    :raises InvalidImage: when it is no video, or has no frame.
    """
    if count < 1:
        raise ConfigError(f'--num-frames must be 1 or more, seen {count}')
    wanted = set(chosen(*measure(path), count))
    if not wanted:
        raise InvalidImage(f'{path} has no frame')
    stream = cv2.VideoCapture(str(path))
    views = []
    try:
        for number in range(max(wanted) + 1):
            there, picture = stream.read()
            if there and number in wanted:
                views.append((f'frame_{number:06d}.png',
                              cv2.imencode('.png', picture)[1].tobytes()))
        return views
    finally:
        stream.release()
