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
Depth over HTTP: FastAPI on uvicorn, in threads beside the other bridges.

What it is made of: ``server.py`` (a port and a thread), ``connections.py`` (times and sizes of one
connection), ``outer.py`` and ``inner.py`` (who may ask, and how much), ``context.py`` (what all
routes share), ``app.py`` (puts it together), one file per group of routes in ``routes/``.

A further group of routes, also from another room such as the WebSocket reconstruction, is a module
with a function ``register`` and one line in :data:`depth_anything_ros.bridges.rest.app.ROOMS`::

    def register(app: FastAPI, context: RestContext) -> None:
        router = APIRouter(tags=['reconstruction'])

        @router.post('/ws/session/create')
        async def create(request: Request) -> dict[str, Any]:
            service = context.service()         # raises NotReady while the model is loading
            ...

        @router.websocket('/ws/reconstruct/{session}')
        async def reconstruct(socket: WebSocket, session: str) -> None:
            ...

        app.include_router(router)
        context.on_start(open_things)           # async functions, in the server's event loop
        context.on_stop(close_things)

- Host, Origin, key and rate have been checked before a route or a socket is reached, for HTTP and
  WebSocket alike; a socket without the key is accepted and closed with 4401 (rule P5; browsers
  send it as ``?api_key=``). Nothing is left to do in a route.
- ``request.state.request_id`` names the request; an error of ours that is raised becomes the HTTP
  status of ``wire/status.py``. A WebSocket route sends ``failure(error).websocket_message()``.
- Bodies: ``await context.read_body(request)``; its limits are counted while it arrives.
- Nothing slow in the event loop: ``await context.work(function, *arguments)`` runs it in a bounded
  pool, ``await context.estimate(request, frame, options)`` waits for the device and gives up when
  the client does.
- A page of the room's own: ``context.open_pages.add(path)`` serves it without a key (it must hold
  no data), ``context.pages.append((title, path))`` puts it into the dashboard's list.
- ``context.draining`` is an ``asyncio.Event`` that is set when the server is to end; whatever
  lasts (a stream, a socket) ends then.
"""
