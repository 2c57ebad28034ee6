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

"""How every service says that it cannot."""

from __future__ import annotations

import logging
from typing import Any

from depth_anything_ros.errors import DepthAnythingError

logger = logging.getLogger(__name__)

INTERNAL = 'internal error; the log of the node says more'


def refused(response: Any, error: Exception) -> Any:
    """
    Fill a response that says why there is nothing, and return it.

    :param response: has ``success`` and ``message``, and may have ``code``.
    :param error: one of ours says all it knows; of any other the log says more than the caller
        is told.
    """
    response.success = False
    if isinstance(error, DepthAnythingError):
        code, response.message = error.code, str(error)
    else:
        logger.error('a service failed', exc_info=error)
        code, response.message = DepthAnythingError.code, INTERNAL
    if hasattr(response, 'code'):
        response.code = code
    return response
