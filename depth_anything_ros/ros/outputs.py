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

"""The topics of one camera: which of them somebody reads, and one frame on all of those."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
import math
import time
from typing import Any, Callable

from depth_anything_ros.core.depth import DepthKind, millimetres
from depth_anything_ros.core.options import Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.ros import distro
from depth_anything_ros.ros.buffers import (
    Carry,
    CloudBuffer,
    ImageBuffer,
    InfoBuffer,
    ScanBuffer,
)
from depth_anything_ros.ros.companions import Companions
from depth_anything_ros.ros.headers import frame_header
from depth_anything_ros.ros.qos import newest_only
from depth_anything_ros.ros.rate import RateLimit
from depth_anything_ros.ros.serialized import carrier, publish
from depth_anything_ros.service import EngineInfo
from depth_anything_ros.settings import Settings
import numpy as np
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

TRUSTED_S = 1.0
"""
Seconds for which nobody is asked who reads, unless that changes: the executor, which hears of it,
may be busy.
"""


@dataclass(frozen=True)
class Topic:
    """
    One thing that is published.

    ``output`` is what the engine must compute for it, ``buffer`` makes its long-lived message,
    told what that lies in, ``value`` takes from a result what goes into the message (None: nothing
    to publish) and makes what has yet to be made in the buffer's memory, ``offered`` says whether
    a model can give it at all, and ``frame_id`` names its frame where that is not the image's.
    ``in_place``: the message's bytes are those of the output, which the engine then writes into
    the message.
    """

    name: str
    kind: type
    output: Output
    buffer: Callable[[Carry], Any]
    value: Callable[[DepthResult, Any], Any]
    offered: Callable[[EngineInfo], bool] = lambda info: True
    frame_id: Callable[[DepthResult], str] | None = None
    in_place: bool = False


def is_metric(info: EngineInfo) -> bool:
    """Return whether a model may publish on topics whose unit is metres."""
    return info.kind is not DepthKind.RELATIVE


def is_relative(info: EngineInfo) -> bool:
    """Return whether the scale of a model is unknown."""
    return not is_metric(info)


def raw_depth(result: DepthResult, buffer: ImageBuffer) -> Any:
    """Return whole millimetres, made in the memory of a message where there is some."""
    return millimetres(result.depth, buffer.place(result.depth.shape, np.uint16))


def sky_mask(result: DepthResult, buffer: ImageBuffer) -> Any:
    """Return 255 where the sky is, in a message as above, None where the model did not say."""
    if result.sky is None:
        return None
    return np.multiply(result.sky, np.uint8(255), out=buffer.place(result.sky.shape, np.uint8))


def cloud_frame(result: DepthResult) -> str:
    """Return the frame of the points: the target frame where there is one."""
    frame = result.frame
    return frame.placement.frame_id if frame.placement else frame.frame_id


TOPICS = (
    Topic('depth/camera_info', CameraInfo, Output.DEPTH, InfoBuffer,
          lambda result, buffer: result.intrinsics),
    Topic('depth/image', Image, Output.DEPTH, partial(ImageBuffer, '32FC1'),
          lambda result, buffer: result.depth, is_metric, in_place=True),
    Topic('depth/image_raw', Image, Output.DEPTH, partial(ImageBuffer, '16UC1'),
          raw_depth, is_metric),
    Topic('depth/relative', Image, Output.DEPTH, partial(ImageBuffer, '32FC1'),
          lambda result, buffer: result.depth, is_relative, in_place=True),
    Topic('depth/points', PointCloud2, Output.POINTS, CloudBuffer,
          lambda result, buffer: result.cloud, is_metric, cloud_frame, in_place=True),
    Topic('depth/scan', LaserScan, Output.SCAN, lambda carry: ScanBuffer(),
          lambda result, buffer: result.scan, is_metric,
          lambda result: result.scan.frame_id if result.scan else ''),
    Topic('depth/preview', Image, Output.PREVIEW, partial(ImageBuffer, 'rgb8'),
          lambda result, buffer: result.preview, in_place=True),
    Topic('color/camera_info', CameraInfo, Output.DEPTH, InfoBuffer,
          lambda result, buffer: result.intrinsics),
    Topic('color/image', Image, Output.DEPTH, partial(ImageBuffer, 'rgb8'),
          lambda result, buffer: result.color),
    Topic('confidence/image', Image, Output.CONFIDENCE, partial(ImageBuffer, '32FC1'),
          lambda result, buffer: result.confidence, lambda info: info.has_confidence,
          in_place=True),
    Topic('sky/mask', Image, Output.SKY, partial(ImageBuffer, 'mono8'), sky_mask,
          lambda info: info.has_sky),
    Topic('camera_info/estimated', CameraInfo, Output.INTRINSICS, InfoBuffer,
          lambda result, buffer: result.estimated, lambda info: info.predicts_intrinsics),
)
"""Every topic that a camera can have; one line makes another."""


def offers(info: EngineInfo) -> tuple[str, ...]:
    """Return the topics of a camera that a model can fill."""
    return tuple(topic.name for topic in TOPICS if topic.offered(info))


class Outputs:
    """
    The publishers of one camera.

    A relative model publishes ``depth/relative`` in place of ``depth/image`` and ``depth/points``,
    because a topic whose unit is metres must not carry anything else.
    """

    def __init__(
        self, node: Any, info: EngineInfo, settings: Settings, on_readers: Callable[[], None],
        prefix: str = '', companions: Companions | None = None,
    ) -> None:
        """
        Create the publishers, silent until the node is active.

        :param node: the life cycle node.
        :param info: what the model can give.
        :param settings: quality of service.
        :param on_readers: called in the executor's thread when somebody begins or ends to read;
            not called where rclpy has no such event (``distro.READERS_ARE_POLLED``).
        :param prefix: stands in front of every topic's name.
        :param companions: servers that take the results, too, where somebody follows them.
        """
        self._node = node
        self._camera = prefix.rstrip('/')
        self._companions = companions
        self._clouds = RateLimit()
        self._on_readers, self._count_after = on_readers, -math.inf
        self._offered = [
            (topic, topic.buffer(carrier()), node.create_lifecycle_publisher(
                topic.kind, prefix + topic.name, **newest_only(settings.node.output_qos),
                **distro.on_matched(self._readers_changed)))
            for topic in TOPICS if topic.offered(info)]
        self._read = self._offered
        self._read_outputs: frozenset[Output] = frozenset()

    def wanted(self) -> frozenset[Output]:
        """
        Return what somebody subscribes to; empty when nobody subscribes to anything.

        Only those topics are published until the next call.
        """
        now = time.monotonic()
        # Asking every publisher takes as long as all else that is done when an image comes.
        if now > self._count_after or distro.READERS_ARE_POLLED:
            self._count_after = now + TRUSTED_S  # first: they may change meanwhile
            self._read = read = [
                each for each in self._offered if each[2].get_subscription_count()]
            self._read_outputs = frozenset(topic.output for topic, _, _ in read)
        return self._read_outputs if self._companions is None else \
            self._read_outputs | self._companions.wanted(self._camera)

    def _readers_changed(self) -> None:
        self._count_after = -math.inf
        self._on_readers()

    def due(
        self, wanted: frozenset[Output], stamp_ns: int, clouds_per_second: float,
    ) -> frozenset[Output]:
        """
        Return what of the wanted is due for the image of a stamp.

        :param wanted: what somebody subscribes to.
        :param stamp_ns: of the image.
        :param clouds_per_second: limit of the cloud's rate, 0 for none.
        """
        self._clouds.hertz = clouds_per_second
        return wanted if self._clouds.allows(stamp_ns) else wanted - {Output.POINTS}

    def memory(self, output: Output, shape: tuple[int, ...], kind: type) -> Any:
        """Return the memory of a message that an output is to be written into, None without."""
        for topic, buffer, _ in self._read:
            if topic.in_place and topic.output is output:
                return buffer.place(shape, kind)
        return None

    def publish(self, result: DepthResult) -> None:
        """
        Publish one frame on every topic that is read, all with the stamp of the input.

        The messages are filled in place: call it from one thread only.

        :param result: what the service handed out for the frame.
        """
        for topic, buffer, publisher in self._read:
            value = topic.value(result, buffer)
            if value is None:
                continue
            # Images that were under way together may each have brought a cloud.
            if topic.output is Output.POINTS and not self._clouds.take(result.frame.stamp_ns):
                continue
            header = frame_header(
                result.frame, None if topic.frame_id is None else topic.frame_id(result))
            publish(publisher, buffer.fill(header, value))
        if self._companions is not None:
            self._companions.publish(self._camera, result)

    def activate(self) -> None:
        """Let the publishers speak in a node that is active already."""
        for _, _, publisher in self._offered:
            publisher.on_activate(None)

    def destroy(self) -> None:
        """Take the publishers down."""
        for _, _, publisher in self._offered:
            self._node.destroy_lifecycle_publisher(publisher)
