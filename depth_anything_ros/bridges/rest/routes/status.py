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

"""``GET /v1/status``: everything that the dashboard shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
import time
from typing import Any, Sequence

from depth_anything_ros.bridges.rest.app import package_version
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import ALWAYS, errors
from depth_anything_ros.bridges.rest.routes.models import model_row
from depth_anything_ros.service import DepthService
from fastapi import APIRouter, FastAPI

MINUTE = 60.0


def percentile(values: list[float], share: float) -> float | None:
    """Return the value below which a share of sorted values lies, in milliseconds."""
    if not values:
        return None
    return values[min(len(values) - 1, int(len(values) * share))] * 1000


REQUESTS = ('queue_size', 'received', 'under_way', 'done', 'failed', 'expired', 'cancelled',
            'refused', 'split', 'busy_s')


def of_services(services: Sequence[DepthService]) -> dict[str, Any]:
    """Return what the services say: the first one's model, memory and streams, all requests."""
    first, *further = services
    memory = first.device_memory()
    seen = [service.statistics() for service in services]
    batches = sum((Counter(each.batches) for each in seen), Counter[int]())
    return {
        'model': model_row(first.info),
        'also_loaded': [service.info.model for service in further],
        'device_memory': memory and dict(zip(('allocated', 'reserved'), memory)),
        'requests': {
            **{name: sum(getattr(each, name) for each in seen) for name in REQUESTS},
            'waiting': [sum(stage) for stage in zip(*(each.waiting for each in seen))]},
        'batches': {str(size): count for size, count in sorted(batches.items())},
        'streams': [
            {'name': name, 'watched': first.watchers.watched(name), **asdict(stream.counts())}
            for name, stream in first.watchers.streams().items()]}


def register(app: FastAPI, context: RestContext) -> None:
    """Add the route."""
    router = APIRouter(tags=['health'])

    @router.get('/v1/status', summary='State, rates, latencies, drops and last errors',
                responses=errors(*ALWAYS))
    async def status() -> dict[str, Any]:
        now, latencies = time.time(), context.metrics.latencies()
        lately = sum(when > now - MINUTE for when, _ in context.metrics.recent)
        found: dict[str, Any] = {
            'stage': context.stage, 'version': package_version(),
            'uptime_s': now - context.began, 'model': None, 'device_memory': None,
            'requests': None, 'batches': {}, 'streams': [], 'also_loaded': [],
            'per_second': lately / min(MINUTE, max(1.0, now - context.began)),
            'latency_ms': {
                'count': len(latencies), 'p50': percentile(latencies, 0.5),
                'p95': percentile(latencies, 0.95), 'p99': percentile(latencies, 0.99)},
            'last_errors': list(context.last_errors),
            'pages': [{'title': title, 'path': path} for title, path in context.pages]}
        if context.stage != 'ready':
            return found
        return found | of_services(context.services())

    app.include_router(router)
