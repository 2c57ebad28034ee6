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

"""Settings of an engine on another machine."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.settings.schema import setting


@dataclass(frozen=True)
class EngineSettings:
    """Where the network runs when it runs elsewhere."""

    url: str = setting(
        '', 'Server whose network is used, such as http://host:8000 (depth-anything serve --rest '
        'there); empty: the network runs here. A key for it: environment variable '
        'DEPTH_ANYTHING_ENGINE_KEY.', read_only=True, environment='DEPTH_ANYTHING_ENGINE_URL')
    timeout: float = setting(
        5.0, 'Time that one image may take on that server, with its way there and back.',
        unit='s', low=0.01, high=600.0, read_only=True)
    wait: float = setting(
        60.0, 'Time to wait at start for a server that is not there or not ready.', unit='s',
        low=0.0, high=86400.0, read_only=True)
