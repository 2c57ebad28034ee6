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

"""Pictures on the server's disk: only under folders that the operator named."""

from __future__ import annotations

import os
from pathlib import Path
import stat
from typing import Sequence

from depth_anything_ros.errors import ConfigError, Forbidden, PayloadTooLarge
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits

REFUSED = ('no readable picture of that name under an allowed folder; paths are off unless the '
           'server was started with --image-root')
"""One text for 'missing' and 'not allowed', so that nobody can ask which files exist."""


class ImageRoots:
    """The folders under which clients may name pictures."""

    def __init__(
        self, folders: Sequence[str | Path] = (), limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """
        Allow some folders; without any, every path is refused.

        :param folders: folders, symbolic links in them are followed now.
        :param limits: how large a file may be.
        :raises ConfigError: when one is not a folder.
        """
        self._limits = limits
        self._folders = tuple(Path(folder).resolve() for folder in folders)
        for folder in self._folders:
            if not folder.is_dir():
                raise ConfigError(f'image root {folder} is not a folder')

    def read(self, name: str) -> bytes:
        """
        Return the bytes of a file.

        :param name: its path on this machine.
        :raises Forbidden: when it is missing, not allowed or no regular file.
        :raises PayloadTooLarge: when it is larger than a message may be.
        """
        try:
            path = Path(name).resolve(strict=True)
            if not any(path.is_relative_to(folder) for folder in self._folders):
                raise Forbidden(REFUSED)
            # What was checked is what is read: a link put in its place now is not followed, and
            # a pipe does not block.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError, RuntimeError):
            raise Forbidden(REFUSED) from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Forbidden(REFUSED)
        with open(handle, 'rb') as file:
            data = file.read(self._limits.message_bytes + 1)
        if len(data) > self._limits.message_bytes:
            raise PayloadTooLarge(
                f'picture is larger than {self._limits.message_bytes} bytes')
        return data
