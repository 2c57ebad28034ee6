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

"""What is known about one setting, kept in the field that holds it."""

from __future__ import annotations

from dataclasses import field
from typing import Any

Value = bool | int | float | str | tuple[str, ...]


def setting(
    default: Value, text: str, *, unit: str = '', low: float | None = None,
    high: float | None = None, choices: tuple[str, ...] = (), read_only: bool = False,
    environment: str = '', per_camera: bool = False,
) -> Any:
    """Return a dataclass field with all that is known about a setting."""
    return field(default=default, metadata={
        'text': text, 'unit': unit, 'low': low, 'high': high, 'choices': choices,
        'read_only': read_only, 'environment': environment, 'per_camera': per_camera})
