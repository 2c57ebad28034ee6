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

"""Images of requests: every accepted form, the same pixels, and clear refusals."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any
import zlib

from depth_anything_ros.core.image_guards import essential_png
from depth_anything_ros.core.image_size import encoded_size
from depth_anything_ros.errors import InvalidImage, PayloadTooLarge, UnsupportedEncoding
from depth_anything_ros.wire.images import decode_image
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.pillow import PillowImage
from golden_values import pattern
import numpy as np
from PIL import Image
import pytest

COLOUR = pattern((40, 60, 3), 'uint8')
SMOOTH = (np.indices((40, 60)).sum(axis=0)[..., None] * [1, 2, 1] + [20, 0, 90]).astype(np.uint8)


def encoded(array: Any, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


FILES: dict[str, bytes] = {
    'png': encoded(COLOUR, 'PNG'),
    'png grey': encoded(COLOUR[..., 0], 'PNG'),
    'png rgba': encoded(pattern((40, 60, 4), 'uint8'), 'PNG'),
    'webp': encoded(COLOUR, 'WEBP', lossless=True),
    'webp rgba': encoded(pattern((40, 60, 4), 'uint8'), 'WEBP', lossless=True, exact=True),
    'webp lossy': encoded(SMOOTH, 'WEBP', quality=95),
    'webp with metadata': encoded(COLOUR, 'WEBP', lossless=True, xmp=b'<x/>'),
    'jpeg': encoded(SMOOTH, 'JPEG', quality=95, subsampling=0),
    'jpeg progressive': encoded(SMOOTH, 'JPEG', quality=95, subsampling=0, progressive=True),
    'jpeg grey': encoded(SMOOTH[..., 0], 'JPEG', quality=95),
    'jpeg with comment': encoded(SMOOTH, 'JPEG', quality=95, comment=b'\xff\xd9' * 20),
}


@pytest.mark.parametrize(('array', 'expected'), [
    (COLOUR, COLOUR), (COLOUR[..., 0], np.dstack([COLOUR[..., 0]] * 3)),
    (COLOUR[..., :1], np.dstack([COLOUR[..., 0]] * 3)),
    (pattern((4, 5, 4), 'uint8'), pattern((4, 5, 4), 'uint8')[..., :3]),
    (COLOUR[:, ::-1, ::-1], COLOUR[:, ::-1, ::-1]), (np.asfortranarray(COLOUR), COLOUR),
], ids=['rgb', 'grey', 'one channel', 'rgba', 'mirrored', 'fortran'])
def test_arrays_become_rgb(array: Any, expected: Any) -> None:
    rgb = decode_image(array)
    np.testing.assert_array_equal(rgb, expected)
    assert rgb.dtype == np.uint8 and rgb.flags.c_contiguous


def test_an_rgb_array_is_not_copied() -> None:
    assert np.shares_memory(decode_image(COLOUR), COLOUR)


def test_a_pillow_image_becomes_rgb() -> None:
    image = PillowImage('RGB', 60, 40, memoryview(COLOUR.tobytes()))
    np.testing.assert_array_equal(decode_image(image), COLOUR)


def test_a_colour_beyond_the_palette_is_refused() -> None:
    image = PillowImage('P', 2, 1, memoryview(b'\x00\x02'), bytes(6))
    with pytest.raises(InvalidImage, match='colour 2 of a palette of 2'):
        decode_image(image)


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview])
def test_a_file_becomes_what_pillow_makes_of_it(name: str, kind: Any) -> None:
    data = FILES[name]
    assert encoded_size(memoryview(data))[1:3] == (60, 40)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert('RGB')).astype(int)
    difference = np.abs(decode_image(kind(data)).astype(int) - expected)
    # Lossless files are equal; decoders of JPEG and lossy WebP may differ by rounding.
    assert difference.max() <= (6 if 'jpeg' in name or 'lossy' in name else 0)


def test_exif_orientation_is_followed_on_request_only() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(SMOOTH, 'JPEG', quality=95, subsampling=0, exif=exif)
    stored, turned = decode_image(data), decode_image(data, exif_orient=True)
    assert stored.shape == (40, 60, 3) and turned.shape == (60, 40, 3)
    np.testing.assert_array_equal(turned, np.rot90(stored, -1))


@pytest.mark.parametrize('image', [
    COLOUR.astype(np.float64), COLOUR.astype(np.int8), COLOUR[..., :2], COLOUR[None],
    np.zeros(5, np.uint8), np.zeros((0, 5, 3), np.uint8), np.zeros((5, 0), np.uint8),
    np.array(1, np.uint8), 'photo.jpg', None, 5, [[1]], {}])
def test_other_things_are_refused_by_name(image: Any) -> None:
    with pytest.raises(InvalidImage) as caught:
        decode_image(image)
    assert len(str(caught.value)) < 300
    if isinstance(image, np.ndarray) and image.size:
        assert f'{image.dtype} {image.shape}' in str(caught.value)


@pytest.mark.parametrize('data', [
    b'', b'\x00' * 40, encoded(COLOUR, 'BMP'), encoded(COLOUR, 'TIFF'), encoded(COLOUR, 'GIF'),
    b'\x76\x2f\x31\x01' + bytes(100), b'P6 1 1 255 abc', b'RIFF\x00\x00\x00\x00AVI '])
def test_other_formats_are_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedEncoding, match='accepted: JPEG, PNG, WebP'):
        decode_image(data)


@pytest.mark.parametrize('name', FILES)
def test_a_file_cut_off_anywhere_is_never_half_an_image(name: str) -> None:
    data = FILES[name]
    whole = decode_image(data)
    step = max(1, len(data) // 150)
    for size in [*range(0, 64), *range(64, len(data), step), len(data) - 1]:
        try:
            seen = decode_image(data[:size])
        except (InvalidImage, UnsupportedEncoding):
            continue
        np.testing.assert_array_equal(seen, whole, err_msg=f'{name} cut off at {size}')


@pytest.mark.parametrize('name', ['jpeg', 'jpeg progressive', 'jpeg with comment'])
def test_a_jpeg_cut_off_in_its_pixels_never_reaches_the_decoder(name: str) -> None:
    data = FILES[name]
    start = data.index(b'\xff\xda') + 20
    for size in range(start, len(data)):
        with pytest.raises(InvalidImage, match='cut off'):
            decode_image(data[:size])


@pytest.mark.parametrize('name', FILES)
def test_a_damaged_file_is_decoded_or_refused(name: str) -> None:
    data = bytearray(FILES[name])
    for index in range(0, min(len(data), 700), 3):
        kept = data[index]
        data[index] ^= 0xFF
        try:
            assert decode_image(bytes(data), Limits(pixels=100_000)).dtype == np.uint8
        except (InvalidImage, UnsupportedEncoding, PayloadTooLarge):
            pass
        data[index] = kept


def chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data).to_bytes(4, 'big')
    return len(data).to_bytes(4, 'big') + kind + data + checksum


def test_a_png_chunk_of_4_gb_is_refused_before_the_decoder_sees_it() -> None:
    data = bytearray(FILES['png'])
    data[33] = 0xFF
    with pytest.raises(InvalidImage, match='chunk at byte 33 ends beyond'):
        decode_image(bytes(data))


def test_text_profiles_and_animation_of_a_png_never_reach_the_decoder() -> None:
    data = FILES['png']
    bomb = chunk(b'zTXt', b'a\0\0' + zlib.compress(bytes(10**7)))
    frames = chunk(b'acTL', b'\xff' * 8)
    with_extras = data[:33] + frames + bomb + chunk(b'iCCP', bytes(50)) + data[33:]
    assert essential_png(with_extras, keep_exif=False) == data
    np.testing.assert_array_equal(decode_image(with_extras), COLOUR)


def test_a_png_of_endless_chunks_is_refused() -> None:
    data = FILES['png']
    with pytest.raises(InvalidImage, match='more than 65536 chunks'):
        decode_image(data[:33] + chunk(b'tEXt', b'') * 70_000 + data[33:])


def test_a_jpeg_of_many_scans_is_refused() -> None:
    data = FILES['jpeg progressive']
    last = data.rindex(b'\xff\xda')
    scan = data[last:-2]
    with pytest.raises(InvalidImage, match='scans; accepted: at most 64'):
        decode_image(data[:last] + scan * 60 + data[-2:])


def huge_files() -> dict[str, bytes]:
    side = (60_000).to_bytes(4, 'big')
    pixels = zlib.compress(bytes(1000))
    jpeg = FILES['jpeg']
    at = jpeg.index(b'\xff\xc0')
    return {
        'png': b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', side * 2 + b'\x08\x02\0\0\0')
        + chunk(b'IDAT', pixels) + chunk(b'IEND', b''),
        'jpeg': jpeg[:at + 5] + b'\xff\xff\xff\xff' + jpeg[at + 9:],
        'webp': b'RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0' + b'\xff' * 6,
        'webp lossless': b'RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f' + b'\xff' * 9}


@pytest.mark.parametrize('name', huge_files())
def test_too_many_pixels_are_refused_from_the_header(name: str) -> None:
    data = huge_files()[name]
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLarge, match='at most 50000000 pixels'):
            decode_image(data)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize('image', [
    COLOUR, COLOUR[..., 0], PillowImage('RGB', 60, 40, memoryview(COLOUR.tobytes())),
    FILES['png'], FILES['jpeg'], FILES['webp']])
def test_the_pixel_limit_holds_for_every_form(image: Any) -> None:
    assert decode_image(image, Limits(pixels=2400)).shape == (40, 60, 3)
    with pytest.raises(PayloadTooLarge, match='60x40'):
        decode_image(image, Limits(pixels=2399))


@pytest.mark.parametrize('header', [
    b'\xff\xd8\xff\xd8', b'\xff\xd8\xff\xd9' + bytes(9), b'\xff\xd8\xff\xda\x00\x04\x00\x00',
    b'\xff\xd8\xff\xe0\x00\x00' * 3, b'\xff\xd8\xff\xe0\x00\x04abcdef', b'\xff\xd8' + b'\xff' * 90,
    b'\x89PNG\r\n\x1a\n' + chunk(b'IDAT', bytes(20)),
    b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', bytes(8) + b'\x08\x02\0\0\0'),
    b'RIFF\x00\x00\x00\x00WEBPABCD' + bytes(30), b'RIFF\x00\x00\x00\x00WEBPVP8 ' + bytes(30)])
def test_broken_headers_are_refused(header: bytes) -> None:
    with pytest.raises(InvalidImage):
        decode_image(header)
