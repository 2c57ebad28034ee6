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

"""A folder of scenes as upstream's gallery lays it out: group/scene/scene.glb (rule U3)."""

from __future__ import annotations

import html
import os
from pathlib import Path
import stat
from typing import Any
from urllib.parse import quote

from depth_anything_ros.errors import ConfigError

MODEL, THUMBNAIL, DEPTHS = 'scene.glb', 'scene.jpg', 'depth_vis'

KINDS = {'.glb': 'model/gltf-binary', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg',
         '.png': 'image/png', '.webp': 'image/webp'}
"""What is handed out; other files of the folder are not."""

MOST_BYTES = 1 << 30


class Gallery:
    """The scenes of one folder; it is looked through anew for every request."""

    def __init__(self, folder: Path) -> None:
        """
        Show a folder.

        :raises ConfigError: when it is none.
        """
        if not folder.is_dir():
            raise ConfigError(f'gallery {folder} is not a folder')
        self._folder = folder.resolve()

    def groups(self) -> list[str]:
        """Return the names of the groups."""
        return sorted(item.name for item in self._folder.iterdir() if self._shown(item))

    def items(self, group: str) -> list[dict[str, Any]]:
        """Return the scenes of a group under upstream's names; none of an unknown one."""
        place = self._folder / group
        if group not in self.groups():
            return []
        return [self._item(group, scene) for scene in sorted(place.iterdir())
                if self._shown(scene) and (scene / MODEL).is_file()]

    def file(self, name: str) -> tuple[bytes, str] | None:
        """
        Return a file's bytes and media type, None for whatever is not in the gallery.

        :param name: its path below the folder, as a client says it.
        """
        kind = KINDS.get(Path(name).suffix.lower())
        try:
            path = (self._folder / name).resolve(strict=True)
            if kind is None or not path.is_relative_to(self._folder):
                return None
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, ValueError, RuntimeError):
            return None
        with open(handle, 'rb') as file:
            seen = os.fstat(handle)
            if not stat.S_ISREG(seen.st_mode) or seen.st_size > MOST_BYTES:
                return None
            return file.read(), kind

    def page(self) -> str:
        """Return all of it as a page, everything in it escaped."""
        parts = []
        for group in self.groups():
            parts.append(f'<h2>{html.escape(group)}</h2><ul>')
            for item in self.items(group):
                picture = f'<img src="{item["thumbnail"]}" alt="" width="240">' \
                    if item['thumbnail'] else ''
                parts.append(f'<li><a href="{item["model"]}" download>{picture}'
                             f'{html.escape(item["title"])}</a></li>')
            parts.append('</ul>')
        return ('<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gallery</title>'
                '<meta name="viewport" content="width=device-width, initial-scale=1">'
                '<link rel="stylesheet" href="/assets/reconstruct.css"></head><body><header>'
                '<h1>Gallery</h1></header><main><section>'
                + (''.join(parts) or '<p>No scenes yet.</p>') + '</section></main></body></html>')

    def _item(self, group: str, scene: Path) -> dict[str, Any]:
        def link(name: str) -> str:
            return '/gallery/' + quote(f'{group}/{scene.name}/{name}')

        depths = scene / DEPTHS
        found = sorted(depths.iterdir()) if depths.is_dir() else []
        return {
            'id': scene.name, 'title': scene.name, 'model': link(MODEL),
            'thumbnail': link(THUMBNAIL) if (scene / THUMBNAIL).is_file() else None,
            'depth_images': [link(f'{DEPTHS}/{item.name}') for item in found
                             if item.suffix.lower() in KINDS]}

    @staticmethod
    def _shown(place: Path) -> bool:
        return place.is_dir() and not place.is_symlink() and not place.name.startswith('.')
