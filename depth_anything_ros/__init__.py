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
Metric depth and point clouds from a plain camera with Depth Anything 3.

Nothing may depend on what this file holds once installed: where the generated interfaces are
installed after the hand-written modules (ROS 2 Lyrical), the generator's empty ``__init__.py``
takes this one's place. The same names live at ``depth_anything_ros.api``.
"""

from pkgutil import extend_path
from typing import Any

# A source tree in front of the installed package (pytest in a checkout) lacks the generated
# srv package: take that from the installed one.
__path__ = extend_path(__path__, __name__)

__all__ = ['DepthEstimator']


def __getattr__(name: str) -> Any:
    """Load the public names when they are first used, so that this import needs numpy alone."""
    if name in __all__:
        from depth_anything_ros import api
        return getattr(api, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
