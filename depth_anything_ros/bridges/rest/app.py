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

"""The application: rooms of routes behind the same doors."""

from __future__ import annotations

from contextlib import asynccontextmanager
import importlib
from typing import AsyncIterator, Sequence

from depth_anything_ros.bridges.access import is_loopback
from depth_anything_ros.bridges.base import resolve
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.inner import Inner, OPEN_PATHS
from depth_anything_ros.bridges.rest.openapi import describe
from depth_anything_ros.bridges.rest.outer import LOOPBACK_ORIGIN, Outer
from depth_anything_ros.bridges.rest.replies import add_handlers, REQUEST_ID
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

ROUTES = 'depth_anything_ros.bridges.rest.routes'

ROOMS = (
    # First, because routes are looked for in order.
    f'{ROUTES}.depth',
    f'{ROUTES}.health',
    f'{ROUTES}.models',
    f'{ROUTES}.seed',
    f'{ROUTES}.pointcloud',
    f'{ROUTES}.batch',
    f'{ROUTES}.network',
    f'{ROUTES}.streams',
    f'{ROUTES}.metrics',
    'depth_anything_ros.bridges.backend.routes',
    'depth_anything_ros.bridges.websocket.routes',
    'depth_anything_ros.bridges.websocket.page',
    'depth_anything_ros.bridges.kserve.routes',
    f'{ROUTES}.status',
    f'{ROUTES}.pages',
)
"""Modules with a function ``register(app, context)``; see this package's documentation."""

TITLE = 'Depth Anything 3'


def create_app(context: RestContext, rooms: Sequence[str] = ROOMS) -> FastAPI:
    """
    Return the application.

    :param context: what the routes share.
    :param rooms: modules with a function ``register``.
    """
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        for hook in context.starting:
            await hook()
        yield
        for hook in reversed(context.stopping):
            await hook()

    # Their own pages load scripts from elsewhere; ours are in the package.
    app = FastAPI(
        title=TITLE, version=package_version(), lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url='/openapi.json')
    app.state.context = context
    add_handlers(app, context.note)
    for name in rooms:
        importlib.import_module(name).register(app, context)
    options = context.options
    describe(app, context.documented, OPEN_PATHS, keyed=bool(options.access.key))
    loopback = is_loopback(resolve(options.access.host)[1])
    # Added last stands first.
    app.add_middleware(Inner, context=context)
    app.add_middleware(
        CORSMiddleware, allow_origins=options.origins, allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=('*',), allow_headers=('*',), expose_headers=('*', REQUEST_ID),
        allow_credentials=False)
    app.add_middleware(
        Outer, loopback=loopback, keyed=bool(options.access.key), hosts=options.hosts,
        origins=options.origins, done=context.metrics.request,
        closing=context.draining.is_set)
    return app


def package_version() -> str:
    """Return the version of this package, '0' where it is not installed."""
    from importlib import metadata
    try:
        return metadata.version('depth_anything_ros')
    except metadata.PackageNotFoundError:
        return '0'
