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

"""The service ~/record_scene: keyframes of a live camera become a scene, latched and in files."""

from __future__ import annotations

import logging
from pathlib import Path
from queue import SimpleQueue
import threading
import time
from typing import Any, Callable

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.keyframes import Keyframes
from depth_anything_ros.errors import (
    Busy,
    Cancelled,
    ConfigError,
    DepthAnythingError,
    InvalidImage,
    InvalidRequest,
)
from depth_anything_ros.reconstruction.export import scene_bytes
from depth_anything_ros.reconstruction.options import scene_options
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.ros.conversions import header_of
from depth_anything_ros.ros.frames import FrameMaker
from depth_anything_ros.ros.pairing import Pair
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.ros.scene_messages import cloud_of
from depth_anything_ros.ros.services.answers import refused
from depth_anything_ros.ros.subscriptions import Subscriptions
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import Settings
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2
from std_srvs.srv import SetBool

logger = logging.getLogger(__name__)

TOPICS = {DepthKind.METRIC: '~/scene/points', DepthKind.RELATIVE: '~/scene/points_relative'}
"""Where a scene is published: one without a unit never where the unit is the metre."""


class Recording:
    """
    One recording: from its first image to its scene.

    The callbacks only keep the newest messages; a thread of its own looks at them, picks the
    keyframes and waits for the scene.
    """

    def __init__(
        self, node: Any, service: DepthService, settings: Settings, prefix: str,
        on_recorded: Callable[[], None],
        on_scene: Callable[[Scene, list[Frame]], None], on_error: Callable[[Exception], None],
    ) -> None:
        """
        Subscribe and begin.

        :param node: the node that owns the subscriptions.
        :param service: reconstructs.
        :param settings: of the whole recording.
        :param prefix: stands in front of the names of the camera's topics.
        :param on_recorded: hears that no more images are taken; as the other two it is called in
            the recording's thread, and not any more after :meth:`close`.
        :param on_scene: is given the scene and its frames.
        :param on_error: is given what stopped it.
        """
        self._service, self._settings = service, settings
        self._on_recorded, self._on_scene, self._on_error = on_recorded, on_scene, on_error
        self.recorded = False
        wanted = settings.reconstruction
        self._keyframes: Keyframes[Frame] = Keyframes(
            wanted.record_keyframes, wanted.record_seconds)
        self._image: Any = None
        self._info: Any = None
        self._changed = threading.Condition()
        self._finish = self._withdrawn = False
        self._topics = Subscriptions(node, settings, self._take, self._take_info, prefix)
        self._maker = FrameMaker(self._topics.image_topic, Reporter(node.get_logger()))
        self._topics.subscribe()
        self._thread = threading.Thread(target=self._run, name='depth-record', daemon=True)
        self._thread.start()

    @property
    def count(self) -> int:
        """Return the number of keyframes so far."""
        return len(self._keyframes.items)

    @property
    def running(self) -> bool:
        """Return whether it is not over yet."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """End the recording now and reconstruct what there is."""
        with self._changed:
            self._finish = True
            self._changed.notify_all()

    def let_go(self) -> None:
        """Unsubscribe; only ever in the executor's thread, which may be waiting for the topics."""
        self._topics.unsubscribe()

    def close(self) -> None:
        """Give up: nothing is handed out any more."""
        self._withdrawn = True
        self.finish()
        self.let_go()

    def _take(self, message: Any) -> None:
        with self._changed:
            self._image = message
            self._changed.notify_all()

    def _take_info(self, message: Any) -> None:
        self._info = message

    def _run(self) -> None:
        try:
            try:
                frames = self._record()
            finally:
                self.recorded = True
                self._say(self._on_recorded)
            if not frames:
                raise InvalidImage(
                    f'no image came on {self._topics.image_topic} within '
                    f'{self._settings.reconstruction.record_seconds:g} s')
            logger.info('recorded %d keyframes; reconstructing', len(frames))
            scene = self._service.reconstruct(
                frames, scene_options(self._settings), cancelled=lambda: self._withdrawn)
            self._say(self._on_scene, scene, frames)
        except Cancelled:
            logger.info('the recording was given up')
        except Exception as error:
            self._say(self._on_error, error)

    def _say(self, listener: Callable[..., None], *what: Any) -> None:
        if not self._withdrawn:
            listener(*what)

    def _record(self) -> list[Frame]:
        end = time.monotonic() + self._settings.reconstruction.record_seconds
        while not self._keyframes.full:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._image is not None or self._finish, end - time.monotonic())
                message, self._image = self._image, None
                if self._withdrawn:
                    raise Cancelled('given up')
                if message is None:
                    break
            self._offer(message)
            if time.monotonic() > end:
                break
        return self._keyframes.finish()

    def _offer(self, message: Any) -> None:
        options = scene_options(self._settings).frame_options()
        try:
            frame = self._maker.frame(
                Pair(message, self._info), self._settings, options,
                self._service.info.process_res, needs_camera=False)
        except DepthAnythingError as error:
            logger.warning('an image cannot be recorded: %s', error)
            return
        self._keyframes.offer(frame.rgb, frame, time.monotonic())


class RecordSceneServer:
    """
    Answers ``~/record_scene``: true begins a recording, false ends it before its time.

    It ends by itself after ``reconstruction.record_seconds``, or with
    ``reconstruction.record_keyframes`` keyframes. The scene is then published once on
    ``~/scene/points``, latched: who subscribes later gets it too; and it is written into
    ``reconstruction.folder`` where that is set.
    """

    def __init__(self, node: Any) -> None:
        """
        Create the service.

        :param node: the node that owns it, with ``serving``, ``settings`` and ``cameras``.
        """
        self._node = node
        self._recording: Recording | None = None
        self._publishers: dict[str, Any] = {}
        self._clouds: SimpleQueue[tuple[str, PointCloud2]] = SimpleQueue()
        # What changes the node's entities is done in the executor's thread.
        self._wake = node.create_guard_condition(self._catch_up)
        self._server = node.create_service(SetBool, '~/record_scene', self._answer)

    def close(self) -> None:
        """Give up a recording that is under way: the node is deactivated."""
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()

    def _answer(self, request: Any, response: Any) -> Any:
        try:
            response.message = self._begin() if request.data else self._end()
        except Exception as error:
            return refused(response, error)
        logger.info('%s', response.message)
        response.success = True
        return response

    def _begin(self) -> str:
        service = self._node.serving()
        if not service.info.multi_view:
            raise InvalidRequest(
                f'{service.info.model} predicts no camera poses; recording a scene needs an '
                'any-view or nested model, such as da3-small or da3nested-giant-large')
        if self._recording is not None and self._recording.running:
            raise Busy(f'a recording is under way already, {self._recording.count} keyframes')
        name = chosen_camera(self._node.settings.reconstruction.record_camera,
                             [camera.name for camera in self._node.cameras])
        settings = self._node.settings_of(name)
        wanted = settings.reconstruction
        self._recording = Recording(
            self._node, service, settings, f'{name}/' if name else '', self._wake.trigger,
            lambda scene, frames: self._hand_out(scene, frames, settings), self._report)
        return (f'recording for {wanted.record_seconds:g} s or {wanted.record_keyframes} '
                'keyframes')

    def _end(self) -> str:
        if self._recording is None or not self._recording.running:
            raise InvalidRequest('no recording is under way')
        self._recording.finish()
        return f'ended with {self._recording.count} keyframes and the newest; reconstructing'

    def _hand_out(self, scene: Scene, frames: list[Frame], settings: Settings) -> None:
        logger.info('a scene of %d points from %d keyframes (%s)', len(scene.points),
                    len(frames), scene.scale_law)
        for note in scene.notes:
            logger.info('scene: %s', note)
        self._clouds.put((TOPICS[scene.kind], cloud_of(scene, header_of(frames[0]))))
        self._wake.trigger()
        if settings.reconstruction.folder:
            for path in saved(scene, settings, frames[0].stamp_ns):
                logger.info('wrote %s', path)

    def _catch_up(self) -> None:
        if self._recording is not None and self._recording.recorded:
            self._recording.let_go()
        while not self._clouds.empty():
            topic, cloud = self._clouds.get()
            if topic not in self._publishers:
                latched = QoSProfile(
                    depth=1, reliability=ReliabilityPolicy.RELIABLE,
                    durability=DurabilityPolicy.TRANSIENT_LOCAL)
                self._publishers[topic] = self._node.create_publisher(PointCloud2, topic, latched)
            self._publishers[topic].publish(cloud)
            logger.info('the scene is on %s', topic)

    def _report(self, error: Exception) -> None:
        known = isinstance(error, DepthAnythingError)
        logger.error('no scene: %s', error, exc_info=None if known else error)


def chosen_camera(name: str, cameras: list[str]) -> str:
    """
    Return the name of the camera that a scene is recorded with.

    :param name: of the camera; empty: the first one.
    :param cameras: the node's, one without a name where there is only one.
    :raises ConfigError: when there is no such camera.
    """
    if name and name not in cameras:
        raise ConfigError(
            f'reconstruction.record_camera {name!r} is none of {", ".join(filter(None, cameras))}')
    return name or cameras[0]


def saved(scene: Scene, settings: Settings, stamp_ns: int) -> list[Path]:
    """
    Write a scene as GLB and PLY into the configured folder, under names of our own.

    :param scene: what to write.
    :param settings: the folder, and whether the GLB draws the cameras.
    :param stamp_ns: of the first image; it is in the names.
    :returns: the files. Nothing that is there is overwritten.
    """
    folder = Path(settings.reconstruction.folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for ending in ('.glb', '.ply'):
        data = scene_bytes(
            scene, ending, show_cameras=settings.reconstruction.show_cameras)
        paths.append(written(folder, f'scene_{stamp_ns}', ending, data))
    return paths


def written(folder: Path, name: str, ending: str, data: bytes) -> Path:
    """Write a new file, with a number behind its name where that is taken."""
    number = 0
    while True:
        path = folder / f'{name}{f"_{number}" if number else ""}{ending}'
        try:
            with path.open('xb') as file:
                file.write(data)
            return path
        except FileExistsError:
            number += 1
