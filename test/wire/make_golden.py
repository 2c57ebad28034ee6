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

"""
Write the pickles that clients send, with the numpy, Pillow and Python that run this script.

Needs numpy and Pillow only, so that it runs in an environment of any age:

    python test/wire/make_golden.py

writes ``numpy-<version>-p<protocol>.pkl`` and ``pillow-<version>-p<protocol>.pkl`` for protocols
2 to 5 into ``golden/`` beside itself. The committed files come from Python 3.11 with numpy 1.24.4
and Pillow 9.5.0, numpy 1.26.4 and Pillow 10.4.0, numpy 2.0.2 and Pillow 11.3.0, numpy 2.4.6 and
Pillow 13.0.0.
"""

from __future__ import annotations

import io
from pathlib import Path
import pickle
from typing import Any

from golden_values import pattern, plain_values
import numpy as np
import PIL
from PIL import Image, PngImagePlugin

GOLDEN = Path(__file__).parent / 'golden'


def reopened(image: Any, kind: str, **options: Any) -> Any:
    """Return the image as a program has it that opened it from a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    opened = Image.open(file)
    opened.load()
    return opened


def pillow_images() -> dict[str, Any]:
    """Return images of every mode and file class that we read."""
    colour = Image.fromarray(pattern((5, 9, 3), 'uint8'))
    ink = Image.frombytes('CMYK', (9, 5), pattern((5, 9, 4), 'uint8').tobytes())
    text = PngImagePlugin.PngInfo()
    text.add_itxt('XML:com.adobe.xmp', '<x:xmpmeta/>')
    text.add_text('Software', 'make_golden')
    images = {
        'mode_rgb': colour,
        'mode_cmyk': ink,
        'mode_palette': colour.quantize(7),
        'file_png': reopened(colour, 'PNG', pnginfo=text, dpi=(72, 72)),
        'file_png_palette': reopened(colour.quantize(5), 'PNG'),
        'file_jpeg': reopened(colour, 'JPEG', comment=b'golden', dpi=(72, 72)),
        'file_jpeg_cmyk': reopened(ink, 'JPEG'),
        'file_bmp': reopened(colour, 'BMP'),
        'file_gif': reopened(colour.quantize(6), 'GIF'),
        'file_tiff': reopened(colour, 'TIFF', dpi=(300.5, 300.5)),
        'file_webp': reopened(colour, 'WEBP', lossless=True),
    }
    for mode in ('L', 'LA', 'RGBA', 'RGBX', '1'):
        images[f'mode_{mode.lower()}'] = colour.convert('L' if mode == 'LA' else 'RGB') \
            .convert(mode)
    return images


def main() -> None:
    """Write the files."""
    values = plain_values()
    images: dict[str, Any] = {}
    for name, image in pillow_images().items():
        # What Pillow itself makes of the image goes along: the tests compare with it.
        images[name] = image
        images[f'{name}:rgb'] = np.array(image.convert('RGB'))
    for protocol in range(2, 6):
        for what, version, value in (
                ('numpy', np.__version__, values), ('pillow', PIL.__version__, images)):
            data = pickle.dumps(value, protocol)
            (GOLDEN / f'{what}-{version}-p{protocol}.pkl').write_bytes(data)


if __name__ == '__main__':
    main()
