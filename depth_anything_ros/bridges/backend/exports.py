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

"""Results on the server's disk: only under folders that the operator named, in known forms."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Callable, Sequence

from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.errors import ConfigError, Forbidden, InvalidRequest
from depth_anything_ros.reconstruction.export import ply_bytes
from depth_anything_ros.reconstruction.glb import glb_bytes
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.wire.depth_files import jpeg
import numpy as np
import numpy.typing as npt

REFUSED = ('export_dir is not under an allowed folder; nothing is written unless the server was '
           'started with --export-root')


class ExportRoots:
    """The folders under which clients may have results written."""

    def __init__(self, folders: Sequence[str | Path] = ()) -> None:
        """
        Allow some folders; without any, every place is refused.

        :raises ConfigError: when one is not a folder.
        """
        self._folders = tuple(Path(folder).resolve() for folder in folders)
        for folder in self._folders:
            if not folder.is_dir():
                raise ConfigError(f'export root {folder} is not a folder')

    def check(self, name: str) -> Path:
        """
        Return where results go, symbolic links followed.

        :raises Forbidden: when it is not under an allowed folder.
        """
        try:
            path = Path(name).resolve()
        except (OSError, ValueError, RuntimeError):
            raise Forbidden(REFUSED) from None
        if not any(path.is_relative_to(folder) for folder in self._folders):
            raise Forbidden(REFUSED)
        return path

    def write(self, folder: Path, name: str, data: bytes) -> None:
        """
        Write a file below a checked folder; what is there is replaced, links are not followed.

        :param folder: what :meth:`check` returned.
        :param name: our own name of the file, with ``/`` between folders.
        :param data: its bytes.
        :raises Forbidden: when a link has been put in the way.
        """
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if self.check(str(place.parent)) != place.parent:
            raise Forbidden(REFUSED)
        part = place.with_name(f'.{place.name}.part')
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with open(handle, 'wb') as file:
            file.write(data)
        part.replace(place)


def npz(arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """Return arrays as a compressed .npz file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def numbers(views: Views) -> dict[str, npt.NDArray[Any]]:
    """Return depth, confidence and cameras under upstream's names."""
    found: dict[str, npt.NDArray[Any]] = {
        'depth': views.depth, 'extrinsics': views.extrinsics.astype(np.float32),
        'intrinsics': views.intrinsics.astype(np.float32)}
    if views.confidence is not None:
        found['conf'] = views.confidence
    return found


def depth_pictures(views: Views) -> dict[str, bytes]:
    """Return a colour picture of each depth map beside its image."""
    return {
        f'depth_vis/{index:04d}.jpg': jpeg(
            np.concatenate([views.rgb[index], colourise(views.depth[index])], axis=1))
        for index in range(len(views))}


Files = dict[str, bytes]

FORMATS: dict[str, Callable[[Views, Scene, SceneOptions], Files]] = {
    'mini_npz': lambda views, scene, options: {
        'exports/mini_npz/results.npz': npz(numbers(views))},
    'npz': lambda views, scene, options: {
        'exports/npz/results.npz': npz({'image': views.rgb, **numbers(views)})},
    'glb': lambda views, scene, options: {
        'scene.glb': glb_bytes(scene, show_cameras=options.show_cameras),
        'scene.jpg': jpeg(views.rgb[0]), **depth_pictures(views)},
    'depth_vis': lambda views, scene, options: depth_pictures(views),
    'ply': lambda views, scene, options: {'scene.ply': ply_bytes(scene)},
}
"""The files of each format, by their names below ``export_dir``; upstream's names and ours."""


def formats_of(text: str) -> tuple[str, ...]:
    """
    Return the formats that a request names, such as 'mini_npz-glb'.

    :raises InvalidRequest: when one is not known.
    """
    names = tuple(dict.fromkeys(text.split('-')))
    for name in names:
        if name not in FORMATS:
            raise InvalidRequest(
                f'export_format {name[:40]!r} is unknown; accepted: {", ".join(FORMATS)}, '
                'several joined by -')
    return names
