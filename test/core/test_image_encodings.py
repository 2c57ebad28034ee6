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

import cv2
from depth_anything_ros.core.image_encodings import LAYOUTS, SUPPORTED, to_rgb
from depth_anything_ros.errors import InvalidImage, UnsupportedEncoding
import numpy as np
import pytest

WIDTH, HEIGHT = 20, 12


def picture():
    # Smooth, all three channels different: chroma subsampling and Bayer lose nothing of it.
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    return np.stack([30 + 4 * u, 220 - 5 * v, 120 + u + 2 * v], -1).astype(np.uint8)


def luma_chroma(rgb):
    # ITU-R BT.601, studio range: what OpenCV and cameras mean by YUV 4:2:2 and 4:2:0 in 8 bits.
    r, g, b = (rgb[..., i].astype(np.float64) for i in range(3))
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    u = 128 - 0.148 * r - 0.291 * g + 0.439 * b
    v = 128 + 0.439 * r - 0.368 * g - 0.071 * b
    return (np.rint(channel).astype(np.uint8) for channel in (y, u, v))


def grey(rgb):
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def packed(rgb, order):
    y, u, v = luma_chroma(rgb)
    rows = np.empty((HEIGHT, WIDTH // 2, 4), np.uint8)
    for index, name in enumerate(order):
        rows[..., index] = {'y': y[:, 0::2], 'Y': y[:, 1::2], 'u': u[:, ::2], 'v': v[:, ::2]}[name]
    return rows.reshape(HEIGHT, -1)


def planar(rgb, order):
    y, u, v = luma_chroma(rgb)
    chroma = np.stack([{'u': u, 'v': v}[name][::2, ::2] for name in order], -1)
    return np.vstack([y, chroma.reshape(HEIGHT // 2, WIDTH)])


def mosaic(rgb, order):
    rows = np.empty((HEIGHT, WIDTH), np.uint8)
    for index, name in enumerate(order):
        y, x = divmod(index, 2)
        rows[y::2, x::2] = rgb[y::2, x::2, 'rgb'.index(name)]
    return rows


def mono16(rgb, kind):
    return (grey(rgb).astype(np.uint16) * 257).astype(kind).view(np.uint8)


ROWS = {
    'rgb8': lambda rgb: rgb.reshape(HEIGHT, -1),
    'bgr8': lambda rgb: rgb[..., ::-1].reshape(HEIGHT, -1),
    'rgba8': lambda rgb: np.dstack([rgb, rgb[..., :1]]).reshape(HEIGHT, -1),
    'bgra8': lambda rgb: np.dstack([rgb[..., ::-1], rgb[..., :1]]).reshape(HEIGHT, -1),
    'mono8': grey,
    'mono16': lambda rgb: mono16(rgb, '<u2'),
    'yuv422': lambda rgb: packed(rgb, 'uyvY'),
    'uyvy': lambda rgb: packed(rgb, 'uyvY'),
    'yuv422_yuy2': lambda rgb: packed(rgb, 'yuYv'),
    'yuyv': lambda rgb: packed(rgb, 'yuYv'),
    'nv12': lambda rgb: planar(rgb, 'uv'),
    'nv21': lambda rgb: planar(rgb, 'vu'),
    'bayer_rggb8': lambda rgb: mosaic(rgb, 'rggb'),
    'bayer_bggr8': lambda rgb: mosaic(rgb, 'bggr'),
    'bayer_gbrg8': lambda rgb: mosaic(rgb, 'gbrg'),
    'bayer_grbg8': lambda rgb: mosaic(rgb, 'grbg'),
}
EXACT = ('rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'mono16')


def expected(encoding):
    rgb = picture()
    return np.dstack([grey(rgb)] * 3) if encoding.startswith('mono') else rgb


def message(encoding, padding=0):
    rows = np.ascontiguousarray(ROWS[encoding](picture()))
    wide = np.full((rows.shape[0], rows.shape[1] + padding), 255, np.uint8)
    wide[:, :rows.shape[1]] = rows
    return wide.reshape(-1), wide.shape[1]


def test_every_encoding_has_a_reference():
    assert set(ROWS) == set(SUPPORTED)


@pytest.mark.parametrize('padding', [0, 1, 7, 16])
@pytest.mark.parametrize('encoding', ROWS)
def test_pictures_come_back(encoding, padding):
    data, step = message(encoding, padding)
    rgb = to_rgb(data, encoding, WIDTH, HEIGHT, step)
    assert rgb.shape == (HEIGHT, WIDTH, 3) and rgb.dtype == np.uint8
    # The interpolating ones have nothing to interpolate from at the border.
    inner = np.s_[2:-2, 2:-2]
    error = np.abs(rgb.astype(int) - expected(encoding))[inner]
    assert error.max() <= (0 if encoding in EXACT else 8)


def test_big_endian_mono16():
    data = mono16(picture(), '>u2').reshape(-1)
    rgb = to_rgb(data, 'mono16', WIDTH, HEIGHT, 2 * WIDTH, big_endian=True)
    assert np.array_equal(rgb, expected('mono16'))


def test_rgb8_is_a_view():
    data, step = message('rgb8', padding=5)
    rgb = to_rgb(data, 'rgb8', WIDTH, HEIGHT, step)
    assert np.shares_memory(rgb, data)


@pytest.mark.parametrize('encoding', LAYOUTS)
def test_truncated_data_says_the_numbers(encoding):
    data, step = message(encoding, padding=3)
    with pytest.raises(InvalidImage, match=f'{data.size - 1} bytes.*{data.size}'):
        to_rgb(data[:-1], encoding, WIDTH, HEIGHT, step)


@pytest.mark.parametrize('encoding', LAYOUTS)
def test_a_step_that_is_too_small_says_the_numbers(encoding):
    data, step = message(encoding)
    with pytest.raises(InvalidImage, match=f'step is {step - 1} bytes.*at least {step}'):
        to_rgb(data, encoding, WIDTH, HEIGHT, step - 1)


@pytest.mark.parametrize('size', [(0, 4), (4, 0), (0, 0)])
def test_zero_size(size):
    with pytest.raises(InvalidImage, match='0'):
        to_rgb(np.zeros(64, np.uint8), 'rgb8', *size, 12)


def test_odd_sizes_of_paired_pixels():
    with pytest.raises(InvalidImage, match='multiple of 2'):
        to_rgb(np.zeros(1000, np.uint8), 'nv12', 5, 4, 5)


def test_an_unknown_encoding_names_those_we_know():
    with pytest.raises(UnsupportedEncoding, match='32FC1.*rgb8.*bayer_grbg8'):
        to_rgb(np.zeros(64, np.uint8), '32FC1', 4, 4, 16)
