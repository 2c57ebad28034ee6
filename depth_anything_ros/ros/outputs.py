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

from typing import Any

from depth_anything_ros.core.options import Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.ros.buffers import CloudBuffer, ImageBuffer
from depth_anything_ros.ros.camera_info import fill_camera_info
from depth_anything_ros.ros.conversions import header_of
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2


def output_qos() -> QoSProfile:
    """Return reliable, newest only: best-effort and reliable subscribers both match it."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE)


class Outputs:
    """
    The publishers of one camera.

    A relative model publishes ``depth/relative`` in place of ``depth/image`` and ``depth/points``,
    because a topic whose unit is metres must not carry anything else.
    """

    def __init__(self, node: Any, *, relative: bool) -> None:
        """
        Create the publishers, silent until the node is active.

        :param node: the life cycle node.
        :param relative: whether the model's scale is unknown.
        """
        self._node = node
        self._relative = relative

        def publisher(kind: type, topic: str) -> Any:
            return node.create_lifecycle_publisher(
                kind, topic, output_qos(),
                qos_overriding_options=QoSOverridingOptions.with_default_policies())

        self._depth = publisher(Image, 'depth/relative' if relative else 'depth/image')
        self._info = publisher(CameraInfo, 'depth/camera_info')
        self._preview = publisher(Image, 'depth/preview')
        self._points = None if relative else publisher(PointCloud2, 'depth/points')
        self._depth_message = ImageBuffer('32FC1')
        self._preview_message = ImageBuffer('rgb8')
        self._cloud_message = CloudBuffer()
        self._info_message = CameraInfo()

    def wanted(self) -> frozenset[Output]:
        """Return what somebody subscribes to; empty when nobody subscribes to anything."""
        wanted = set()
        if self._depth.get_subscription_count() or self._info.get_subscription_count():
            wanted.add(Output.DEPTH)
        if self._preview.get_subscription_count():
            wanted.add(Output.PREVIEW)
        if self._points is not None and self._points.get_subscription_count():
            wanted.add(Output.POINTS)
        return frozenset(wanted)

    def publish(self, result: DepthResult) -> None:
        """
        Publish one frame on every topic that was asked for, all with the input's header.

        The messages are filled in place: call it from one thread only.

        :param result: what the service handed out for the frame.
        """
        header = header_of(result.frame)
        if result.intrinsics is not None and self._info.get_subscription_count():
            self._info.publish(fill_camera_info(self._info_message, header, result.intrinsics))
        if self._depth.get_subscription_count():
            self._depth.publish(self._depth_message.fill(header, result.depth))
        if result.cloud is not None and self._points is not None:
            self._points.publish(self._cloud_message.fill(header, result.cloud))
        if result.preview is not None:
            self._preview.publish(self._preview_message.fill(header, result.preview))

    def destroy(self) -> None:
        """Take the publishers down."""
        for publisher in (self._depth, self._info, self._preview, self._points):
            if publisher is not None:
                self._node.destroy_lifecycle_publisher(publisher)
