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

"""The models that are served: what each is, what it may be used for, what it can."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import ALWAYS, errors
from depth_anything_ros.service import EngineInfo
from fastapi import APIRouter, FastAPI


def model_row(info: EngineInfo) -> dict[str, Any]:
    """Return a model as JSON values."""
    return {
        'id': info.model, 'kind': info.kind.value, 'device': info.device,
        'precision': info.precision, 'licence': info.licence, 'process_res': info.process_res,
        'confidence': info.has_confidence, 'sky': info.has_sky,
        'predicts_intrinsics': info.predicts_intrinsics, 'acceleration': info.acceleration,
        'warnings': list(info.warnings)}


def register(app: FastAPI, context: RestContext) -> None:
    """Add the route."""
    router = APIRouter(tags=['models'])

    @router.get('/v1/models', summary='What is loaded', responses=errors(*ALWAYS))
    async def models() -> dict[str, Any]:
        return {'models': [model_row(service.info) for service in context.services()]}

    app.include_router(router)
