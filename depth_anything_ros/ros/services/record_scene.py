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
from queue import SimpleQueue
from typing import Any

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.errors import Busy, ConfigError, DepthAnythingError, InvalidRequest
from depth_anything_ros.reconstruction.files import save_scene
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.ros.headers import header_of
from depth_anything_ros.ros.recording import Recording
from depth_anything_ros.ros.scene_messages import cloud_of
from depth_anything_ros.ros.services.answers import refused
from depth_anything_ros.settings import Settings
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2
from std_srvs.srv import SetBool

logger = logging.getLogger(__name__)

TOPICS = {DepthKind.METRIC: '~/scene/points', DepthKind.RELATIVE: '~/scene/points_relative'}
"""Where a scene is published: one without a unit never where the unit is the metre."""


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
        wanted = settings.reconstruction
        if wanted.folder:
            try:
                paths = save_scene(scene, wanted.folder, f'scene_{frames[0].stamp_ns}',
                                   show_cameras=wanted.show_cameras)
            except OSError as error:
                logger.error('the scene is published, but was not written into %s: %s',
                             wanted.folder, error)
            else:
                for path in paths:
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
