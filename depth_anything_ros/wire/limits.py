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

"""How much one message may hold: every limit is checked before memory is taken."""

from __future__ import annotations

from dataclasses import dataclass, fields

from depth_anything_ros.core.pictures import MAX_PIXELS
from depth_anything_ros.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """
    Bounds of one message.

    ``message_bytes`` is the length of the whole message; ``pixels`` the width times height of one
    image; ``operations``, ``depth`` and ``nodes`` bound the work, the nesting and the number of
    values of a pickle once all sharing is unfolded; ``text_bytes`` all text of a message
    together; ``entries`` the keys of one dict; ``header_bytes`` and ``arrays`` the header and the
    number of arrays of our own form.
    """

    message_bytes: int = 64 * 2**20
    pixels: int = MAX_PIXELS
    operations: int = 5_000
    depth: int = 16
    nodes: int = 10_000
    text_bytes: int = 2**20
    entries: int = 1_000
    header_bytes: int = 64 * 2**10
    arrays: int = 64

    def __post_init__(self) -> None:
        """Refuse a limit that lets nothing through."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 1:
                raise ConfigError(f'limit {field.name} must be at least 1, seen {value}')


DEFAULT_LIMITS = Limits()
