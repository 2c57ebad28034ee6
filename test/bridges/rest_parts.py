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

"""Real REST servers on free ports, and requests as raw bytes."""

from __future__ import annotations

from contextlib import contextmanager
import socket

from bridge_parts import PATIENCE_S, running
from depth_anything_ros.bridges.rest.app import ROOMS
from depth_anything_ros.bridges.rest.options import RestOptions
from depth_anything_ros.bridges.rest.server import RestBridge
import httpx


@contextmanager
def serving(depth=None, *, kind=None, queue_size=32, max_batch=0, rooms=ROOMS, **options):
    """Yield a client of a server; its bridge is ``client.bridge``."""
    more = {} if kind is None else {'kind': kind}
    bridge = RestBridge(RestOptions(**options), 0, rooms=rooms)
    with running(bridge, depth, queue_size=queue_size, max_batch=max_batch, **more):
        with client_of(bridge) as client:
            client.bridge = bridge
            yield client


def client_of(bridge, **more):
    return httpx.Client(base_url=bridge.address, timeout=PATIENCE_S, trust_env=False, **more)


def raw(bridge, data, patience=PATIENCE_S):
    """Send bytes and return all that comes back until the server ends the connection."""
    with socket.create_connection(('127.0.0.1', bridge.port), patience) as connection:
        connection.sendall(data)
        return read_all(connection)


def read_all(connection):
    parts = []
    try:
        while chunk := connection.recv(65536):
            parts.append(chunk)
    except ConnectionError:
        pass
    return b''.join(parts)


def get(path, *headers, host='127.0.0.1'):
    lines = [f'GET {path} HTTP/1.1', f'Host: {host}', *headers, 'Connection: close', '', '']
    return '\r\n'.join(lines).encode()
