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

"""Hostile pickles over real sockets: each gets an error reply, the servers live, memory stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import socket
import struct
from typing import Any

from attacks import corpus
from depth_anything_ros.bridges.tcp import TcpBridge
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.pickled import read, write
import numpy as np
import pytest

zmq = pytest.importorskip('zmq')

CORPUS = corpus()

PATIENCE_S = 30.0

ROUNDS = 3

GROWTH = 24 << 20
"""Bytes by which the process may grow while it refuses the whole corpus once more."""


@pytest.fixture(scope='module')
def bridges() -> Iterator[tuple[Any, TcpBridge]]:
    """Serve both protocols on free ports."""
    from depth_anything_ros.bridges.zeromq import ZmqBridge
    service = DepthService(GivenDepthEngine(
        lambda frame: np.ones(frame.rgb.shape[:2], np.float32)))
    made = ZmqBridge(port=0), TcpBridge(port=0)
    for bridge in made:
        bridge.listen()
        bridge.start(service)
    yield made
    for bridge in made:
        bridge.stop()
    service.close()


def memory_in_use() -> int:
    """Return the bytes that this process has in memory."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * 4096


def over_tcp(connection: socket.socket, data: bytes) -> Any:
    connection.sendall(struct.pack('!I', len(data)) + data)
    size, = struct.unpack('!I', connection.recv(4, socket.MSG_WAITALL))
    return read(connection.recv(size, socket.MSG_WAITALL))


def test_over_zmq_each_is_answered_with_an_error_and_a_ping_is_after_it(
    bridges: tuple[Any, TcpBridge],
) -> None:
    with zmq.Context() as context, context.socket(zmq.REQ) as client:
        client.setsockopt(zmq.LINGER, 0)
        client.setsockopt(zmq.RCVTIMEO, int(1000 * PATIENCE_S))
        client.connect(bridges[0].address)
        sizes = []
        for _ in range(ROUNDS):
            for name, data in CORPUS.items():
                client.send(data)
                reply = read(client.recv())
                assert isinstance(reply, dict) and reply['status'] == 'error', name
                assert 'Traceback' not in str(reply['error']), name
                client.send(write({'command': 'ping'}))
                assert read(client.recv()) == {'status': 'success', 'message': 'pong'}, name
            sizes.append(memory_in_use())
    assert sizes[-1] - sizes[0] < GROWTH


def test_over_tcp_each_is_answered_with_an_error_and_others_are_served(
    bridges: tuple[Any, TcpBridge],
) -> None:
    where = '127.0.0.1', bridges[1].port
    sizes = []
    with socket.create_connection(where, PATIENCE_S) as other:
        for _ in range(ROUNDS):
            for name, data in CORPUS.items():
                with socket.create_connection(where, PATIENCE_S) as connection:
                    reply = over_tcp(connection, data)
                    assert reply['status'] == 'error', name
                    assert 'Traceback' not in str(reply['message']), name
                assert over_tcp(other, write({'action': 'ping'}))['status'] == 'pong', name
            sizes.append(memory_in_use())
    assert sizes[-1] - sizes[0] < GROWTH
