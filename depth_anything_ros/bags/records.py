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

"""What a bag holds: topics, and records of serialised messages."""

from __future__ import annotations

from dataclasses import dataclass
import struct
from typing import Any

from depth_anything_ros.bags.library import STORE
from depth_anything_ros.errors import InvalidRequest

NANOSECONDS = 1_000_000_000

HEAD = 12
"""Bytes of the encapsulation (4) and of the stamp that every message with a header starts with."""


@dataclass(frozen=True)
class Topic:
    """A topic of a bag: its name, the type of its messages, and how many there are."""

    name: str
    msgtype: str
    count: int

    def __str__(self) -> str:
        """Return the topic as one line for people."""
        return f'{self.name}  {self.msgtype}  {self.count} messages'


@dataclass(frozen=True)
class Record:
    """
    One serialised message.

    ``time_ns`` is when the recorder received it, in nanoseconds; ``data`` its bytes (CDR).
    """

    topic: str
    msgtype: str
    time_ns: int
    data: bytes

    def stamp_ns(self) -> int:
        """
        Return the stamp in the message's header in nanoseconds, without reading the rest.

        :raises InvalidRequest: when the record is too short.
        """
        if len(self.data) < HEAD:
            raise InvalidRequest(
                f'a record of {self.topic} is {len(self.data)} bytes; accepted: at least {HEAD}')
        order = '<' if self.data[1] & 1 else '>'
        seconds, nanoseconds = struct.unpack_from(f'{order}iI', self.data, 4)
        return int(seconds) * NANOSECONDS + int(nanoseconds)

    def message(self) -> Any:
        """
        Return the message; its arrays are views of the record's bytes.

        :raises InvalidRequest: when the bytes are not such a message.
        """
        try:
            return STORE.deserialize_cdr(self.data, self.msgtype)
        except Exception as error:
            # Truncated bytes surface in rosbags as many kinds of error.
            raise InvalidRequest(
                f'a record of {self.topic} ({len(self.data)} bytes) is not a {self.msgtype}: '
                f'{error or type(error).__name__}') from None
