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

"""The service ~/estimate_depth: one image in, its depth out, without holding up the topics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from depth_anything_ros.core.camera_info import intrinsics_of
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidIntrinsics
from depth_anything_ros.frame_options import options_of
from depth_anything_ros.ros.buffers import CloudBuffer, ImageBuffer
from depth_anything_ros.ros.camera_info import fill_camera_info
from depth_anything_ros.ros.conversions import frame_of, header_of
from depth_anything_ros.ros.distro import resumed
from depth_anything_ros.ros.inputs import needs_focal
from depth_anything_ros.ros.interfaces import EstimateDepth
from depth_anything_ros.ros.services.answers import refused
from depth_anything_ros.service import DepthService
from rclpy.callback_groups import ReentrantCallbackGroup


class EstimateDepthServer:
    """
    Answers ``~/estimate_depth``.

    The callback is a coroutine in a group of its own: while the device works, the executor serves
    topics and further requests. Too many at once are answered ``busy``.
    """

    def __init__(self, node: Any) -> None:
        """
        Create the service.

        :param node: the node that owns it, with ``serving`` and ``settings``.
        """
        self._node = node
        self._server = node.create_service(
            EstimateDepth, '~/estimate_depth', self._answer,
            callback_group=ReentrantCallbackGroup())

    async def _answer(self, request: Any, response: Any) -> Any:
        try:
            service = self._node.serving()
            options = self._options(request)
            future = service.submit(lambda: self._frame(request, service, options), options)
            result = await resumed(self._node.executor, future)
        except Exception as error:
            return refused(response, error)
        return fill(response, result)

    def _options(self, request: Any) -> FrameOptions:
        outputs = {Output.DEPTH}
        if request.with_cloud:
            outputs.add(Output.POINTS)
        if request.with_confidence:
            outputs.add(Output.CONFIDENCE)
        settings = options_of(self._node.settings, frozenset(outputs))
        own_angle = request.fov_deg != 0.0
        return FrameOptions(
            process_res=request.process_res or settings.process_res,
            process_res_method=settings.process_res_method,
            minimum=settings.minimum, maximum=settings.maximum,
            focal_length=0.0 if own_angle else settings.focal_length,
            fov_deg=float(request.fov_deg) if own_angle else settings.fov_deg,
            outputs=settings.outputs)

    @staticmethod
    def _frame(request: Any, service: DepthService, options: FrameOptions) -> Frame:
        frame = frame_of(request.image)
        intrinsics = intrinsics_of(request.camera_info, *frame.size)
        if intrinsics is None and needs_focal(service, options):
            raise InvalidIntrinsics(
                'metric depth needs a focal length: give a camera_info with k[0] > 0, or fov_deg')
        return replace(frame, intrinsics=intrinsics)


def fill(response: Any, result: DepthResult) -> Any:
    """Fill the response of a request that went well, and return it."""
    header = header_of(result.frame)
    response.success, response.code = True, 'ok'
    response.message = '; '.join(result.notes)
    response.model, response.scale_law = result.model, str(result.scale_law)
    response.depth = ImageBuffer('32FC1').fill(header, result.depth)
    response.camera_info.header = header
    if result.intrinsics is not None:
        fill_camera_info(response.camera_info, header, result.intrinsics)
    if result.cloud is not None:
        response.cloud = CloudBuffer().fill(header, result.cloud)
    if result.confidence is not None:
        response.confidence = ImageBuffer('32FC1').fill(header, result.confidence)
    return response
