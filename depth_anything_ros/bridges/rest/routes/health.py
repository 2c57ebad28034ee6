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

"""Whether the server lives, whether it is ready, and what it is (rule R9)."""

from __future__ import annotations

import time
from typing import Any

from depth_anything_ros.bridges.rest.app import package_version
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import ALWAYS, errors
from depth_anything_ros.bridges.rest.replies import request_id_of
from depth_anything_ros.bridges.rest.seed_models import HealthReply
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse


def device_of(device: str) -> str:
    """Return a device as the seed names it: with its index, 'cpu' without CUDA."""
    return 'cuda:0' if device == 'cuda' else device


def register(app: FastAPI, context: RestContext) -> None:
    """Add the routes."""
    router = APIRouter(tags=['health'])

    @router.get('/livez', summary='Does the process live?')
    async def livez() -> dict[str, Any]:
        return {'status': 'alive', 'uptime_s': time.time() - context.began}

    @router.get('/readyz', summary='Is the model loaded and warm?',
                responses=errors(503))
    async def readyz(request: Request) -> dict[str, Any]:
        context.service()
        return {'status': context.stage, 'request_id': request_id_of(request.scope)}

    @router.get('/health', summary='What runs, in the words of the seed',
                responses={200: {'model': HealthReply}, **errors(503)})
    async def health() -> JSONResponse:
        return JSONResponse({
            'status': 'healthy', 'device': device_of(context.service().info.device),
            'models_loaded': context.models_loaded})

    @router.get('/version', summary='Versions of server and interface',
                responses=errors(*ALWAYS))
    async def version() -> dict[str, Any]:
        return {'name': 'depth_anything_ros', 'version': package_version(), 'api': 'v1'}

    app.include_router(router)
