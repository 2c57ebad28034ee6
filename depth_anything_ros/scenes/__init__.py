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

"""Ray-cast rooms with exact depth: the world of the demo, the tests and da3-tiny."""

from depth_anything_ros.scenes.builder import demo_rooms, make_room
from depth_anything_ros.scenes.render import render, View
from depth_anything_ros.scenes.room import Room
from depth_anything_ros.scenes.trajectory import camera_path, random_view

__all__ = ['Room', 'View', 'camera_path', 'demo_rooms', 'make_room', 'random_view', 'render']
