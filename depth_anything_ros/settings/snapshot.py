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

"""Settings of the service ~/save_snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.settings.schema import setting


@dataclass(frozen=True)
class SnapshotSettings:
    """Where snapshots go, and how many."""

    directory: str = setting(
        '', 'Existing folder that ~/save_snapshot writes into, and nowhere else; empty: the '
        'service refuses.', read_only=True)
    max_count: int = setting(
        1000, 'Entries of the folder above which ~/save_snapshot refuses.', low=1, high=1000000,
        read_only=True)
    timeout: float = setting(
        5.0, 'Seconds that ~/save_snapshot waits for the next image of every camera.', unit='s',
        low=0.1, high=600.0)
