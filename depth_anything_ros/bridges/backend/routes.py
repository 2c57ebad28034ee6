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

"""The routes that upstream's clients know: tasks, status, gallery."""

from __future__ import annotations

import time
from typing import Annotated, Any

from depth_anything_ros.bridges.backend.gallery import Gallery
from depth_anything_ros.bridges.backend.tasks import Tasks
from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.documents import ALWAYS, errors
from depth_anything_ros.bridges.rest.routes.pages import STRICT
from depth_anything_ros.core.options import PROCESS_RES_METHODS
from fastapi import APIRouter, FastAPI, HTTPException, Path
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field

Matrices = list[list[list[float]]]

TaskId = Annotated[str, Path(description='What /inference returned.')]
Group = Annotated[str, Path(description='A group of manifest.json.')]
FilePath = Annotated[str, Path(description='A file of a scene, as a manifest names it.')]

GIB = 2**30


class InferenceRequest(BaseModel):
    """What a task is asked to do (rule U2); other fields are ignored."""

    image_paths: Annotated[list[str], Field(min_length=1, max_length=100)]
    export_dir: str | None = None
    export_format: str = 'mini_npz-glb'
    extrinsics: Matrices | None = None
    intrinsics: Matrices | None = None
    process_res: Annotated[int, Field(ge=14, le=2016)] = 504
    process_res_method: Annotated[
        str, Field(pattern='^(' + '|'.join(PROCESS_RES_METHODS) + ')$')] = 'upper_bound_resize'
    export_feat_layers: list[int] = []
    align_to_input_ext_scale: bool = True
    conf_thresh_percentile: Annotated[float, Field(ge=0, lt=100)] = 40.0
    num_max_points: Annotated[int, Field(ge=1, le=50_000_000)] = 1_000_000
    show_cameras: bool = True
    feat_vis_fps: int = 15


def memory_of(context: RestContext) -> dict[str, Any] | None:
    """Return the device's memory under upstream's names, None on the CPU."""
    memory = context.service().device_memory()
    total = context.service().total_device_memory()
    if memory is None or total is None:
        return None
    allocated, reserved = memory
    return {
        'total_gb': total / GIB, 'allocated_gb': allocated / GIB, 'reserved_gb': reserved / GIB,
        'free_gb': (total - reserved) / GIB, 'utilization_percent': 100 * reserved / total}


def health_of(percent: float) -> str:
    """Return how full a memory is in upstream's words."""
    return 'healthy' if percent < 80 else 'warning' if percent < 95 else 'critical'


def register(app: FastAPI, context: RestContext) -> None:
    """Add the routes."""
    router = APIRouter(tags=['backend'], responses=errors(422, *ALWAYS))
    options = context.options
    tasks = Tasks(context.service, options.roots, options.exports)

    async def end() -> None:
        tasks.close()

    context.on_stop(end)

    @router.get('/status', summary='The model and its device, in the words of upstream')
    async def status() -> dict[str, Any]:
        loaded = context.stage == 'ready'
        info = context.service().info if loaded else None
        return {
            'model_loaded': loaded, 'model_dir': info.model if info else None,
            'device': info.device if info else None, 'load_time': None, 'last_used': None,
            'uptime': time.time() - context.began,
            'gpu_memory': memory_of(context) if loaded else None}

    @router.get('/gpu-memory', summary='Memory of the device')
    async def gpu_memory() -> dict[str, Any]:
        memory = memory_of(context)
        if memory is None:
            return {'available': False, 'status': 'healthy'}
        return {'available': True, **memory,
                'status': health_of(memory['utilization_percent'])}

    @router.post('/inference', summary='Reconstruct pictures on the server, into files there',
                 responses=errors(400))
    async def inference(request: InferenceRequest) -> dict[str, Any]:
        context.service()
        fields = request.model_dump()
        fields['export_dir'] = fields['export_dir'] or ''
        task = await context.work(tasks.submit, fields)
        return {
            'success': True, 'message': 'Task submitted successfully', 'task_id': task.task_id,
            'export_dir': task.export_dir, 'export_format': request.export_format,
            'processing_time': None}

    @router.get('/task/{task_id}', summary='How a task goes', responses=errors(404))
    async def show(task_id: TaskId) -> JSONResponse:
        task = tasks.get(task_id)
        if task is None:
            raise HTTPException(404, 'Task not found')
        return JSONResponse(task.row())

    @router.delete('/task/{task_id}', summary='Forget a task', responses=errors(400, 404))
    async def delete(task_id: TaskId) -> JSONResponse:
        done = tasks.delete(task_id)
        if done is None:
            raise HTTPException(404, 'Task not found')
        if not done:
            raise HTTPException(400, 'Cannot delete running or pending tasks')
        return JSONResponse({'message': f'Task {task_id} deleted successfully'})

    @router.get('/tasks', summary='All tasks')
    async def everything() -> dict[str, Any]:
        return tasks.overview()

    if options.gallery is not None:
        add_gallery(router, context, Gallery(options.gallery))
    app.include_router(router)


def add_gallery(router: APIRouter, context: RestContext, gallery: Gallery) -> None:
    """Add the routes of a gallery."""
    @router.get('/gallery/', summary='The scenes of the gallery', response_class=HTMLResponse)
    async def page() -> HTMLResponse:
        text = await context.work(gallery.page)
        return HTMLResponse(text, headers={'Content-Security-Policy': STRICT})

    @router.get('/gallery/manifest.json', summary='The groups of the gallery')
    async def groups() -> dict[str, Any]:
        found = await context.work(gallery.groups)
        return {'groups': [{'id': name, 'title': name} for name in found]}

    @router.get('/gallery/manifest/{group}.json', summary='The scenes of a group')
    async def items(group: Group) -> dict[str, Any]:
        return {'group': group, 'items': await context.work(gallery.items, group)}

    @router.get('/gallery/{path:path}', summary='A file of a scene', response_class=Response,
                responses=errors(404))
    async def file(path: FilePath) -> Response:
        found = await context.work(gallery.file, path)
        if found is None:
            raise HTTPException(404, 'File not found')
        return Response(found[0], media_type=found[1])
