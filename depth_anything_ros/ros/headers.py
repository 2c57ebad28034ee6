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

"""Headers in light objects of Python: rclpy takes several times as long to make and read them."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.ros.conversions import NANOSECONDS
from std_msgs.msg import Header


class Stamp(NamedTuple):
    """What a Time says."""

    sec: int
    nanosec: int


class LightHeader(NamedTuple):
    """What a Header says; whoever only reads a header need not know which of both it is."""

    stamp: Stamp
    frame_id: str


AnyHeader: TypeAlias = Header | LightHeader


def frame_header(frame: Frame, frame_id: str | None = None) -> LightHeader:
    """
    Return the header that a frame's image had.

    :param frame: the image.
    :param frame_id: of another frame of reference, None: the image's.
    """
    stamp = Stamp(*divmod(frame.stamp_ns, NANOSECONDS))
    return LightHeader(stamp, frame.frame_id if frame_id is None else frame_id)


def light(header: AnyHeader) -> LightHeader:
    """Return a header for comparing."""
    stamp = header.stamp
    return LightHeader(Stamp(stamp.sec, stamp.nanosec), header.frame_id)


class OwnHeader:
    """The header of a message that is used again, written in the objects that it has."""

    def __init__(self, header: Header) -> None:
        """
        Take a header over.

        :param header: of a message; nobody else writes into it.
        """
        self._header, self._stamp, self._frame_id = header, header.stamp, header.frame_id

    def write(self, header: AnyHeader) -> None:
        """Let it say what another header says."""
        stamp, own = header.stamp, self._stamp
        own.sec, own.nanosec = stamp.sec, stamp.nanosec
        if header.frame_id != self._frame_id:
            self._header.frame_id = self._frame_id = header.frame_id


def header_of(frame: Frame, frame_id: str | None = None) -> Header:
    """Return the same as :func:`frame_header`, as a message's."""
    header = Header()
    OwnHeader(header).write(frame_header(frame, frame_id))
    return header
