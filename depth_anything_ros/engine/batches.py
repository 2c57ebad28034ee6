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

"""What holds for the images of one scene before any memory is taken."""

from __future__ import annotations

from depth_anything_ros.engine.base import EngineInfo
from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge


def check_views(
    info: EngineInfo, count: int, size: tuple[int, int], most_pixels: int,
) -> None:
    """
    Refuse images that a model cannot look at together.

    :param info: the model.
    :param count: how many images.
    :param size: their (width, height) in pixels at the processed size.
    :param most_pixels: pixels that all of them together may have.
    :raises InvalidRequest: for several where the model takes one.
    :raises PayloadTooLarge: when they are too many for that size.
    """
    if count > 1 and not info.multi_view:
        raise InvalidRequest(
            f'{info.model} predicts no camera poses and reconstructs from one image only, seen '
            f'{count}; several need an any-view or nested model, such as da3-small or '
            'da3nested-giant-large')
    width, height = size
    if count * width * height > most_pixels:
        fitting = max(1, most_pixels // (width * height))
        raise PayloadTooLarge(
            f'{count} images of {width}x{height} are {count * width * height / 1e6:.1f} '
            f'megapixels; accepted: {most_pixels / 1e6:.1f}, so {fitting} of this size, or a '
            'smaller process_res')
