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

"""One recording of a live camera: images become keyframes, and those a scene."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.keyframes import Keyframes
from depth_anything_ros.errors import Cancelled, DepthAnythingError, InvalidImage
from depth_anything_ros.reconstruction.options import scene_options
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.ros.frames import FrameMaker
from depth_anything_ros.ros.pairing import Pair
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.ros.subscriptions import Subscriptions
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import Settings

logger = logging.getLogger(__name__)


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
        """Unsubscribe; to be called as soon as it is ``recorded``."""
        self._topics.close()

    def close(self) -> None:
        """Give up: nothing is handed out any more."""
        self._withdrawn = True
        self.finish()
        self.let_go()

    def _take(self, message: Any) -> None:
        with self._changed:
            self._image = message
            self._changed.notify_all()

    def _take_info(self, stamp: int, message: Any) -> None:
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
