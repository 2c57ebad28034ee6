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

"""Clients of the raw TCP protocol that need the standard library alone, as the seed promises."""

from __future__ import annotations

from contextlib import contextmanager
import pickle
import socket
import struct

from bridge_parts import PATIENCE_S


@contextmanager
def connected(address):
    host, _, port = address.removeprefix('tcp://').rpartition(':')
    with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
        yield connection


def frame(data):
    return struct.pack('!I', len(data)) + data


def take(connection, size):
    data = b''
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise EOFError(f'{len(data)} of {size} bytes')
        data += chunk
    return data


def body(connection):
    return take(connection, struct.unpack('!I', take(connection, 4))[0])


def reply(connection):
    return pickle.loads(body(connection))


def tell(connection, request, protocol=None):
    connection.sendall(frame(pickle.dumps(request, protocol)))
    return reply(connection)


def ask(address, request):
    with connected(address) as connection:
        return tell(connection, request)


def closed(connection):
    """Return whether the other side has ended the connection."""
    try:
        return connection.recv(1) == b''
    except ConnectionError:
        return True
