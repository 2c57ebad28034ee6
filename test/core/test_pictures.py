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

"""Encoded pictures: whole, at their own size or smaller, in their true colours."""

from __future__ import annotations

import cv2
from depth_anything_ros.core.pictures import (
    check_format,
    compressed_to_rgb,
    decode_picture,
    picture_size,
)
from depth_anything_ros.errors import InvalidImage, PayloadTooLarge, UnsupportedEncoding
import numpy as np
import pytest

HEIGHT, WIDTH = 61, 83
RGB = np.dstack([
    np.broadcast_to(np.linspace(0, 255, WIDTH), (HEIGHT, WIDTH)),
    np.broadcast_to(np.linspace(0, 200, HEIGHT)[:, None], (HEIGHT, WIDTH)),
    np.full((HEIGHT, WIDTH), 40)]).astype(np.uint8)


def encoded(kind: str, rgb: np.ndarray = RGB, *options: int) -> memoryview:
    done, data = cv2.imencode(kind, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    assert done
    return memoryview(data.tobytes())


@pytest.mark.parametrize('factor', [1, 2, 4, 8])
def test_a_jpeg_is_decoded_smaller(factor: int) -> None:
    data = encoded('.jpg', RGB, cv2.IMWRITE_JPEG_QUALITY, 95)
    small = decode_picture(data, picture_size(data), reduction=factor)
    assert small.shape == (-(-HEIGHT // factor), -(-WIDTH // factor), 3)
    whole = np.s_[:HEIGHT // factor, :WIDTH // factor]  # the rest is only partly there
    rows, columns = HEIGHT // factor * factor, WIDTH // factor * factor
    expected = cv2.resize(
        RGB[:rows, :columns], (WIDTH // factor, HEIGHT // factor), interpolation=cv2.INTER_AREA)
    assert np.abs(small[whole].astype(int) - expected).mean() < 2


def test_a_png_stays_as_it_is() -> None:
    data = encoded('.png')
    assert np.array_equal(decode_picture(data, picture_size(data), reduction=4), RGB)


@pytest.mark.parametrize('name', ['png', 'rgb8; png compressed bgr8', 'bgr8; png compressed bgr8',
                                  'mono8; png compressed ', ''])
def test_true_colours(name: str) -> None:
    assert np.array_equal(compressed_to_rgb(encoded('.png'), name), RGB)


def test_exchanged_colours_are_exchanged_back() -> None:
    data = encoded('.png', RGB[..., ::-1])
    assert np.array_equal(compressed_to_rgb(data, 'rgb8; png compressed rgb8'), RGB)


@pytest.mark.parametrize('name', [
    '16UC1; compressedDepth', '16UC1; png compressed ', '32FC1; png compressed',
    'bayer_rggb8; png compressed bayer_rggb8', '16UC1; compressedDepth png'])
def test_what_is_no_picture_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedEncoding, match='accepted: colour or grey'):
        check_format(name)


def test_limits_come_before_the_pixels() -> None:
    with pytest.raises(PayloadTooLarge, match='83x61 pixels; accepted: at most 5000'):
        picture_size(encoded('.jpg'), 5000)


@pytest.mark.parametrize('kind', ['.jpg', '.png'])
@pytest.mark.parametrize('left', [0.3, 0.9])
def test_what_is_cut_off_is_refused(kind: str, left: float) -> None:
    data = encoded(kind)
    with pytest.raises(InvalidImage, match='cut off|ends inside'):
        compressed_to_rgb(data[:int(left * len(data))], kind)
