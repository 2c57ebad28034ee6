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

"""Results of a camera that programs without ROS follow: topics, and what a message adds."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.core.options import Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.wire.framing import Buffer
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.message import ALIGNMENT, from_body, Message, to_body
from depth_anything_ros.wire.results import depth_reply, DepthReply, result_header

ALONE = 'camera'
"""Name of the only camera, where it has none."""

END = b'\0'

LONGEST_TOPIC = 320

ARRAYS = {
    Output.DEPTH: ('depth',), Output.POINTS: ('depth', 'cloud'),
    Output.CONFIDENCE: ('depth', 'confidence'), Output.SKY: ('depth', 'sky'),
    Output.PREVIEW: ('depth', 'preview')}
"""Arrays in the messages of each topic."""


@dataclass(frozen=True)
class Followed:
    """
    One message of a topic.

    ``sequence`` counts the results of this topic since the server began; ``dropped`` of them,
    just before this one, were never sent, because this one was newer. ``cloud_frame_id`` is the
    frame of the points, which need not be that of the image.
    """

    reply: DepthReply
    camera: str
    output: Output
    sequence: int
    dropped: int
    cloud_frame_id: str = ''


def topic_of(camera: str, output: Output) -> bytes:
    """
    Return the name of a topic with the zero byte that ends it: how its messages begin.

    :param camera: name of the camera, empty for the only one.
    :param output: one of ``ARRAYS``.
    """
    return f'{camera or ALONE}/{output.value}'.encode() + END


def to_topic(topic: bytes, message: Message) -> bytes:
    """
    Return a message of a topic: its name, zeros up to a multiple of 64, and the body.

    One piece, because libzmq keeps the newest message alone (ZMQ_CONFLATE) only of such.

    :param topic: of :func:`topic_of`.
    :param message: what it says.
    """
    return b''.join([topic.ljust(_padded(len(topic)), END), *to_body(message)])


def from_topic(data: Buffer, limits: Limits = DEFAULT_LIMITS) -> Message:
    """
    Return a message of a topic; its arrays are read-only views.

    :param data: what :func:`to_topic` made.
    :param limits: how much it may hold.
    :raises InvalidRequest: when it is broken.
    :raises PayloadTooLarge: when it goes beyond a limit.
    """
    view = memoryview(data).cast('B')
    end = bytes(view[:LONGEST_TOPIC]).find(END)
    if end < 0:
        raise InvalidRequest('message of a topic does not begin with a name')
    return from_body(view[_padded(end + 1):], limits)


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def has(result: DepthResult, output: Output) -> bool:
    """Return whether a result has what a topic is about."""
    return all(getattr(result, name) is not None for name in ARRAYS[output])


def followed_message(
    result: DepthResult, camera: str, output: Output, sequence: int, dropped: int,
) -> Message:
    """
    Return the message of a topic.

    :param result: what the service handed out, see :func:`has`; its arrays are not copied.
    :param camera: name of the camera, empty for the only one.
    :param output: what the topic is about.
    :param sequence: number of this result in its topic.
    :param dropped: how many just before it were never sent.
    """
    arrays = {name: getattr(result, name) for name in ARRAYS[output]}
    place = result.frame.placement
    return Message(
        {**result_header(result), 'camera': camera or ALONE, 'output': output.value,
         'sequence': sequence, 'dropped': dropped,
         'cloud_frame_id': place.frame_id if place else result.frame.frame_id}, arrays)


def followed(message: Message) -> Followed:
    """
    Return the typed value of a message without its topic.

    :raises InvalidRequest: when a key is missing or of another type.
    """
    header = message.header
    try:
        output = Output(header.get('output'))
    except ValueError:
        raise InvalidRequest('message of a topic names no known output') from None
    numbers = [header.get(name) for name in ('sequence', 'dropped')]
    camera, frame = header.get('camera'), header.get('cloud_frame_id')
    if not all(type(number) is int and number >= 0 for number in numbers) \
            or not isinstance(camera, str) or not isinstance(frame, str):
        raise InvalidRequest('message of a topic has no camera, frame, sequence and dropped')
    sequence, dropped = (int(str(number)) for number in numbers)
    return Followed(depth_reply(message), camera, output, sequence, dropped, frame)
