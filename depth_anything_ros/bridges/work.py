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

"""What a request asks of the service, and the requests of our own form."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.requests import (
    frame_source,
    matrix_of,
    number_of,
    process_res_of,
    switch_of,
)
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, PER_PIXEL
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import Message
from depth_anything_ros.wire.results import result_message
from depth_anything_ros.wire.status import SUCCESS
import numpy as np

COMMAND = 'inference'
"""The request of our own form for depth."""

Results = Sequence[Any]
"""One :class:`DepthResult` of each frame; of images seen together their one ``Views``."""


@dataclass
class Work:
    """
    Frames to estimate, and the reply that their results make.

    One after the other, or ``together`` as images of one scene. They are ``ready`` when there is
    nothing to decode; ``pixels`` is then their shape, where it is known.
    """

    sources: Sequence[Callable[[], Frame]]
    options: FrameOptions
    reply: Callable[[Results], Any]
    together: bool = False
    ready: bool = False
    pixels: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        """Return how many results there will be."""
        return 1 if self.together else len(self.sources)

    def at_once(self, service: DepthService) -> DepthResult | None:
        """
        Return the result of a single frame where the calling thread can make it, else None.

        :param service: see :meth:`DepthService.at_once`.
        :raises DepthAnythingError: what stopped it.
        """
        if self.together or len(self.sources) != 1:
            return None
        return service.at_once(self.sources[0], self.options, self.pixels)

    def submit(self, service: DepthService, step: int, deadline: float) -> Future[Any]:
        """Queue one step; see :meth:`DepthService.submit`."""
        if self.together:
            return service.views(self.sources, self.options, deadline=deadline)
        return service.submit(
            self.sources[step], self.options, deadline=deadline, ready=self.ready,
            pixels=self.pixels)


def own_work(message: Message, roots: ImageRoots, limits: Limits) -> Work:
    """
    Return the work of an inference in our own form.

    :param message: header keys as :class:`FrameOptions` names them, 'intrinsics' as 3x3 lists,
        'exif_orient'; array 'image' as pixels, or one-dimensional as an encoded file.
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
    asked = message.kept.get(COMMAND)
    if asked is None:
        asked = message.kept[COMMAND] = (
            _options(header), matrix_of(header.get('intrinsics')),
            switch_of(header, 'exif_orient'))
    options, matrix, exif_orient = asked
    request_id = str(header.get('request_id', ''))
    return Work(
        [frame_source(image, matrix, roots, limits, exif_orient=exif_orient)], options,
        lambda results: result_message(results[0], request_id),
        ready=isinstance(image, np.ndarray),
        pixels=image.shape if isinstance(image, np.ndarray) else ())


def _options(header: Mapping[str, Any]) -> FrameOptions:
    names = header.get('outputs', ['depth'])
    known = [item.value for item in PER_PIXEL]
    if not isinstance(names, list) or not all(name in known for name in names):
        raise InvalidRequest(f'outputs must be a list of {", ".join(known)}')
    return FrameOptions(
        process_res=process_res_of(header, 0), minimum=number_of(header, 'minimum', 0.0),
        maximum=number_of(header, 'maximum', float('inf')),
        focal_length=number_of(header, 'focal_length', 0.0),
        fov_deg=number_of(header, 'fov_deg', 0.0),
        outputs=frozenset(Output(name) for name in names))


def own_request(
    message: Message, access: Access, roots: ImageRoots, limits: Limits,
) -> Message | Work:
    """
    Return the reply to a message of our own form, or the work that makes it.

    :param message: header with the request's keys, the image among its arrays.
    :param access: the key that requests need.
    :param roots: folders in which pictures may be named.
    :param limits: bounds of one message.
    :raises DepthAnythingError: when it cannot be served.
    """
    header = message.header
    request_id = header.get('request_id', '')
    if not isinstance(request_id, str):
        raise InvalidRequest('request_id must be text')
    command = header.get('command', '')
    if command == 'ping':
        return Message(
            {'type': 'pong', 'status': SUCCESS, 'message': 'pong', 'request_id': request_id})
    access.check(header)
    if command != COMMAND:
        raise unknown_command(command)
    return own_work(message, roots, limits)


def own_reply(
    message: Message, access: Access, roots: ImageRoots, limits: Limits,
    estimate: Callable[..., DepthResult],
) -> Message:
    """
    Return the reply to a message of our own form, waiting for it.

    :param message: as for :func:`own_request`.
    :param access: the key that requests need.
    :param roots: folders in which pictures may be named.
    :param limits: bounds of one message.
    :param estimate: runs the depth network on what a function returns, with options, ``ready``
        and ``pixels`` of :class:`Work`.
    :raises DepthAnythingError: when it cannot be served.
    """
    found = own_request(message, access, roots, limits)
    if isinstance(found, Message):
        return found
    reply: Message = found.reply([estimate(
        found.sources[0], found.options, found.ready, found.pixels)])
    return reply


def unknown_command(command: object) -> InvalidRequest:
    """Return the error of the seed for a command that nobody knows."""
    shown = command if isinstance(command, str) else type(command).__name__
    return InvalidRequest(f'Unknown command: {shown[:80]}')
