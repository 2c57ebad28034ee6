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

"""Which topics of a bag are read."""

from __future__ import annotations

import re
from typing import Sequence

from depth_anything_ros.bags.library import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from depth_anything_ros.bags.records import Topic
from depth_anything_ros.errors import ConfigError

SEGMENT = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')


def listed(topics: Sequence[Topic]) -> str:
    """Return topics as lines for people."""
    return ''.join(f'\n  {topic}' for topic in topics) or '\n  (none)'


def choose_image_topic(topics: Sequence[Topic], wanted: str) -> Topic:
    """
    Return the topic whose images are used.

    :param topics: what is in the bag.
    :param wanted: name of the topic, empty to take the only one.
    :raises ConfigError: when it is not there, holds no images, or there are several.
    """
    images = [topic for topic in topics if topic.msgtype in (IMAGE, COMPRESSED_IMAGE)]
    if wanted:
        return _named(topics, images, wanted, '--image-topic')
    filled = [topic for topic in images if topic.count]
    if not filled:
        raise ConfigError(
            f'the bag has no images ({IMAGE} or {COMPRESSED_IMAGE}); its topics:{listed(topics)}')
    if len(filled) > 1:
        raise ConfigError(
            f'the bag has several image topics; choose one with --image-topic:{listed(filled)}')
    return filled[0]


def choose_info_topic(topics: Sequence[Topic], image: Topic, wanted: str) -> Topic | None:
    """
    Return the CameraInfo topic of an image topic, None where there is none.

    It is the neighbour of the image topic, as image_transport has it, else the only one there is.

    :param topics: what is in the bag.
    :param image: the chosen image topic.
    :param wanted: name of the topic, empty to look for it.
    :raises ConfigError: when the wanted one is not there or holds something else.
    """
    infos = [topic for topic in topics if topic.msgtype == CAMERA_INFO]
    if wanted:
        return _named(topics, infos, wanted, '--camera-info-topic')
    base = image.name
    if image.msgtype == COMPRESSED_IMAGE:  # <base topic>/compressed
        base = base.rpartition('/')[0]
    sibling = base.rpartition('/')[0] + '/camera_info'
    filled = [topic for topic in infos if topic.count]
    for topic in filled:
        if topic.name == sibling:
            return topic
    return filled[0] if len(filled) == 1 else None


def namespace_of(text: str) -> str:
    """
    Return a namespace with a leading slash and none at the end, empty for the root.

    :raises ConfigError: when it is not a valid ROS name.
    """
    segments = [item for item in text.strip('/').split('/') if item]
    if '/'.join(segments) != text.strip('/') or not all(map(SEGMENT.fullmatch, segments)):
        raise ConfigError(
            f'namespace {text!r} is not a ROS name; accepted: letters, digits and _ between '
            'slashes, no digit first')
    return ''.join(f'/{item}' for item in segments)


def _named(
    topics: Sequence[Topic], fitting: Sequence[Topic], wanted: str, flag: str,
) -> Topic:
    for topic in fitting:
        if topic.name.strip('/') == wanted.strip('/'):
            return topic
    others = [topic for topic in topics if topic.name.strip('/') == wanted.strip('/')]
    seen = f'is a {others[0].msgtype}' if others else 'is not in the bag'
    raise ConfigError(f'{flag} {wanted} {seen}; accepted:{listed(fitting)}')
