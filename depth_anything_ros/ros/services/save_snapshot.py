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

"""The service ~/save_snapshot: the next frame of every camera as files in a configured folder."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
import time
from typing import Any, Sequence

from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.core.snapshots import snapshot_files, write_snapshot
from depth_anything_ros.errors import Busy, ConfigError, DepthAnythingError, NotReady
from depth_anything_ros.ros.background import in_background
from depth_anything_ros.ros.distro import resumed
from depth_anything_ros.ros.services.answers import refused
from depth_anything_ros.settings import Settings
from rclpy.callback_groups import ReentrantCallbackGroup
from std_srvs.srv import Trigger


class SaveSnapshotServer:
    """
    Answers ``~/save_snapshot`` when the files are there.

    It watches the cameras until each has brought one more frame, which also wakes those that
    nobody reads. One snapshot at a time.
    """

    def __init__(self, node: Any) -> None:
        """
        Create the service.

        :param node: the node that owns it, with ``serving``, ``cameras`` and ``settings``.
        """
        self._node = node
        self._busy = False
        self._server = node.create_service(
            Trigger, '~/save_snapshot', self._answer, callback_group=ReentrantCallbackGroup())

    async def _answer(self, request: Any, response: Any) -> Any:
        settings = self._node.settings
        try:
            if not settings.snapshot.directory:
                raise ConfigError('snapshots are off: snapshot.directory is empty')
            if self._busy:
                raise Busy('a snapshot is being saved already; try again')
            frames = self._frames()
        except Exception as error:
            return refused(response, error)
        self._busy = True
        try:
            saved, failed = await resumed(
                self._node.executor,
                in_background(lambda: save(frames, settings), 'depth-snapshot'))
        except Exception as error:
            return refused(response, error)
        finally:
            self._busy = False
            for _, _, watch in frames:
                watch.close()
        response.success = not failed
        response.message = '; '.join([
            *(f'cannot save {text}' for text in failed), *(f'saved {path}' for path in saved)])
        return response

    def _frames(self) -> list[tuple[str, Future[DepthResult], Any]]:
        """Return name, next frame and watch of every camera."""
        service = self._node.serving()
        if not all(camera.enabled for camera in self._node.cameras):
            raise NotReady('no images are taken: call ~/enable with true first')
        found = []
        for camera in self._node.cameras:
            future: Future[DepthResult] = Future()

            def keep(result: DepthResult, future: Future[DepthResult] = future) -> None:
                if not future.done():
                    # The pictures may be memory of the message or of the engine.
                    frame = replace(result.frame, rgb=result.frame.rgb.copy())
                    future.set_result(replace(
                        result, frame=frame,
                        processed=None if result.processed is None else result.processed.copy()))
            found.append((
                camera.name, future, service.watchers.watch(camera.name or 'camera', keep)))
        return found


def save(
    frames: Sequence[tuple[str, Future[DepthResult], Any]], settings: Settings,
) -> tuple[list[str], list[str]]:
    """
    Wait for the frames and write them.

    :returns: the folders that were written, and what was not written with the reason.
    """
    snapshot = settings.snapshot
    deadline = time.monotonic() + snapshot.timeout
    saved, failed = [], []
    for camera, future, _ in frames:
        try:
            result = future.result(max(0.0, deadline - time.monotonic()))
            seconds, nanoseconds = divmod(result.frame.stamp_ns, 10 ** 9)
            saved.append(write_snapshot(
                snapshot.directory,
                f'{seconds}.{nanoseconds:09d}' + (f'_{camera}' if camera else ''),
                snapshot_files(result), snapshot.max_count))
        except FutureTimeout:
            failed.append(f'{camera or "the camera"}: no frame within {snapshot.timeout:g} s')
        except DepthAnythingError as error:
            failed.append(f'{camera or "the camera"}: {error}')
    return saved, failed
