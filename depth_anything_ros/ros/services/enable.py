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

"""The service ~/enable: take images or leave them, with the model loaded all the while."""

from __future__ import annotations

import logging
from typing import Any

from std_srvs.srv import SetBool

logger = logging.getLogger(__name__)


def serve_enable(node: Any) -> Any:
    """Create the service on a node that has ``enable`` and ``state``; return it."""
    def answer(request: Any, response: Any) -> Any:
        node.enable(request.data)
        takes = 'images are taken' if request.data else 'no images are taken, the model stays'
        if node.state != 'active':
            takes += f' once the node is active; it is {node.state}'
        logger.info('enable %s: %s', request.data, takes)
        response.success, response.message = True, takes
        return response

    return node.create_service(SetBool, '~/enable', answer)
