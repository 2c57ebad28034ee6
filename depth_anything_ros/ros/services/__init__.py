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

"""
The services of the node: one file each, and one line in ``SERVICES``.

Each is made once with the node and is there in every state; a state that it cannot answer in is a
refusal with the reason. What takes time is awaited, so that topics and other services go on.
"""

from __future__ import annotations

from typing import Any, Callable

from depth_anything_ros.ros.services.enable import serve_enable
from depth_anything_ros.ros.services.estimate_depth import EstimateDepthServer
from depth_anything_ros.ros.services.reconstruct import ReconstructServer
from depth_anything_ros.ros.services.record_scene import RecordSceneServer
from depth_anything_ros.ros.services.reset_statistics import serve_reset_statistics
from depth_anything_ros.ros.services.save_snapshot import SaveSnapshotServer
from depth_anything_ros.ros.services.set_model import SetModelServer

SERVICES: tuple[Callable[[Any], Any], ...] = (
    EstimateDepthServer,
    serve_enable,
    serve_reset_statistics,
    SaveSnapshotServer,
    ReconstructServer,
    RecordSceneServer,
    SetModelServer,
)
"""Each is given the node and creates its service; ``close``, if any, ends what is under way."""
