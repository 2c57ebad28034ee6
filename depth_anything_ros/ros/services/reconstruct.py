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

"""The service ~/reconstruct: images of a scene in, its cloud, poses and GLB out."""

from __future__ import annotations

from array import array
from dataclasses import replace
import threading
from typing import Any

from depth_anything_ros.core.camera_info import intrinsics_of
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.errors import Busy, InvalidRequest
from depth_anything_ros.reconstruction.glb import glb_bytes
from depth_anything_ros.reconstruction.options import scene_options, SceneOptions
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.ros.background import in_background
from depth_anything_ros.ros.conversions import frame_of
from depth_anything_ros.ros.distro import resumed
from depth_anything_ros.ros.interfaces import ReconstructScene
from depth_anything_ros.ros.scene_messages import cloud_of, infos_of, poses_of
from depth_anything_ros.ros.services.answers import refused
from depth_anything_ros.service import DepthService
from rclpy.callback_groups import ReentrantCallbackGroup

MOST_AT_ONCE = 2
"""Reconstructions that may be under way: each holds all its images."""


class ReconstructServer:
    """
    Answers ``~/reconstruct``.

    The work is done in a thread of its own and its one call of the network takes its turn on the
    device, so that topics and other services go on.
    """

    def __init__(self, node: Any) -> None:
        """
        Create the service.

        :param node: the node that owns it, with ``serving`` and ``settings``.
        """
        self._node = node
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._server = node.create_service(
            ReconstructScene, '~/reconstruct', self._answer,
            callback_group=ReentrantCallbackGroup())

    async def _answer(self, request: Any, response: Any) -> Any:
        if not self._room.acquire(blocking=False):
            return refused(response, Busy(
                f'{MOST_AT_ONCE} reconstructions are under way already; try again'))
        try:
            service: DepthService = self._node.serving()
            options = with_wishes(scene_options(self._node.settings), request)
            work = in_background(
                lambda: fill(response, request, reconstructed(service, request, options), options),
                'depth-reconstruct')
            return await resumed(self._node.executor, work)
        except Exception as error:
            return refused(response, error)
        finally:
            self._room.release()


def with_wishes(options: SceneOptions, request: Any) -> SceneOptions:
    """Return the node's options with what a request names itself."""
    return replace(
        options, process_res=request.process_res or options.process_res,
        num_max_points=request.num_max_points or options.num_max_points,
        voxel_size=float(request.voxel_size) or options.voxel_size)


def reconstructed(service: DepthService, request: Any, options: SceneOptions) -> Scene:
    """
    Return the scene of a request.

    :raises InvalidRequest: when its images or cameras cannot be served.
    """
    infos = request.camera_infos
    if infos and len(infos) != len(request.images):
        raise InvalidRequest(
            f'{len(infos)} camera_infos came with {len(request.images)} images; accepted: none, '
            'or one per image')
    frames = [frame_of(image) for image in request.images]
    if infos:
        frames = [with_camera(frame, info) for frame, info in zip(frames, infos)]
    return service.reconstruct(frames, options)


def with_camera(frame: Frame, info: Any) -> Frame:
    """Return a frame with the intrinsics that a CameraInfo holds, if it is calibrated."""
    return replace(frame, intrinsics=intrinsics_of(info, *frame.size))


def fill(response: Any, request: Any, scene: Scene, options: SceneOptions) -> Any:
    """Fill the response of a request that went well, and return it."""
    headers = [image.header for image in request.images]
    response.success, response.code = True, 'ok'
    response.message = '; '.join(scene.notes)
    response.model, response.scale_law = scene.model, scene.scale_law
    response.metric = scene.metadata()['unit'] == 'm'
    response.poses = poses_of(scene)
    response.processed_infos = infos_of(scene, headers)
    if request.with_cloud:
        response.cloud = cloud_of(scene, headers[0])
    if request.with_glb:
        response.glb = array('B', glb_bytes(scene, show_cameras=options.show_cameras))
    return response
