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

"""The images of a scene for a network elsewhere, and its views of them, as messages of our own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
import math
from typing import Sequence

from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import Message
from depth_anything_ros.wire.results import law_of, law_values

IMAGES, VIEWS = 'scene_images', 'scene_views'

SCENE_LIMITS = Limits(message_bytes=2**31, header_bytes=2**20, arrays=4096)
"""Bounds of either message: they come from our own ends, which look at the sizes before."""

OPTIONS = ('process_res', 'process_res_method', 'minimum', 'focal_length', 'fov_deg')
"""Options by which a network looks at a scene; the largest depth is one more, None for any."""

MAPS = ('rgb', 'depth', 'intrinsics', 'extrinsics', 'confidence', 'sky')


@dataclass(frozen=True)
class SceneImages:
    """What a network is asked: images, options, and the pixels that all together may have."""

    frames: tuple[Frame, ...]
    options: FrameOptions
    most_pixels: int


def images_message(
    frames: Sequence[Frame], options: FrameOptions, most_pixels: int,
) -> Message:
    """Return the images of a scene, each with the camera that is known, as a message."""
    values = {name: getattr(options, name) for name in OPTIONS}
    values['maximum'] = options.maximum if math.isfinite(options.maximum) else None
    plain = [frame.rectified() for frame in frames]
    return Message({
        'type': IMAGES, 'options': values, 'most_pixels': most_pixels,
        'cameras': [frame.intrinsics and asdict(frame.intrinsics) for frame in plain],
    }, {f'image{index}': frame.rgb for index, frame in enumerate(plain)})


def images_of(message: Message) -> SceneImages:
    """
    Return the images of a message that :func:`images_message` made; they are views of it.

    :raises InvalidRequest: when it is none.
    """
    header = message.header
    if header.get('type') != IMAGES:
        raise InvalidRequest(f'message is no {IMAGES}')
    try:
        values = dict(header['options'])
        maximum = values.pop('maximum')
        return SceneImages(
            tuple(Frame(message.arrays[f'image{index}'],
                        intrinsics=camera and Intrinsics(**camera))
                  for index, camera in enumerate(header['cameras'])),
            FrameOptions(maximum=math.inf if maximum is None else maximum, **values),
            int(header['most_pixels']))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequest(f'{IMAGES} is broken: {error}') from error


def views_message(views: Views) -> Message:
    """Return views as a message; its arrays are theirs, not copies."""
    return Message({
        'type': VIEWS, 'model': views.model, 'scale_law': law_values(views.scale_law),
        'notes': list(views.notes),
    }, {name: array for name in MAPS if (array := getattr(views, name)) is not None})


def views_of(message: Message) -> Views:
    """
    Return the views of a message that :func:`views_message` made; their maps are copies of it.

    :raises InvalidRequest: when it is none.
    """
    header = message.header
    if header.get('type') != VIEWS:
        raise InvalidRequest(f'message is no {VIEWS}')
    try:
        return Views(
            **{name: array.copy() for name, array in message.arrays.items()},
            scale_law=law_of(header['scale_law']), model=header['model'],
            notes=tuple(header['notes']))
    except (KeyError, TypeError) as error:
        raise InvalidRequest(f'{VIEWS} is broken: {error}') from error
