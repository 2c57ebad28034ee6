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

"""What the camera saw, the depth of it and its error, side by side with scales."""

from __future__ import annotations

import cv2
from depth_anything_ros.core.preview import colourise
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Depth = npt.NDArray[np.float32]

BACKGROUND = (28, 30, 36)
INK = (226, 228, 232)
PANEL_HEIGHT = 480
GAP, TITLE, BAR, FOOT = 16, 44, 16, 40
"""Pixels between panels and of the title, the colour bar and its numbers."""

FONT = cv2.FONT_HERSHEY_SIMPLEX
LARGEST_ERROR = 0.5
"""Relative error that gets the brightest colour."""

TICKS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0, 40.0, 80.0, 160.0)


def side_by_side(
    rgb: Picture, depth: Depth, truth: Depth | None = None, *, metric: bool = True,
    caption: str = '',
) -> Picture:
    """
    Return camera image, depth and, where the truth is known, relative error in one picture.

    :param rgb: (H, W, 3) uint8.
    :param depth: (H, W) float32, NaN where invalid.
    :param truth: (H, W) float32 metres, or None.
    :param metric: whether the depth is in metres.
    :param caption: what the title of the error panel adds.
    """
    reference = depth if truth is None or not metric else np.concatenate([depth, truth])
    near, far = limits(reference)
    panels = [
        panel('camera image', rgb, None, ()),
        panel('depth' if metric else 'relative depth', colourise(
            depth, nearest=near, farthest=far), *depth_scale(near, far, metric))]
    if truth is not None and metric:
        error = np.abs(depth - truth) / truth
        panels.append(panel(f'error{caption}', error_colours(error), *error_scale()))
    gap = np.full((panels[0].shape[0], GAP, 3), BACKGROUND, np.uint8)
    row = [gap]
    for item in panels:
        row += [item, gap]
    return np.hstack(row)


def limits(depth: Depth) -> tuple[float, float]:
    """Return the depths of the warmest and the coldest colour."""
    valid = depth[np.isfinite(depth)]
    if valid.size == 0:
        return 1.0, 2.0
    low, high = np.percentile(valid, (1, 99))
    return float(low), float(max(high, low * 1.001))


def panel(
    title: str, pixels: Picture, bar: Picture | None, ticks: tuple[tuple[float, str], ...],
) -> Picture:
    """
    Return a picture with a title above and a colour bar below.

    :param title: text.
    :param pixels: (H, W, 3) uint8.
    :param bar: (1, N, 3) uint8, or None.
    :param ticks: place from 0 (left) to 1 (right) and text of each number at the bar.
    """
    height, width = pixels.shape[:2]
    wide = max(1, round(width * PANEL_HEIGHT / height))
    method = cv2.INTER_AREA if height > PANEL_HEIGHT else cv2.INTER_CUBIC
    canvas = np.empty((TITLE + PANEL_HEIGHT + 8 + BAR + FOOT, wide, 3), np.uint8)
    canvas[:] = BACKGROUND
    canvas[TITLE:TITLE + PANEL_HEIGHT] = cv2.resize(
        pixels, (wide, PANEL_HEIGHT), interpolation=method)
    write(canvas, title, (0, TITLE - 14), 0.75)
    if bar is not None:
        top = TITLE + PANEL_HEIGHT + 8
        canvas[top:top + BAR] = cv2.resize(bar, (wide, BAR), interpolation=cv2.INTER_LINEAR)
        free = 0
        for place, text in ticks:
            size, _ = cv2.getTextSize(text, FONT, 0.6, 1)
            x = int(np.clip(place * wide - size[0] / 2, 0, wide - size[0]))
            if x < free:
                continue
            free = x + size[0] + 14
            mark = int(np.clip(place * wide, 0, wide - 2))
            canvas[top + BAR:top + BAR + 5, mark:mark + 2] = INK
            write(canvas, text, (x, top + BAR + 26), 0.6)
    return canvas


def write(canvas: Picture, text: str, place: tuple[int, int], scale: float) -> None:
    """Write a line of text."""
    cv2.putText(canvas, text, place, FONT, scale, INK, 1, cv2.LINE_AA)


def depth_scale(
    near: float, far: float, metric: bool,
) -> tuple[Picture, tuple[tuple[float, str], ...]]:
    """Return the colour bar of ``colourise``, which is even in 1 / depth, and its numbers."""
    inverse = np.linspace(1 / near, 1 / far, 256)
    bar = colourise((1 / inverse)[None].astype(np.float32), nearest=near, farthest=far)
    if not metric:
        return bar, ((0.0, 'near'), (1.0, 'far (no unit)'))
    inside = [value for value in TICKS if near <= value <= far]
    return bar, tuple(
        ((1 / near - 1 / value) / (1 / near - 1 / far), f'{value:g} m') for value in inside)


def error_colours(error: Depth) -> Picture:
    """Return relative errors in colours, (H, W, 3) uint8; invalid is black."""
    levels = (np.clip(np.nan_to_num(error), 0, LARGEST_ERROR) / LARGEST_ERROR * 255)
    bgr = cv2.applyColorMap(levels.astype(np.uint8), cv2.COLORMAP_INFERNO)
    rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    rgb[~np.isfinite(error)] = 0
    return rgb


def error_scale() -> tuple[Picture, tuple[tuple[float, str], ...]]:
    """Return the colour bar of the errors and its numbers."""
    bar = error_colours(np.linspace(0, LARGEST_ERROR, 256, dtype=np.float32)[None])
    marks = np.linspace(0, 1, 6)
    return bar, tuple((float(mark), f'{100 * LARGEST_ERROR * mark:.0f} %') for mark in marks)
