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

"""What can be set on the demo camera, once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Mapping

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.settings import Setting, setting, unknown

SOURCES = ('room', 'image', 'video', 'folder', 'v4l')


@dataclass(frozen=True)
class DemoCameraSettings:
    """The parameters of the node ``demo_camera``; all are fixed once it runs."""

    source: str = setting(
        'room', 'room: a ray-cast room with exact depth; image, video, folder: files at path; '
        'v4l: a camera of this machine.', choices=SOURCES)
    path: str = setting(
        '', 'File or folder of the source; for v4l a device such as /dev/video0.')
    room: int = setting(
        3, 'Which of the rooms that da3-tiny knows.', low=0, high=7)
    rate: float = setting(5.0, 'Images per second.', unit='Hz', low=0.1, high=240.0)
    width: int = setting(
        0, 'Width of the image; 0: as the source has it, or as height asks (room: 640).',
        unit='px', low=0, high=8192)
    height: int = setting(
        0, 'Height of the image; 0: as the source has it, or as width asks (room: 480).',
        unit='px', low=0, high=8192)
    fov_deg: float = setting(
        0.0, 'Horizontal field of view; 0: not known, camera_info then says uncalibrated '
        '(room: 70).', unit='deg', low=0.0, high=170.0)
    loop: bool = setting(
        True, 'Begin again at the end of a video or folder, or end the program there.')
    frames: int = setting(
        0, 'End the program after this many images; 0: never.', low=0, high=1_000_000_000)
    min_subscribers: int = setting(
        1, 'Send (and render) nothing while the image has fewer subscribers.', low=0, high=100)
    frame_id: str = setting('camera_optical_frame', 'Optical frame of the images.')
    parent_frame: str = setting(
        'map', 'Frame in which /tf gives the pose of link_frame, where tf2_msgs is installed; '
        'empty: no pose.')
    link_frame: str = setting(
        'camera_link', 'Body frame of the camera, x forward: the parent of frame_id.')
    optical_tf: bool = setting(
        True, 'Send the fixed turn from link_frame to frame_id on /tf_static, where tf2_msgs is '
        'installed; off where a launch file or robot description does.')


def describe_demo_camera() -> tuple[Setting, ...]:
    """Return every parameter of the demo camera."""
    found = []
    for item in fields(DemoCameraSettings):
        default: Any = item.default
        found.append(Setting(item.name, default, **{**item.metadata, 'read_only': True}))
    return tuple(found)


def demo_camera_settings(given: Mapping[str, object]) -> DemoCameraSettings:
    """
    Return the settings with what was given.

    :param given: values by name.
    :raises ConfigError: when a name is unknown or a value is not accepted.
    """
    known = {item.name: item for item in describe_demo_camera()}
    for name in given:
        if name not in known:
            raise ConfigError(unknown(name, known))
    checked: dict[str, Any] = {name: known[name].check(value) for name, value in given.items()}
    settings = DemoCameraSettings(**checked)
    if settings.source != 'room' and not settings.path:
        raise ConfigError(f'source {settings.source} needs a path')
    return settings
