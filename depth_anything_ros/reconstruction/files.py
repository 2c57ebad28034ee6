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

"""A scene as files in a folder."""

from __future__ import annotations

from pathlib import Path

from depth_anything_ros.reconstruction.export import scene_bytes
from depth_anything_ros.reconstruction.scene import Scene

ENDINGS = ('.glb', '.ply')


def save_scene(scene: Scene, folder: str, name: str, *, show_cameras: bool) -> list[Path]:
    """
    Write a scene as GLB and PLY.

    :param scene: what to write.
    :param folder: is made where it is missing.
    :param name: of the files without their ending; where it is taken a number comes behind it.
    :param show_cameras: whether the GLB draws the cameras.
    :returns: the files. Nothing that is there is overwritten.
    :raises OSError: when they cannot be written; no part of a file is left then.
    """
    place = Path(folder).expanduser()
    place.mkdir(parents=True, exist_ok=True)
    return [written(place, name, ending, scene_bytes(scene, ending, show_cameras=show_cameras))
            for ending in ENDINGS]


def written(folder: Path, name: str, ending: str, data: bytes) -> Path:
    """Write a new file, with a number behind its name where that is taken."""
    number = 0
    while True:
        path = folder / f'{name}{f"_{number}" if number else ""}{ending}'
        try:
            file = path.open('xb')
        except FileExistsError:
            number += 1
            continue
        try:
            with file:
                file.write(data)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
