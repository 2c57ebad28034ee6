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

"""How connections begin and end, each within a time: nobody holds a thread for ever."""

from __future__ import annotations

import logging
import socket
import ssl
import time

logger = logging.getLogger(__name__)

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
