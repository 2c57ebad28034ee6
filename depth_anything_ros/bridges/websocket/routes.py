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

"""Sessions over HTTP, and their sockets (rules W1 to W8)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import ALWAYS, errors
from depth_anything_ros.bridges.websocket.conversation import Conversation, Room
from depth_anything_ros.bridges.websocket.jobs import Jobs
from depth_anything_ros.core.options import PROCESS_RES_METHODS
from depth_anything_ros.errors import Busy, LimitExceeded, SessionNotFound
from depth_anything_ros.reconstruction.options import MOST_POINTS, SceneOptions
from depth_anything_ros.reconstruction.sessions import Session, SessionStatus, SessionStore
from depth_anything_ros.wire import session_messages as messages
from fastapi import APIRouter, FastAPI, HTTPException, Query, WebSocket
from fastapi.responses import JSONResponse

NOT_FOUND = 'Session not found'

NORMAL = 1000

MAX_PROCESS_RES = 2016
"""Largest side that a client may ask for (rule P4)."""


def session_info(session: Session) -> dict[str, Any]:
    """Return a session as GET shows it (W2)."""
    return {
        'session_id': session.id, 'created_at': session.created_at,
        'last_activity': session.last_activity, 'status': session.status.value,
        'image_count': len(session.images), 'max_images': session.max_images,
        'error_message': session.error_message}


def overview(store: SessionStore) -> dict[str, Any]:
    """Return all sessions and their sums (W4)."""
    sessions = store.sessions()
    row = ('session_id', 'created_at', 'last_activity', 'status', 'image_count')
    listed = [{key: session_info(session)[key] for key in row} for session in sessions]
    status = [session.status for session in sessions]
    return {
        'stats': {
            'total_sessions': len(sessions),
            'active_sessions': status.count(SessionStatus.ACTIVE),
            'processing_sessions': status.count(SessionStatus.PROCESSING),
            'max_sessions': store.limits.sessions,
            'total_images': sum(item['image_count'] for item in listed),
            'session_timeout': store.limits.idle_s},
        'sessions': listed}


def register(app: FastAPI, context: RestContext) -> None:
    """Add the routes."""
    router = APIRouter(tags=['reconstruction'], responses=errors(422, *ALWAYS))
    store = SessionStore(context.options.sessions)
    jobs = Jobs()
    limits = context.options.limits
    room = Room(
        jobs, limits.message, context.service, context.work, context.draining,
        send_s=limits.message_s, idle_s=store.limits.idle_s,
        images_per_s=store.limits.images_per_s)
    sweeping: list[asyncio.Future[None]] = []
    app.state.sessions = store

    async def sweep() -> None:
        while True:
            await asyncio.sleep(store.limits.sweep_s)
            await context.work(store.sweep)
            jobs.models.forget_gone(store.has)

    async def begin() -> None:
        sweeping.append(asyncio.ensure_future(sweep()))

    async def end() -> None:
        for task in sweeping:
            task.cancel()
        jobs.close()
        store.close()

    context.on_start(begin)
    context.on_stop(end)

    @router.post('/ws/session/create', summary='Begin a session')
    async def create(
        max_images: Annotated[int, Query(ge=1)] = store.limits.images,
        process_res: Annotated[int, Query(ge=14, le=MAX_PROCESS_RES)] = 504,
        process_res_method: Annotated[str, Query(
            pattern='^(' + '|'.join(PROCESS_RES_METHODS) + ')$')] = 'upper_bound_resize',
        conf_thresh_percentile: Annotated[float, Query(ge=0, lt=100)] = 10.0,
        num_max_points: Annotated[int, Query(ge=1, le=MOST_POINTS)] = store.limits.points,
        show_cameras: bool = True,
        auto_generate_after: Annotated[int, Query(ge=0)] = 0,
    ) -> JSONResponse:
        config = {
            'process_res': process_res, 'process_res_method': process_res_method,
            'conf_thresh_percentile': conf_thresh_percentile, 'num_max_points': num_max_points,
            'show_cameras': show_cameras}
        options = SceneOptions(
            process_res=process_res, process_res_method=process_res_method,
            conf_thresh_percentile=conf_thresh_percentile, num_max_points=num_max_points,
            show_cameras=show_cameras)
        try:
            session = await context.work(
                store.create, options, max_images, auto_generate_after)
        except LimitExceeded as error:
            raise Busy(f'Failed to create session: {error}') from error
        return JSONResponse({
            'success': True, 'session_id': session.id, 'created_at': session.created_at,
            'max_images': session.max_images, 'config': config})

    @router.get('/ws/session/{session_id}', summary='One session', responses=errors(404))
    async def show(session_id: str) -> JSONResponse:
        try:
            return JSONResponse(session_info(store.get(session_id)))
        except SessionNotFound:
            raise HTTPException(404, NOT_FOUND) from None

    @router.delete('/ws/session/{session_id}', summary='Forget a session and its images',
                   responses=errors(404))
    async def delete(session_id: str) -> JSONResponse:
        try:
            await context.work(store.delete, session_id)
            jobs.models.forget_gone(store.has)
        except SessionNotFound:
            raise HTTPException(404, NOT_FOUND) from None
        return JSONResponse({'success': True, 'message': f'Session {session_id} deleted'})

    @router.get('/ws/sessions', summary='All sessions')
    async def everything() -> dict[str, Any]:
        return overview(store)

    @router.websocket('/ws/reconstruct/{session_id}')
    async def reconstruct(socket: WebSocket, session_id: str) -> None:
        await socket.accept()
        try:
            session = store.get(session_id)
        except SessionNotFound as error:
            await socket.send_text(messages.text_of(messages.error(str(error), error.code)))
            await socket.close(NORMAL)
            return
        await Conversation(socket, session, room).run()

    app.include_router(router)
