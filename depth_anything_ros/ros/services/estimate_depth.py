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

import threading
from typing import Any, Sequence

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidIntrinsics
from depth_anything_ros.frame_options import options_of
from depth_anything_ros.ros.buffers import CloudBuffer, ImageBuffer
from depth_anything_ros.ros.camera_info import fill_camera_info
from depth_anything_ros.ros.distro import resumed
from depth_anything_ros.ros.frames import FrameMaker
from depth_anything_ros.ros.headers import header_of
from depth_anything_ros.ros.inputs import needs_focal
from depth_anything_ros.ros.interfaces import EstimateDepth
from depth_anything_ros.ros.pairing import Pair
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.ros.services.answers import refused
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import Settings
from rclpy.callback_groups import ReentrantCallbackGroup


class Remarks(Reporter):
    """Says everything once in the log, and keeps what is true of the image at hand."""

    def __init__(self, logger: Any) -> None:
        """Report to a logger; see :class:`Reporter`."""
        super().__init__(logger, prefix='~/estimate_depth: ')
        self.of_image: list[str] = []

    def once(self, kind: str, text: str) -> None:
        """Keep a remark for the answer, and warn of its kind once for ever."""
        self.of_image.append(text)
        super().once(kind, text)


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
        self._remarks = Remarks(node.get_logger())
        # A request has no topic whose name could say that the image is rectified.
        self._maker = FrameMaker('', self._remarks)
        self._turn = threading.Lock()  # two models prepare at once while one takes over
        self._server = node.create_service(
            EstimateDepth, '~/estimate_depth', self._answer,
            callback_group=ReentrantCallbackGroup())

    async def _answer(self, request: Any, response: Any) -> Any:
        remarks: list[str] = []
        try:
            service, settings = self._node.serving(), self._node.settings
            options = self._options(request, settings)
            future = service.submit(
                lambda: self._frame(request, service, settings, options, remarks), options)
            result = await resumed(self._node.executor, future)
        except Exception as error:
            return refused(response, error)
        return fill(response, result, remarks)

    @staticmethod
    def _options(request: Any, settings: Settings) -> FrameOptions:
        outputs = {Output.DEPTH}
        if request.with_cloud:
            outputs.add(Output.POINTS)
        if request.with_confidence:
            outputs.add(Output.CONFIDENCE)
        usual = options_of(settings, frozenset(outputs))
        own_angle = request.fov_deg != 0.0
        return FrameOptions(
            process_res=request.process_res or usual.process_res,
            process_res_method=usual.process_res_method,
            minimum=usual.minimum, maximum=usual.maximum,
            focal_length=0.0 if own_angle else usual.focal_length,
            fov_deg=float(request.fov_deg) if own_angle else usual.fov_deg,
            outputs=usual.outputs)

    def _frame(
        self, request: Any, service: DepthService, settings: Settings, options: FrameOptions,
        remarks: list[str],
    ) -> Frame:
        """Return the frame of a request, and add to the remarks what is to be said of it."""
        with self._turn:
            self._remarks.of_image.clear()
            frame = self._maker.frame(
                Pair(request.image, request.camera_info), settings, options,
                service.info.process_res, needs_camera=False,
                on_device=service.info.rectifies)
            remarks += self._remarks.of_image
        if frame.intrinsics is None and needs_focal(service, options):
            raise InvalidIntrinsics(
                'metric depth needs a focal length: give a camera_info with k[0] > 0, or fov_deg')
        return frame


def fill(response: Any, result: DepthResult, remarks: Sequence[str] = ()) -> Any:
    """Fill the response of a request that went well, and return it; its message has remarks."""
    header = header_of(result.frame)
    response.success, response.code = True, 'ok'
    response.message = '; '.join([*remarks, *result.notes])
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
