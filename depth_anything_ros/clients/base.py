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

"""What the clients share: requests from images, typed replies, errors as they were raised."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
import itertools
from types import TracebackType
from typing import Any, Iterable, Mapping, TypeVar

from depth_anything_ros.core.options import Output
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.wire.arrays import name_of
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import Message, start_of
from depth_anything_ros.wire.results import depth_reply, DepthReply, METRES
from depth_anything_ros.wire.status import error_of
import numpy as np
import numpy.typing as npt

TIMEOUT_S = 60.0

REPLY_LIMITS = Limits(message_bytes=2**30)
"""A cloud of 50 million points is 800 MB."""

Image = npt.NDArray[np.uint8] | bytes
"""Pixels uint8 (H, W, 3) in RGB order, grey or with alpha, or an encoded JPEG, PNG or WebP."""

Self = TypeVar('Self', bound='Client')


class Client(ABC):
    """A client of one server; not for several threads at once."""

    def __init__(self, timeout: float, api_key: str) -> None:
        """
        Remember what every request needs.

        :param timeout: seconds that a request may take.
        :param api_key: the server's key, '' for none.
        """
        self.timeout = timeout
        self._api_key = api_key
        self._numbers = itertools.count(1)

    @abstractmethod
    def _exchange(self, message: Message, request_id: str) -> Message:
        """
        Send a message and return its reply.

        :raises DeadlineExceeded: when none comes in time.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def ping(self) -> None:
        """
        Ask whether the server answers.

        :raises DepthAnythingError: when it does not.
        """
        self._ask({'command': 'ping'}, None)

    def estimate(
        self, image: Image, K: npt.ArrayLike | None = None, *, process_res: int | None = None,
        fov_deg: float = 0.0, focal_length: float = 0.0, minimum: float = 0.0,
        maximum: float | None = None, outputs: Iterable[Output | str] = (Output.DEPTH,),
        exif_orient: bool = False,
    ) -> DepthReply:
        """
        Return the depth of an image and all that the server says about it.

        :param image: pixels or an encoded file.
        :param K: 3x3 intrinsics of exactly this image in pixels, None when unknown.
        :param process_res: longest processed side in pixels, None for the model's own.
        :param fov_deg: horizontal field of view in degrees for an image without K.
        :param focal_length: focal length in pixels for an image without K.
        :param minimum: nearer depths (metres) become NaN.
        :param maximum: farther depths (metres) become NaN, None for no limit.
        :param outputs: what to compute.
        :param exif_orient: turn an encoded image as its EXIF orientation says; K is then that of
            the turned image.
        :raises DepthAnythingError: as the server raised it.
        """
        pixels = np.frombuffer(image, np.uint8) if isinstance(image, bytes) else image
        matrix = None if K is None else np.asarray(K, np.float64)
        header, start = _inference(
            None if matrix is None else (matrix.tobytes(), matrix.shape), process_res, fov_deg,
            focal_length, minimum, maximum, tuple(outputs), exif_orient, self._api_key,
            pixels.dtype, pixels.shape)
        return depth_reply(self._ask(header, pixels, start))

    def metres(
        self, image: Image, K: npt.ArrayLike | None = None, **more: Any,
    ) -> npt.NDArray[np.float32]:
        """
        Return the depth of an image, (H, W) float32 metres, NaN where invalid.

        :param image: pixels or an encoded file.
        :param K: 3x3 intrinsics of exactly this image in pixels.
        :param more: as for :meth:`estimate`.
        :raises InvalidRequest: when the server's model has no metres to give.
        """
        return in_metres(self.estimate(image, K, **more)).depth

    def points(
        self, image: Image, K: npt.ArrayLike | None = None, **more: Any,
    ) -> npt.NDArray[np.float32]:
        """
        Return the points of an image, (H, W, 3) float32 metres in the optical frame.

        :param image: pixels or an encoded file.
        :param K: 3x3 intrinsics of exactly this image in pixels.
        :param more: as for :meth:`estimate`.
        :raises InvalidRequest: when the server's model has no metres to give.
        """
        return in_metres(self.estimate(image, K, **more)).points()

    def _ask(
        self, header: Mapping[str, Any], image: npt.NDArray[np.uint8] | None, start: bytes = b'',
    ) -> Message:
        """Return the reply; ``start`` is the text of the header and its key, where it is known."""
        request_id = str(next(self._numbers))
        header = {**header, 'request_id': request_id}
        if self._api_key and not start:
            header['api_key'] = self._api_key
        reply = self._exchange(
            Message(header, {} if image is None else {'image': image}, start), request_id)
        if reply.header.get('type') == 'error':
            raise error_of(reply.header.get('code'), reply.header.get('error'))
        return reply

    def __enter__(self: Self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()


@lru_cache(64, typed=True)
def _inference(
    matrix: tuple[bytes, tuple[int, ...]] | None, process_res: int | None, fov_deg: float,
    focal_length: float, minimum: float, maximum: float | None,
    outputs: tuple[Output | str, ...], exif_orient: bool, api_key: str, dtype: np.dtype[Any],
    shape: tuple[int, ...],
) -> tuple[Mapping[str, Any], bytes]:
    """Return what the headers of a stream of requests have in common, and its text."""
    K = None if matrix is None else np.frombuffer(matrix[0]).reshape(matrix[1])
    header = inference_header(
        K, process_res, fov_deg, focal_length, minimum, maximum, outputs, exif_orient)
    if api_key:
        header['api_key'] = api_key
    return header, start_of(header, [('image', name_of(dtype), shape)])


def inference_header(
    K: npt.ArrayLike | None = None, process_res: int | None = None, fov_deg: float = 0.0,
    focal_length: float = 0.0, minimum: float = 0.0, maximum: float | None = None,
    outputs: Iterable[Output | str] = (Output.DEPTH,), exif_orient: bool = False,
) -> dict[str, Any]:
    """Return the header of a request in our own form; see :meth:`Client.estimate`."""
    return {
        'command': 'inference', 'process_res': process_res, 'fov_deg': float(fov_deg),
        'focal_length': float(focal_length), 'minimum': float(minimum), 'maximum': maximum,
        'outputs': [Output(item).value for item in outputs], 'exif_orient': exif_orient,
        'intrinsics': None if K is None else np.asarray(K, np.float64).tolist()}


def in_metres(reply: DepthReply) -> DepthReply:
    """
    Return a reply whose unit is metres.

    :raises InvalidRequest: when it has none.
    """
    if reply.units != METRES:
        raise InvalidRequest(
            f'the depth of {reply.model} has no unit; a metric model gives metres')
    return reply
