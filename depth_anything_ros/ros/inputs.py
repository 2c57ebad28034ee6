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

"""One camera's way in: pairing, the stream, and what became of every image."""

from __future__ import annotations

from dataclasses import replace
import logging
import math
import threading
import time
from typing import Any, Callable

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.result import DepthResult, ScaleLaw
from depth_anything_ros.errors import DepthAnythingError, InvalidRequest, PayloadTooLarge
from depth_anything_ros.frame_options import options_of
from depth_anything_ros.ros.camera_info import content_of
from depth_anything_ros.ros.conversions import NANOSECONDS, stamp_ns
from depth_anything_ros.ros.counting import age_of, Counts, Flow
from depth_anything_ros.ros.frames import FrameMaker, NO_FOCAL
from depth_anything_ros.ros.outputs import Outputs
from depth_anything_ros.ros.pairing import Pair, Pairing
from depth_anything_ros.ros.received import ReceivedImage
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.ros.subscriptions import Subscriptions
from depth_anything_ros.ros.transforms import Transforms
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import Settings
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

logger = logging.getLogger(__name__)

SAME_FOCAL = 0.02
"""Relative change of the focal length below which the scale law counts as the same."""

LOOK_AGAIN = 1.0
"""Seconds between two looks at how the CameraInfo is published, while its stamps do not match."""


class Inactive(Exception):
    """The result came after the node was deactivated."""


def needs_focal(service: DepthService, options: FrameOptions) -> bool:
    """Return whether a frame without intrinsics cannot be served."""
    given = options.focal_length or options.fov_deg or service.info.predicts_intrinsics
    return service.info.kind is DepthKind.CANONICAL and not given


class CameraInput:
    """
    Takes one camera's images from its topics to its outputs, while the node is active.

    The topics are subscribed to while an output has a reader, and only then: see :meth:`refresh`.
    """

    def __init__(
        self, node: Any, service: DepthService, outputs: Outputs,
        settings: Callable[[], Settings], reporter: Reporter, flow: Flow,
        transforms: Transforms, prefix: str = '', enabled: bool = True,
    ) -> None:
        """
        Subscribe, if an output has a reader.

        :param node: the node that owns the subscriptions.
        :param service: what turns frames into depth.
        :param outputs: where results go.
        :param settings: returns the newest snapshot; read once per frame.
        :param reporter: is told what is wrong.
        :param flow: gets rates and delays.
        :param transforms: knows where the camera is in the target frame.
        :param prefix: stands in front of the names of the topics.
        :param enabled: whether images are taken at all.
        """
        self.enabled = enabled
        self._node, self._service, self._outputs = node, service, outputs
        self._settings, self._reporter, self._flow = settings, reporter, flow
        self._transforms = transforms
        self._pairing = Pairing(content_of)
        self._entry = threading.RLock()  # from one image's arrival to its hand-over
        self._exit = threading.Lock()  # from the check that we are open to the last publish
        self._ends = threading.Lock()  # stages fail in different threads
        self._open = True
        self._received = self._idle = self._no_info = self._flushed = 0
        self._invalid = self._inactive = 0
        self._law: ScaleLaw | None = None
        self._asked: tuple[Settings, frozenset[Output], FrameOptions] | None = None
        name = prefix.rstrip('/') or 'camera'
        self._stream = service.stream(name, self._on_result, self._on_error)
        # A server beside the topics may want to see this camera; it says so in its own thread.
        self._watched: Callable[[], bool] = lambda: service.watchers.watched(name)
        self._wake = node.create_guard_condition(self.refresh)
        self._unlisten: Callable[[], None] = service.watchers.on_change(
            name, self._wake.trigger)
        self.topics = Subscriptions(node, settings(), self._on_image, self._on_info, prefix)
        self.frames = FrameMaker(self.topics.image_topic, reporter)
        self.listening_since = math.inf
        self._looked = -math.inf
        self.refresh()

    @property
    def law(self) -> ScaleLaw | None:
        """Return the scale law of the newest result."""
        return self._law

    def counts(self) -> Counts:
        """Return what became of the images so far; the sums match at every moment."""
        with self._entry:
            # Before the stream's: it counts a failure first and tells us the reason after.
            invalid, inactive = self._invalid, self._inactive
            stream = self._stream.counts()
            return Counts(
                received=self._received, published=stream.done, idle=self._idle,
                replaced=stream.dropped, no_camera_info=self._no_info, invalid=invalid,
                failed=stream.failed - invalid - inactive, inactive=inactive + self._flushed,
                waiting=stream.waiting + self._pairing.waiting)

    def refresh(self) -> None:
        """
        Subscribe if an output has a reader, else leave the camera and the device in peace.

        Call it also when ``enabled`` has changed.
        """
        with self._entry:
            if self._open and self.enabled and self._wanted():
                if not self.topics.subscribed:
                    self.listening_since = time.monotonic()
                    self.topics.subscribe()
            elif self.topics.subscribed:
                self.topics.unsubscribe()
                self.listening_since = math.inf
                self._idle += len(self._pairing.flush())

    def _wanted(self) -> frozenset[Output]:
        wanted = self._outputs.wanted()
        return wanted | {Output.DEPTH} if self._watched() else wanted

    def close(self) -> None:
        """Unsubscribe; no result is published after this returns."""
        with self._entry, self._exit:
            self._open = False
        self._unlisten()
        self._node.destroy_guard_condition(self._wake)
        self.topics.close()
        with self._entry:
            self._flushed += len(self._pairing.flush())
        self._stream.close()

    def _on_image(self, message: ReceivedImage | Image | CompressedImage) -> None:
        self._flow.received.tick()
        exact = self._settings().camera.pairing == 'exact'
        with self._entry:
            self._received += 1
            if not self.topics.subscribed:  # another thread has just unsubscribed
                self._idle += 1
                return
            pairs = self._pairing.add_image(stamp_ns(message.header.stamp), message, exact=exact)
            for pair in pairs:
                self._submit(pair)
        self._follow_info(pairs)
        if exact and self._pairing.fallen and self._pairing.has_info:
            self._reporter.once(
                'pairing', f'stamps on {self.topics.info_topic} do not match those of '
                f'{self.topics.image_topic}: the newest camera_info is used (camera.pairing: '
                'latest does so from the start)')

    def _follow_info(self, pairs: list[Pair]) -> None:
        """Look how the CameraInfo is published, where images come without their own."""
        without = not all(pair.exact for pair in pairs)
        now = time.monotonic()
        if without and now - self._looked > LOOK_AGAIN:
            self._looked = now
            self.topics.follow_info()

    def _on_info(self, stamp: int, message: CameraInfo) -> None:
        with self._entry:
            for pair in self._pairing.add_info(stamp, message):
                self._submit(pair)

    def _submit(self, pair: Pair) -> None:
        settings = self._settings()
        wanted = self._outputs.due(
            self._wanted(), stamp_ns(pair.image.header.stamp), settings.points.max_rate)
        if not wanted:
            self._idle += 1
            return
        if self._asked is None or self._asked[0] is not settings or self._asked[1] != wanted:
            self._asked = settings, wanted, replace(
                options_of(settings, wanted), memory=self._outputs.memory)
        options = self._asked[2]
        if pair.info is None and not self._may_do_without(settings, options):
            self._no_info += 1
            self._reporter.warn('no_camera_info', self._missing_info())
            return
        self._transforms.listen()
        now = self._node.get_clock().now().nanoseconds
        raw = not isinstance(pair.image, CompressedImage)
        self._stream.submit(
            lambda: self._placed(self._frame(pair, settings, options, now), settings, options),
            options, ready=raw and not settings.camera.rectify)

    def _may_do_without(self, settings: Settings, options: FrameOptions) -> bool:
        if self._service.info.kind is DepthKind.RELATIVE and not settings.camera.rectify:
            return True
        # A camera that does send its focal length must not change scale, nor lens, when one
        # message is lost.
        return not self._pairing.has_info and not needs_focal(self._service, options)

    def _missing_info(self) -> str:
        if self._pairing.has_info:
            return ('image dropped: no camera_info with its stamp came on '
                    f'{self.topics.info_topic} before the next image')
        return f'image dropped: nothing came on {self.topics.info_topic}; {NO_FOCAL}'

    def _frame(
        self, pair: Pair, settings: Settings, options: FrameOptions, now: int,
    ) -> Frame:
        return self.frames.frame(
            pair, settings, options, self._service.info.process_res,
            needs_camera=needs_focal(self._service, options),
            on_device=self._service.info.rectifies, handed_in_ns=now)

    def _placed(self, frame: Frame, settings: Settings, options: FrameOptions) -> Frame:
        target = options.points.target_frame
        if not target or Output.POINTS not in options.outputs:
            return frame
        return replace(frame, placement=self._transforms.placement(
            target, frame.frame_id, frame.stamp_ns, settings.points.tf_timeout, self._reporter))

    def _on_result(self, result: DepthResult) -> None:
        with self._exit:
            if not self._open or not self._node.context.ok():
                raise Inactive
            begun = time.monotonic()
            self._outputs.publish(result)
            stages = {**result.timings, 'publish': time.monotonic() - begun}
        self._flow.published.tick()
        now = self._node.get_clock().now().nanoseconds
        age = age_of(now, result.frame.stamp_ns)
        if age is not None:
            self._flow.age.add(age)
            arrival = (result.frame.handed_in_ns - result.frame.stamp_ns) / NANOSECONDS
            self._flow.add_stages({'arrival': arrival, **stages})
        self._flow.ahead += 0 < now < result.frame.stamp_ns
        self._flow.latency.add(sum(stages.values()))
        self._say_law(result.scale_law)
        for note in result.notes:
            self._reporter.once(f'note: {note}', note)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, Inactive) or not self._node.context.ok():
            with self._ends:
                self._inactive += 1
        elif isinstance(error, (InvalidRequest, PayloadTooLarge)):
            with self._ends:
                self._invalid += 1
            self._reporter.warn(error.code, f'image dropped ({error.code}): {error}')
        elif isinstance(error, DepthAnythingError):
            self._reporter.warn(error.code, f'image failed ({error.code}): {error}')
        else:
            logger.debug('unforeseen', exc_info=error)
            self._reporter.warn(
                'unforeseen', f'image failed: {type(error).__name__}: {error}')

    def _say_law(self, law: ScaleLaw) -> None:
        old, self._law = self._law, law
        same = old is not None and (old.kind, old.focal_source) == (law.kind, law.focal_source) \
            and abs(old.focal - law.focal) <= SAME_FOCAL * law.focal
        if not same:
            self._reporter.info(f'scale law: {law}')
