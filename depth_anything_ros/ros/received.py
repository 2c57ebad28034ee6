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

"""Images in and out again as they were received: neither their pixels nor their bytes copied."""

from __future__ import annotations

from array import array
import ctypes
import logging
from typing import Any, NamedTuple

from depth_anything_ros.ros.headers import AnyHeader, light, LightHeader, Stamp
from depth_anything_ros.ros.rcl import Span, take_serialized
from depth_anything_ros.ros.serialized import (
    AFTER_STAMP,
    LENGTHS,
    problem,
    STAMP_AT,
    stamp_in,
)
import numpy as np
import numpy.typing as npt
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

logger = logging.getLogger(__name__)


def take(subscription: Any) -> memoryview | None:
    """
    Return the next message as it was sent, None where there is none.

    :param subscription: an rclpy subscription.
    :raises RuntimeError: when the middleware fails.
    """
    return (take_by_rclpy if problem() else take_serialized)(subscription)


def take_by_rclpy(subscription: Any) -> memoryview | None:
    """Return the same as :func:`take`, by way of ``bytes``."""
    taken = subscription.handle.take_message(subscription.msg_type, True)
    return None if taken is None else memoryview(bytearray(taken[0]))


class ReceivedImage(NamedTuple):
    """What an Image says; its data is where it was received."""

    header: LightHeader
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


class Place(NamedTuple):
    """Which pixels are in some memory: ``size`` bytes from ``begin``, and whose they are."""

    begin: int
    size: int
    encoding: str
    header: LightHeader


class ImageReader:
    """
    Reads the images of one subscription.

    What is around the data is the same in nearly all of them but for the stamp: it is made a
    message once. ``strange`` says why rclpy had to read one, empty where it never had to.
    """

    strange = ''

    def __init__(self) -> None:
        """Begin without a message."""
        self._data: tuple[Any, ...] = ()
        self._begin = self._size = 0
        self._image = Image()

    def read(self, data: memoryview) -> Any:
        """
        Return the image, with a view of its data.

        :param data: the serialized message, alone in its memory.
        :returns: a :class:`ReceivedImage`, or an Image where its layout is not known.
        :raises Exception: of rclpy, when it is no serialized Image.
        """
        begin = self._begin
        if self._data != (len(data), data[:STAMP_AT], data[AFTER_STAMP:begin]):
            image = deserialize_message(bytes(data), Image)
            begin = _begin_of(data, image)
            if not begin:
                if not self.strange:
                    self.strange = 'images are not serialized as expected'
                    logger.warning('copied by rclpy, which takes longer: %s', self.strange)
                return image
            self._begin, self._image = begin, image
            self._size = len(image.data)
            image.data = array('B')
            self._data = len(data), bytes(data[:STAMP_AT]), bytes(data[AFTER_STAMP:begin])
        image = self._image
        header = LightHeader(Stamp(*stamp_in(data)), image.header.frame_id)
        if isinstance(data.obj, ctypes.Array):
            memory: Any = data.obj
            memory.place = Place(begin, self._size, image.encoding, header)
        return ReceivedImage(
            header, image.height, image.width, image.encoding, image.is_bigendian, image.step,
            data[begin:begin + self._size])


def _begin_of(data: memoryview, image: Image) -> int:
    """Return where the data of an image begins, 0 where that is not found."""
    size, length = len(image.data), LENGTHS[data[1] & 1]
    for padding in range(4):
        begin = len(data) - padding - size
        if length.unpack_from(data, begin - 4)[0] == size \
                and data[begin:begin + size] == memoryview(image.data) \
                and stamp_in(data) == (image.header.stamp.sec, image.header.stamp.nanosec):
            return begin
    return 0


class Forwarded:
    """A message that goes out as it was received."""

    def __init__(self, memory: Any) -> None:
        """
        Look into the memory of a message.

        :param memory: the ctypes array.
        """
        self._memory = memory
        size = len(memory)
        self.span = Span(buffer=ctypes.addressof(memory), length=size, capacity=size)

    def __bytes__(self) -> bytes:
        """Return the message as it is sent."""
        return bytes(self._memory)


def forwarded(pixels: npt.NDArray[Any], encoding: str, header: AnyHeader) -> Forwarded | None:
    """
    Return the received message that pixels are a view of, None where it is another.

    :param pixels: any array; only one that is all the data of a received image, in its order, is
        a view of it in this sense.
    :param encoding: that it must have.
    :param header: that it must have.
    """
    if not pixels.flags.c_contiguous:
        return None
    memory: Any = pixels
    while isinstance(memory, (np.ndarray, memoryview)):
        memory = memory.base if isinstance(memory, np.ndarray) else memory.obj
    place: Place | None = getattr(memory, 'place', None)
    first = pixels.__array_interface__['data'][0]
    if place is None or place.encoding != encoding \
            or place.header != light(header) \
            or (first - ctypes.addressof(memory), pixels.nbytes) != (place.begin, place.size):
        return None
    return Forwarded(memory)
