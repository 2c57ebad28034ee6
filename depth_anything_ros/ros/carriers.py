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

"""What a long-lived message lies in: as rclpy has it, or another way."""

from __future__ import annotations

from array import array
from typing import Any, Protocol

from depth_anything_ros.ros.headers import AnyHeader, OwnHeader


class Carrier(Protocol):
    """
    A message that is used again.

    ``message`` says everything but, maybe, the data. Who writes into it calls :meth:`changed` or
    :meth:`resize` then.
    """

    message: Any

    @property
    def data(self) -> Any:
        """Return the memory of the data, to be written into."""

    def resize(self, size: int) -> None:
        """
        Make the data longer or shorter.

        :param size: bytes that it is to have.
        :raises BufferError: when somebody looks into it and must not lose it.
        """

    def changed(self) -> None:
        """Take over what was written into ``message``."""

    def headed(self, header: AnyHeader) -> Any:
        """Return what is to be published, with this header; valid until the next call."""


class Plain:
    """A message as rclpy has it."""

    def __init__(self, kind: type) -> None:
        """
        Make one without data.

        :param kind: class of the message.
        """
        self.message: Any = kind()
        self._header = OwnHeader(self.message.header)

    @property
    def data(self) -> Any:
        """Return the array of the message."""
        return self.message.data

    def resize(self, size: int) -> None:
        """
        Make the message's data longer or shorter, in place; what is added is 0.

        An array keeps room for a sixteenth more when it gets shorter, so that lists of points
        whose lengths vary little are resized without a copy. Assigning another array would copy
        it, or walk every byte.

        :param size: bytes that it is to have.
        :raises BufferError: when somebody looks into it.
        """
        data: array[int] = self.message.data
        if len(data) > size:
            del data[size:]
        more = size - len(data)
        if more > 0:
            data.frombytes(ZEROS[:more] if more <= len(ZEROS) else bytes(more))

    def changed(self) -> None:
        """Do nothing: the message is what is published."""

    def headed(self, header: AnyHeader) -> Any:
        """Return the message, with this header."""
        self._header.write(header)
        return self.message


ZEROS = memoryview(bytes(1 << 18))
"""What a little more is filled with."""
