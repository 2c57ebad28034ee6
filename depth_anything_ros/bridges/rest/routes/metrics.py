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

"""``GET /metrics`` in the text form of Prometheus."""

from __future__ import annotations

from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import ALWAYS, errors
from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


def register(app: FastAPI, context: RestContext) -> None:
    """Add the route."""
    router = APIRouter(tags=['health'])

    @router.get('/metrics', summary='Counters and histograms for Prometheus',
                response_class=Response,
                responses={200: {'content': {'text/plain': {'schema': {'type': 'string'}}}},
                           **errors(*ALWAYS)})
    async def metrics() -> Response:
        text = generate_latest(context.metrics.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    app.include_router(router)
