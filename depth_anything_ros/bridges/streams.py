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

"""Whole messages over one connection, each within a time: nobody holds a thread for ever."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from typing import Sequence

from depth_anything_ros.wire.framing import Buffer, FrameReader, unsent

logger = logging.getLogger(__name__)

BUFFERS = 512
"""Pieces handed to the system at once; its limit is 1024."""

CHUNK = 2**16


def shake_hands(connection: socket.socket, message_s: float) -> bool:
    """
    Begin a connection; only TLS has anything to do.

    :param connection: a connected socket.
    :param message_s: seconds that the client may take.
    :returns: False when the client is gone, too slow, or does not speak TLS.
    """
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(message_s)
        try:
            connection.do_handshake()
        except OSError as error:
            logger.info('a client is not let in: %s', error)
            return False
    return True


def receive(
    connection: socket.socket, reader: FrameReader, idle_s: float, message_s: float,
) -> memoryview | None:
    """
    Return the next message, None when the client is gone, silent or too slow.

    :param connection: a connected socket.
    :param reader: keeps what came of the message.
    :param idle_s: seconds that the client may be silent between messages.
    :param message_s: seconds that a message may take once it has begun.
    :raises InvalidRequest: when a message is empty.
    :raises PayloadTooLarge: when a message is longer than the limit.
    """
    deadline = time.monotonic() + idle_s
    begun = False
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        connection.settimeout(left)
        try:
            size = connection.recv_into(reader.buffer())
        except OSError:
            return None
        if size == 0:
            return None
        if not begun:
            begun, deadline = True, time.monotonic() + message_s
        message = reader.received(size)
        if message is not None:
            return message


def send(connection: socket.socket, parts: Sequence[Buffer], message_s: float) -> bool:
    """
    Send a message without copying its parts together.

    :param connection: a connected socket.
    :param parts: the pieces of the message with its length in front.
    :param message_s: seconds that the client may take to read it.
    :returns: False when the client is gone or does not read.
    """
    deadline = time.monotonic() + message_s
    views: Sequence[Buffer] = parts
    while views:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        connection.settimeout(left)
        try:
            # TLS takes one piece at a time, and what it has not taken stays as it is.
            sent = connection.send(views[0]) if isinstance(connection, ssl.SSLSocket) \
                else connection.sendmsg(views[:BUFFERS])
        except OSError:
            return False
        views = unsent(views, sent)
    return True


def part(connection: socket.socket, message_s: float, size: int) -> None:
    """
    End a connection so that the client can read the last reply.

    What it still sends is thrown away for a while: closing on unread bytes resets the connection
    and may take the reply with it.

    :param connection: a connected socket; the caller closes it.
    :param message_s: seconds to wait for the client's end.
    :param size: bytes to throw away.
    """
    deadline = time.monotonic() + message_s
    try:
        connection.shutdown(socket.SHUT_WR)
        while size > 0:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            connection.settimeout(left)
            taken = len(connection.recv(CHUNK))
            if not taken:
                return
            size -= taken
    except OSError:
        return
