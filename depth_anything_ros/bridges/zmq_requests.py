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

"""What the ZMQ protocol means, without a socket: a request in, work to do and a reply out."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Sequence

from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.requests import (
    Fields,
    frame_source,
    Matrix,
    matrix_of,
    matrix_reply,
    process_res_of,
    switch_of,
    UNITS,
)
from depth_anything_ros.bridges.work import own_request, Results, unknown_command, Work
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.pose_alignment import aligned, check_poses
from depth_anything_ros.errors import InvalidIntrinsics, InvalidRequest, LimitExceeded
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import Message
from depth_anything_ros.wire.pillow import PillowImage
from depth_anything_ros.wire.status import SUCCESS
import numpy as np

PONG = {'status': SUCCESS, 'message': 'pong'}

MAX_BATCH = 32
"""Images of one request."""


class ZmqRequests:
    """Reads requests of the seed's dicts and of our own form; remembers set_intrinsics."""

    def __init__(self, access: Access, roots: ImageRoots, limits: Limits, clients: int) -> None:
        """
        Know who may ask for what.

        :param access: the key that requests need.
        :param roots: folders in which pictures may be named.
        :param limits: bounds of one message.
        :param clients: how many clients' intrinsics are remembered; the oldest go first.
        """
        self._access = access
        self._roots = roots
        self._limits = limits
        self._clients = clients
        self._matrices: OrderedDict[bytes, Matrix] = OrderedDict()

    def pickled(self, client: bytes, request: object) -> dict[str, Any] | Work:
        """
        Return the reply to a dict of the seed, or the work that makes it.

        :param client: identity of the connection.
        :param request: what the pickle held.
        :raises DepthAnythingError: when it cannot be served.
        """
        if not isinstance(request, dict):
            raise InvalidRequest(f'request is {type(request).__name__}; accepted: a dict')
        command = request.get('command', '')
        if command == 'ping':
            return dict(PONG)
        self._access.check(request)
        if command == 'inference':
            return self._inference(client, request)
        if command == 'inference_batch':
            return self._batch(request)
        if command == 'set_intrinsics':
            return self._remember(client, request)
        raise unknown_command(command)

    def own(self, message: Message) -> Message | Work:
        """
        Return the reply to a message of our own form, or the work that makes it.

        :param message: header with the request's keys, the image among its arrays.
        :raises DepthAnythingError: when it cannot be served.
        """
        return own_request(message, self._access, self._roots, self._limits)

    def _inference(self, client: bytes, request: Fields) -> Work:
        matrix = matrix_of(request.get('intrinsics'))
        if matrix is None:
            matrix = self._matrices.get(client)
        if 'images' in request and 'image' not in request:
            return self._views(request, matrix)
        image = self._image(request.get('image'))
        raw = not switch_of(request, 'metric')
        options = FrameOptions(process_res=process_res_of(request), raw=raw)

        def reply(results: Results) -> dict[str, Any]:
            result, = results
            return {
                'status': SUCCESS, 'depth': result.depth, 'intrinsics': matrix_reply(result),
                'units': UNITS[result.kind], 'model': result.model}
        return Work([frame_source(image, matrix, self._roots, self._limits)], options, reply,
                    ready=isinstance(image, (np.ndarray, PillowImage)),
                    pixels=image.shape if isinstance(image, np.ndarray) else ())

    def _views(self, request: Fields, matrix: Matrix | None) -> Work:
        """Return the work of images of one scene with known poses, as the nested server has it."""
        if matrix is None:
            raise InvalidIntrinsics('Intrinsics not set. Call set_intrinsics first.')
        images = _list(request, 'images')
        poses = poses_of(request.get('extrinsics'), len(images))
        sources = [frame_source(self._image(image), matrix, self._roots, self._limits)
                   for image in images]

        def reply(results: Results) -> dict[str, Any]:
            views = aligned(results[0], poses[:, :3])
            return {
                'status': SUCCESS, 'depth': views.depth[-1],
                'extrinsics': views.extrinsics.astype(np.float32),
                'intrinsics': views.intrinsics[-1].astype(np.float32),
                'conf': None if views.confidence is None else views.confidence[-1],
                'units': UNITS[views.kind], 'model': views.model, 'notes': list(views.notes)}
        return Work(
            sources, FrameOptions(process_res=process_res_of(request)), reply, together=True)

    def _batch(self, request: Fields) -> Work:
        images = _list(request, 'images')
        if request.get('extrinsics') is not None:
            raise InvalidRequest('extrinsics are not used by this server; leave them out')
        matrices: Sequence[object] = [None] * len(images)
        if request.get('intrinsics') is not None:
            matrices = _list(request, 'intrinsics')
            if len(matrices) != len(images):
                raise InvalidIntrinsics(
                    f'{len(matrices)} intrinsics for {len(images)} images; accepted: one each')
        sources = [
            frame_source(self._image(image), matrix_of(matrix), self._roots, self._limits)
            for image, matrix in zip(images, matrices)]

        def reply(results: Results) -> dict[str, Any]:
            return {
                'status': SUCCESS, 'depth': [result.depth for result in results],
                'intrinsics': [matrix_reply(result) for result in results],
                'units': UNITS[results[0].kind], 'model': results[0].model}
        return Work(sources, FrameOptions(process_res=process_res_of(request), raw=True), reply)

    def _remember(self, client: bytes, request: Fields) -> dict[str, Any]:
        value = request.get('intrinsics')
        if not isinstance(value, np.ndarray) or value.shape != (3, 3):
            shape = f' of shape {value.shape}' if isinstance(value, np.ndarray) else ''
            raise InvalidIntrinsics(
                f'Intrinsics must be a 3x3 numpy array, got {type(value).__name__}{shape}')
        matrix = matrix_of(value)
        assert matrix is not None
        self._matrices[client] = matrix
        self._matrices.move_to_end(client)
        if len(self._matrices) > self._clients:
            self._matrices.popitem(last=False)
        return {'status': SUCCESS}

    @staticmethod
    def _image(image: object) -> object:
        if image is None:
            raise InvalidRequest("request has no 'image'")
        return image


def poses_of(value: object, count: int) -> Matrix:
    """
    Return world-to-camera poses, (N, 4, 4) float64.

    :param value: an array.
    :param count: how many there must be.
    :raises InvalidRequest: when it is anything else.
    """
    if not isinstance(value, np.ndarray) or value.shape != (count, 4, 4) \
            or value.dtype.kind not in 'iuf':
        seen = f'{value.dtype} {value.shape}' if isinstance(value, np.ndarray) \
            else type(value).__name__
        raise InvalidRequest(
            f'extrinsics are {seen}; accepted: an array ({count}, 4, 4), the world-to-camera '
            'pose of each image')
    poses = value.astype(np.float64)
    check_poses(poses)
    return poses


def _list(request: Fields, name: str) -> list[Any]:
    value = request.get(name)
    if not isinstance(value, list) or not value:
        raise InvalidRequest(f'{name} is {type(value).__name__}; accepted: a list of 1 or more')
    if len(value) > MAX_BATCH:
        raise LimitExceeded(f'{len(value)} {name}; accepted: at most {MAX_BATCH}')
    return value
