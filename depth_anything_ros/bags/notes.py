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

"""Remarks for the reader of the summary, each said once."""

from __future__ import annotations

import threading
from typing import Callable


class Notes:
    """Hands every remark on the first time it is made; may be used from several threads."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """
        Start with nothing said.

        :param say: receives each remark.
        """
        self._say = say
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def once(self, key: str, text: str) -> None:
        """Say ``text`` unless something was said under ``key`` already."""
        with self._lock:
            if key in self._said:
                return
            self._said.add(key)
        self._say(text)
