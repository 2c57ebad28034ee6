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

"""Whole messages over real sockets: in one call, in pieces, late, never."""

from __future__ import annotations

import socket
import threading
import time
from typing import Iterator

from depth_anything_ros.errors import PayloadTooLarge
from depth_anything_ros.wire.framing import framed
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.streams import Stream
import pytest

PACES = (0.0, 0.02, 30.0)
"""Piece by piece, with a system that gives up before the deadline, and as usual."""


@pytest.fixture(name='ends')
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    yield here, there
    here.close()
    there.close()


def paced(connection: socket.socket, seconds: float) -> Stream:
    stream = Stream(connection)
    if seconds:
        stream.pace(seconds)
    return stream


def soon(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


@pytest.mark.parametrize('pace', PACES)
def test_messages_of_any_length_arrive_whole_and_in_order(
    ends: tuple[socket.socket, socket.socket], pace: float,
) -> None:
    messages = [bytes([number]) * size for number, size in enumerate((1, 3, 3_000_000, 70_000))]
    parts = [framed([message[:1], message[1:]]) for message in messages]

    def send() -> None:
        stream = paced(ends[0], pace)
        for each in parts:
            stream.send(each, soon())
    thread = threading.Thread(target=send)
    thread.start()
    stream = paced(ends[1], pace)
    seen = [stream.receive(soon(), 20.0) for _ in messages]
    thread.join()
    assert seen == messages


@pytest.mark.parametrize('pace', PACES)
def test_more_pieces_than_the_system_takes_at_once_are_sent(
    ends: tuple[socket.socket, socket.socket], pace: float,
) -> None:
    stream = paced(ends[0], pace)
    stream.send(framed([b'ab'] * 2000), soon())
    assert paced(ends[1], pace).receive(soon()) == b'ab' * 2000


@pytest.mark.parametrize('pace', PACES)
def test_a_message_that_comes_byte_by_byte_is_read(
    ends: tuple[socket.socket, socket.socket], pace: float,
) -> None:
    def trickle() -> None:
        for byte in b''.join(framed([b'slow'])):
            ends[0].send(bytes([byte]))
            # Longer than the shortest pace, so that the system gives up in between.
            time.sleep(0.05)
    thread = threading.Thread(target=trickle)
    thread.start()
    assert paced(ends[1], pace).receive(soon()) == b'slow'
    thread.join()


@pytest.mark.parametrize('pace', PACES)
@pytest.mark.parametrize('begun', [b'', b'\0\0', b'\0\0\0\x05abc'])
def test_what_is_late_is_given_up(
    ends: tuple[socket.socket, socket.socket], pace: float, begun: bytes,
) -> None:
    ends[0].sendall(begun)
    stream = paced(ends[1], pace)
    with pytest.raises(TimeoutError):
        stream.receive(soon(20.0 if begun else 0.1), 0.1)
    with pytest.raises(TimeoutError):
        paced(ends[1], pace).send(framed([bytes(50_000_000)]), soon(0.1))


@pytest.mark.parametrize('pace', PACES)
@pytest.mark.parametrize('begun', [b'', b'\0\0', b'\0\0\0\x05abc'])
def test_an_end_is_told_from_silence(
    ends: tuple[socket.socket, socket.socket], pace: float, begun: bytes,
) -> None:
    ends[0].sendall(begun)
    ends[0].close()
    assert paced(ends[1], pace).receive(soon()) is None
    with pytest.raises(OSError):
        paced(ends[1], pace).send(framed([bytes(50_000_000)]), soon())


def test_a_length_above_the_limit_is_refused(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].sendall(b'\0\0\x03\xe9')
    stream = Stream(ends[1], Limits(message_bytes=1000))
    stream.pace(30.0)
    with pytest.raises(PayloadTooLarge, match='1001 bytes'):
        stream.receive(soon())
