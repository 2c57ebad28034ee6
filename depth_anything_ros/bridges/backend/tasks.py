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

"""Reconstructions that are asked for once and looked after later (rules U2 and U3)."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
import logging
import threading
import time
from typing import Any, Callable, Sequence
import uuid

from depth_anything_ros.bridges.backend.exports import ExportRoots, FORMATS, formats_of
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.pictures import decode_picture, picture_size
from depth_anything_ros.errors import Busy, InvalidRequest
from depth_anything_ros.reconstruction.fusion import fuse
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.status import failure

logger = logging.getLogger(__name__)

PENDING, RUNNING, COMPLETED, FAILED = 'pending', 'running', 'completed', 'failed'

MOST_PENDING = 16

MOST_KEPT = 100
"""Ended tasks that can be asked about."""

MOST_IMAGES = 100


@dataclass
class Task:
    """One task; times are seconds since 1970."""

    request: dict[str, Any]
    export_dir: str
    images: Sequence[str]
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = PENDING
    message: str = 'Task submitted'
    progress: float = 0.0
    created_at: float = field(default_factory=time.time)
    started_at: float | None = None
    completed_at: float | None = None

    def row(self) -> dict[str, Any]:
        """Return the task under upstream's names."""
        return {
            'task_id': self.task_id, 'status': self.status, 'message': self.message,
            'progress': self.progress, 'created_at': self.created_at,
            'started_at': self.started_at, 'completed_at': self.completed_at,
            'export_dir': self.export_dir, 'request': self.request,
            'num_images': len(self.images), 'export_format': self.request['export_format'],
            'process_res_method': self.request['process_res_method'], 'video_path': None}


class Tasks:
    """A queue of tasks and one thread that does them; safe to use from several threads."""

    def __init__(
        self, service: Callable[[], DepthService], images: ImageRoots, exports: ExportRoots,
    ) -> None:
        """
        Begin without tasks.

        :param service: returns what runs the network.
        :param images: where pictures may be read.
        :param exports: where results may be written.
        """
        self._service, self._images, self._exports = service, images, exports
        self._lock = threading.Lock()
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._pool = ThreadPoolExecutor(1, 'backend-tasks')

    def close(self) -> None:
        """Take no more tasks; those that wait are dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def submit(self, request: dict[str, Any]) -> Task:
        """
        Queue a task.

        :param request: the fields of rule U2, of the right types.
        :raises Forbidden: when a picture or the folder is not allowed.
        :raises InvalidRequest: when the request cannot be served.
        :raises Busy: when too many wait.
        """
        paths = request['image_paths']
        if not 1 <= len(paths) <= MOST_IMAGES:
            raise InvalidRequest(
                f'{len(paths)} image_paths; accepted: 1 to {MOST_IMAGES}')
        if not request['export_dir']:
            raise InvalidRequest('export_dir is required: results are files on the server')
        if request['extrinsics'] is not None or request['intrinsics'] is not None:
            raise InvalidRequest(
                'given extrinsics and intrinsics are not used here; leave them out, the model '
                'predicts them')
        formats = formats_of(request['export_format'])
        options = SceneOptions(
            process_res=request['process_res'], process_res_method=request['process_res_method'],
            conf_thresh_percentile=request['conf_thresh_percentile'],
            num_max_points=request['num_max_points'], show_cameras=request['show_cameras'])
        folder = self._exports.check(request['export_dir'])
        task = Task(request, str(folder), tuple(paths))
        with self._lock:
            if sum(item.status in (PENDING, RUNNING) for item in self._tasks.values()) \
                    >= MOST_PENDING:
                raise Busy(f'{MOST_PENDING} tasks are waiting already; try again')
            self._tasks[task.task_id] = task
            ended = [item.task_id for item in self._tasks.values() if item.completed_at]
            for name in ended[:-MOST_KEPT]:
                del self._tasks[name]
        self._pool.submit(self._run, task, formats, options)
        return task

    def get(self, name: str) -> Task | None:
        """Return a task, None when there is none of that id."""
        with self._lock:
            return self._tasks.get(name)

    def delete(self, name: str) -> bool | None:
        """Forget an ended task; False when it has not ended, None when there is none."""
        with self._lock:
            task = self._tasks.get(name)
            if task is None:
                return None
            if task.completed_at is None:
                return False
            del self._tasks[name]
            return True

    def overview(self) -> dict[str, Any]:
        """Return all tasks as rule U3 has them."""
        with self._lock:
            tasks = list(self._tasks.values())
        active = [task.row() for task in tasks if task.completed_at is None]
        ended = [task.row() for task in tasks if task.completed_at is not None]
        return {'tasks': active + ended, 'active_tasks': active, 'completed_tasks': ended,
                'active_count': len(active), 'total_count': len(tasks)}

    def _run(self, task: Task, formats: Sequence[str], options: SceneOptions) -> None:
        task.started_at, task.status, task.message = time.time(), RUNNING, 'Reading images'
        try:
            frames = [self._frame(path) for path in task.images]
            task.progress, task.message = 0.3, f'Processing {len(frames)} images'
            views = self._service().views(
                [lambda frame=frame: frame for frame in frames],  # type: ignore[misc]
                options.frame_options()).result()
            task.progress, task.message = 0.7, 'Writing results'
            scene = fuse(views, options)
            folder = self._exports.check(task.export_dir)
            for name in formats:
                for place, data in FORMATS[name](views, scene, options).items():
                    self._exports.write(folder, place, data)
            task.progress, task.message, status = 1.0, 'Completed', COMPLETED
        except Exception as error:
            seen = failure(error)
            if seen.face.http == 500:
                logger.exception('task %s failed', task.task_id)
            task.message, status = seen.text, FAILED
        # Last: whoever sees the time sees the rest.
        task.status, task.completed_at = status, time.time()

    def _frame(self, path: str) -> Frame:
        data = memoryview(self._images.read(path))
        return Frame(decode_picture(data, picture_size(data)))
