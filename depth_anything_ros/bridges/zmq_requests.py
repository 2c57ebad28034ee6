"""What the ZMQ protocol means, without a socket: a request in, work to do and a reply out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Callable, Sequence

from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.requests import (
    Fields,
    frame_source,
    Matrix,
    matrix_of,
    matrix_reply,
    number_of,
    process_res_of,
    switch_of,
    UNITS,
)
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidIntrinsics, InvalidRequest, LimitExceeded
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import Message
from depth_anything_ros.wire.results import result_message
from depth_anything_ros.wire.status import SUCCESS
import numpy as np

PONG = {'status': SUCCESS, 'message': 'pong'}

MAX_BATCH = 32
"""Images of one request."""

Results = Sequence[DepthResult]


@dataclass(frozen=True)
class Work:
    """Frames to estimate one after the other, and the reply that their results make."""

    sources: Sequence[Callable[[], Frame]]
    options: FrameOptions
    reply: Callable[[Results], Any]


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
        raise _unknown(command)

    def own(self, message: Message) -> Message | Work:
        """
        Return the reply to a message of our own form, or the work that makes it.

        :param message: header with the request's keys, the image among its arrays.
        :raises DepthAnythingError: when it cannot be served.
        """
        header = message.header
        request_id = header.get('request_id', '')
        if not isinstance(request_id, str):
            raise InvalidRequest('request_id must be text')
        command = header.get('command', '')
        if command == 'ping':
            return Message({**PONG, 'type': 'pong', 'request_id': request_id})
        self._access.check(header)
        if command != 'inference':
            raise _unknown(command)
        return own_work(message, self._roots, self._limits)

    def _inference(self, client: bytes, request: Fields) -> Work:
        matrix = matrix_of(request.get('intrinsics'))
        if matrix is None:
            matrix = self._matrices.get(client)
        if 'images' in request and 'image' not in request:
            if matrix is None:
                raise InvalidIntrinsics('Intrinsics not set. Call set_intrinsics first.')
            raise InvalidRequest(
                'several images with extrinsics are not served; send one image, or '
                'inference_batch')
        image = self._image(request.get('image'))
        raw = not switch_of(request, 'metric')
        options = FrameOptions(process_res=process_res_of(request), raw=raw)

        def reply(results: Results) -> dict[str, Any]:
            result, = results
            return {
                'status': SUCCESS, 'depth': result.depth, 'intrinsics': matrix_reply(result),
                'units': UNITS[result.kind], 'model': result.model}
        return Work([frame_source(image, matrix, self._roots, self._limits)], options, reply)

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


def own_work(message: Message, roots: ImageRoots, limits: Limits) -> Work:
    """
    Return the work of an inference in our own form.

    :param message: header keys as :class:`FrameOptions` names them, 'intrinsics' as 3x3 lists;
        array 'image' as pixels, or one-dimensional as an encoded file.
    :param roots: folders in which pictures may be named, as header key 'image'.
    :param limits: how many pixels the image may have.
    :raises InvalidRequest: when a key is wrong.
    """
    header = message.header
    image: object = message.arrays.get('image', header.get('image'))
    if isinstance(image, np.ndarray) and image.ndim == 1 and image.dtype == np.uint8:
        image = image.data
    elif not isinstance(image, (np.ndarray, str)):
        raise InvalidRequest("request has no array 'image'")
    names = header.get('outputs', ['depth'])
    known = [item.value for item in Output]
    if not isinstance(names, list) or not all(name in known for name in names):
        raise InvalidRequest(f'outputs must be a list of {", ".join(known)}')
    options = FrameOptions(
        process_res=process_res_of(header, 0), minimum=number_of(header, 'minimum', 0.0),
        maximum=number_of(header, 'maximum', float('inf')),
        focal_length=number_of(header, 'focal_length', 0.0),
        fov_deg=number_of(header, 'fov_deg', 0.0),
        outputs=frozenset(Output(name) for name in names))
    request_id = str(header.get('request_id', ''))
    return Work(
        [frame_source(image, matrix_of(header.get('intrinsics')), roots, limits)], options,
        lambda results: result_message(results[0], request_id))


def _unknown(command: object) -> InvalidRequest:
    shown = command if isinstance(command, str) else type(command).__name__
    return InvalidRequest(f'Unknown command: {shown[:80]}')


def _list(request: Fields, name: str) -> list[Any]:
    value = request.get(name)
    if not isinstance(value, list) or not value:
        raise InvalidRequest(f'{name} is {type(value).__name__}; accepted: a list of 1 or more')
    if len(value) > MAX_BATCH:
        raise LimitExceeded(f'{len(value)} {name}; accepted: at most {MAX_BATCH}')
    return value
