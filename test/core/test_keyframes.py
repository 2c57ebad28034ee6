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

"""Keyframes: sharp, spread in time, new."""

from __future__ import annotations

import cv2
from depth_anything_ros.core.keyframes import Keyframes, NEWS, sharpness, thumbnail
from depth_anything_ros.errors import InvalidRequest
import numpy as np
import pytest


def picture(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    return cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_NEAREST)


def blurred(image: np.ndarray, size: int) -> np.ndarray:
    return cv2.blur(image, (size, 1))


def test_blur_lowers_sharpness_and_exposure_is_no_news() -> None:
    image = picture(0)
    values = [sharpness(blurred(image, size)) for size in (1, 5, 15, 45)]
    assert values == sorted(values, reverse=True)
    darker = np.clip(image.astype(int) // 2 + 60, 0, 255).astype(np.uint8)
    brighter = np.clip(image // 2 + 90, 0, 255).astype(np.uint8)
    assert np.abs(thumbnail(darker) - thumbnail(brighter)).mean() < NEWS
    assert np.abs(thumbnail(image) - thumbnail(picture(1))).mean() > NEWS


def test_the_sharpest_of_each_slot_is_taken() -> None:
    frames: Keyframes[str] = Keyframes(3, 3.0)
    for slot in range(3):
        for place, size in enumerate((9, 1, 25)):
            frames.offer(blurred(picture(slot), size), f'{slot}:{size}', slot + 0.3 * place)
    assert not frames.full and frames.finish() == ['0:1', '1:1', '2:1'] and frames.full


def test_a_camera_that_stands_still_gives_one() -> None:
    frames: Keyframes[int] = Keyframes(5, 5.0)
    for second in range(5):
        frames.offer(picture(0), second, float(second))
    assert frames.finish() == [0]


def test_slots_without_images_are_passed_over() -> None:
    frames: Keyframes[int] = Keyframes(4, 4.0)
    for when in (10.0, 13.5, 99.0):
        frames.offer(picture(int(when)), int(when), when)
    assert frames.finish() == [10, 13, 99]
    frames.offer(picture(7), 7, 200.0)
    assert len(frames.finish()) == 4
    frames.offer(picture(8), 8, 300.0)
    assert len(frames.finish()) == 4


@pytest.mark.parametrize(('count', 'seconds'), [(0, 1.0), (3, 0.0), (3, float('nan'))])
def test_impossible_wishes_are_refused(count: int, seconds: float) -> None:
    with pytest.raises(InvalidRequest):
        Keyframes(count, seconds)
