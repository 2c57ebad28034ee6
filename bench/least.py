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

"""
The least that a server and a client in Python do to speak our form over raw TCP and ZMQ.

One client, no errors, no limits, no deadlines, no engine: headers are JSON that is written
and read by the standard library, pixels and depth numpy arrays that are not copied.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any, Callable

from depth_anything_ros.wire.framing import page_aligned
import numpy as np
import numpy.typing as npt

LENGTHS = struct.Struct('!II')


def receive_into(connection: socket.socket, memory: memoryview) -> None:
    """Fill a piece of memory from a connection."""
    while memory:
        memory = memory[connection.recv_into(memory):]


def receive(connection: socket.socket, memory: memoryview) -> tuple[dict[str, Any], int]:
    """Read a message into memory, and return its header and the length of the rest."""
    head, size = LENGTHS.unpack(connection.recv(LENGTHS.size, socket.MSG_WAITALL))
    header: dict[str, Any] = json.loads(connection.recv(head, socket.MSG_WAITALL))
    receive_into(connection, memory[:size])
    return header, size


def send(
    connection: socket.socket, header: dict[str, Any], values: npt.NDArray[Any],
) -> None:
    """Write a message."""
    text = encoded(header)
    connection.sendall(LENGTHS.pack(len(text), values.nbytes) + text)
    connection.sendall(values.data.cast('B'))


def encoded(header: dict[str, Any]) -> bytes:
    """Return a header as JSON."""
    return json.dumps(header, separators=(',', ':')).encode()


def about(header: dict[str, Any], depth: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Return what our replies say, given the header of a request."""
    return {
        'id': header['id'], 'status': 'success', 'shape': depth.shape, 'dtype': '<f4',
        'units': 'm', 'kind': 'metric', 'model': 'ready',
        'law': {'factor': 1.0, 'offset': 0.0}, 'intrinsics': None, 'stamp_ns': 0,
        'timings': {'prepare': 0.0, 'infer': 0.0, 'finish': 0.0}}


def asked(number: int, image: npt.NDArray[np.uint8]) -> dict[str, Any]:
    """Return the header of a request."""
    return {'id': number, 'action': 'depth', 'shape': image.shape, 'dtype': '|u1'}


def shaped(memory: memoryview, header: dict[str, Any]) -> npt.NDArray[np.float32]:
    """Return the depth (H, W) in the memory of a reply."""
    depth: npt.NDArray[np.float32] = np.ndarray(header['shape'], np.float32, memory)
    return depth


def ready_depths(sizes: tuple[tuple[int, int], ...]) -> dict[Any, npt.NDArray[np.float32]]:
    """Return a depth for each shape of an image."""
    return {(height, width, 3): np.ones((height, width), np.float32) for width, height in sizes}


def serve_tcp(address: Callable[[int], None], sizes: tuple[tuple[int, int], ...]) -> None:
    """Answer each image with the ready depth of its size, and with what our replies say."""
    listener = socket.create_server(('127.0.0.1', 0))
    address(listener.getsockname()[1])
    memory = page_aligned(max(3 * width * height for width, height in sizes))
    ready = ready_depths(sizes)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                header, size = receive(connection, memory)
                image = np.frombuffer(memory[:size], np.uint8).reshape(header['shape'])
                depth = ready[image.shape]
                send(connection, about(header, depth), depth)
        except (OSError, struct.error):
            connection.close()


def serve_zmq(address: Callable[[str], None], sizes: tuple[tuple[int, int], ...]) -> None:
    """Answer each image with the ready depth of its size, and with what our replies say."""
    import zmq
    server: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
    server.bind('tcp://127.0.0.1:*')
    address(server.getsockopt_string(zmq.LAST_ENDPOINT))
    ready = ready_depths(sizes)
    while True:
        client, empty, head, pixels = server.recv_multipart(copy=False)
        header = json.loads(head.bytes)
        image = np.frombuffer(pixels.buffer, np.uint8).reshape(header['shape'])
        depth = ready[image.shape]
        server.send_multipart(
            [client, empty, encoded(about(header, depth)), depth.data], copy=False)


class TcpClient:
    """The other end of TCP."""

    def __init__(self, port: int, largest: int) -> None:
        """
        Connect.

        :param port: of the server on this machine.
        :param largest: bytes of the largest depth.
        """
        self._connection = socket.create_connection(('127.0.0.1', port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._memory, self._count = page_aligned(largest), 0

    def estimate(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return depth (H, W) for an image (H, W, 3)."""
        self._count += 1
        send(self._connection, asked(self._count, image), image)
        header, size = receive(self._connection, self._memory)
        return shaped(self._memory[:size], header)

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


class ZmqClient:
    """The other end of ZMQ."""

    def __init__(self, address: str) -> None:
        """
        Connect.

        :param address: of the server.
        """
        import zmq
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.connect(address)
        self._count = 0

    def estimate(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return depth (H, W) for an image (H, W, 3)."""
        self._count += 1
        self._socket.send_multipart([encoded(asked(self._count, image)), image.data], copy=False)
        head, body = self._socket.recv_multipart(copy=False)
        header = json.loads(head.bytes)
        return shaped(body.buffer, header)

    def close(self) -> None:
        """Disconnect."""
        self._context.destroy(0)
