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

"""What to run when a module that the engine needs is missing."""

from __future__ import annotations

from depth_anything_ros.errors import MissingDependency

INSTALL = {
    'depth_anything_3': 'pip install --no-deps depth-anything-3==0.1.1',
    'cv2': 'pip install opencv-python-headless',
}
"""Commands for modules that are not installed by their own name."""


def missing(error: ModuleNotFoundError) -> MissingDependency:
    """Return our error for a module that could not be imported, with the command that helps."""
    name = (error.name or '').partition('.')[0]
    if name == 'depth_anything_ros':
        raise error
    command = INSTALL.get(name, f'pip install {name}')
    return MissingDependency(
        f'Depth Anything 3 needs the Python module {name!r}, which is not installed; run: '
        f'{command}')
