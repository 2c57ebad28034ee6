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

"""Settings that each of several cameras may have for itself, below its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping, Sequence

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.settings import changed, describe, Setting, Settings, Value


def of_cameras(cameras: Sequence[str]) -> dict[str, Setting]:
    """
    Return what can be set for one camera alone, by its full name such as ``front.mount.height``.

    :param cameras: names of the cameras; one without a name has nothing of its own.
    """
    return {
        f'{camera}.{item.name}': replace(item, name=f'{camera}.{item.name}')
        for camera in cameras if camera for item in describe() if item.per_camera}


def settings_of(settings: Settings, camera: str, own: Mapping[str, Value]) -> Settings:
    """
    Return the settings of one camera: its own where it has some, else those of all.

    :param settings: those of all cameras.
    :param camera: name of the camera, empty where it has none.
    :param own: what is set for single cameras, by full name.
    :raises ConfigError: when a value is not accepted, or they do not fit together.
    """
    prefix = f'{camera}.'
    known = of_cameras([camera])
    changes = {name.removeprefix(prefix): known[name].check(value)
               for name, value in own.items() if name in known}
    try:
        return changed(settings, changes)
    except ConfigError as error:
        raise ConfigError(f'camera {camera}: {error}') from None
