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

"""The service ~/reset_statistics: counts, rates and delays begin anew."""

from __future__ import annotations

from typing import Any

from std_srvs.srv import Trigger


def serve_reset_statistics(node: Any) -> Any:
    """Create the service on a node that has ``counts`` and ``reset_statistics``; return it."""
    def answer(request: Any, response: Any) -> Any:
        counts = node.counts()
        node.reset_statistics()
        response.success = True
        response.message = (
            f'counted anew from now on; until now {counts.received} images received, '
            f'{counts.published} published')
        return response

    return node.create_service(Trigger, '~/reset_statistics', answer)
