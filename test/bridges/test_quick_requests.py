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

"""Quick requests are done by the thread that reads them, others by those of the network."""

from __future__ import annotations

import threading
import time

from bridge_parts import PATIENCE_S, running
import cv2
from depth_anything_ros.bridges.rest.connections import PIECE_BYTES
from depth_anything_ros.bridges.rest.server import RestBridge
from depth_anything_ros.bridges.tcp import TcpBridge
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.clients import RestClient, TcpClient, ZmqClient
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine import shortcut
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import InferenceFailed
import httpx
import numpy as np
import pytest
from zmq_parts import client as seed_client


class Engine(GivenDepthEngine):
    """Notes the thread of each call."""

    def __init__(self):
        super().__init__(lambda frame: np.ones(frame.rgb.shape[:2], np.float32))
        self.threads = []
        self.broken = False

    def infer(self, batch):
        self.threads.append(threading.current_thread().name)
        if self.broken:
            raise InferenceFailed('broken')
        return super().infer(batch)


IMAGE = np.zeros((12, 16, 3), np.uint8)
PNG = cv2.imencode('.png', IMAGE)[1].tobytes()


def ask_until(client, engine, name):
    """Ask until a thread of this name has done it: the network's are not idle at once."""
    end = time.monotonic() + PATIENCE_S
    while name not in engine.threads and time.monotonic() < end:
        assert (client.estimate(IMAGE).depth == 1).all()


def test_tcp(monkeypatch):
    monkeypatch.setattr(shortcut, 'QUICK_S', PATIENCE_S)
    engine = Engine()
    with running(TcpBridge(port=0), engine=engine) as bridge, \
            TcpClient('127.0.0.1', bridge.port) as client:
        ask_until(client, engine, 'tcp-client')
        # A picture that must be decoded has a thread for that.
        client.estimate(PNG)
    assert engine.threads[0] == engine.threads[-1] == 'depth-infer'
    assert 'tcp-client' in engine.threads


def test_zmq(monkeypatch):
    monkeypatch.setattr(shortcut, 'QUICK_S', PATIENCE_S)
    engine = Engine()
    with running(ZmqBridge(port=0), engine=engine) as bridge:
        with ZmqClient(bridge.address) as client:
            ask_until(client, engine, 'zmq-bridge')
            client.estimate(PNG)
            assert engine.threads[0] == engine.threads[-1] == 'depth-infer'
        del engine.threads[:]
        with seed_client(bridge.address) as socket:
            def ask(request):
                socket.send_pyobj(request)
                return socket.recv_pyobj()
            end = time.monotonic() + PATIENCE_S
            while 'zmq-bridge' not in engine.threads and time.monotonic() < end:
                assert ask({'command': 'inference', 'image': IMAGE})['depth'].shape == (12, 16)
            assert engine.threads[-1] == 'zmq-bridge'
            # A batch would keep the others waiting.
            ask({'command': 'inference_batch', 'images': [IMAGE] * 3})
    assert engine.threads[-3:] == ['depth-infer'] * 3


def test_rest(monkeypatch):
    monkeypatch.setattr(shortcut, 'QUICK_S', PATIENCE_S)
    engine = Engine()
    with running(RestBridge(port=0), engine=engine) as bridge, \
            RestClient(f'http://127.0.0.1:{bridge.port}') as client:
        ask_until(client, engine, 'rest-bridge')
        # What comes too late is not begun.
        before = len(engine.threads)
        late = httpx.post(
            f'http://127.0.0.1:{bridge.port}/v1/depth', content=IMAGE.tobytes(), headers={
                'Content-Type': 'application/octet-stream', 'X-Image-Shape': '12,16,3',
                'X-Deadline-Ms': '0'})
        assert late.status_code == 504 and len(engine.threads) == before
    assert engine.threads[0] == 'depth-infer' and engine.threads[-1] == 'rest-bridge'


@pytest.mark.parametrize('size', [1, 65_536, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES + 5])
@pytest.mark.parametrize('chunked', [False, True])
def test_bodies_arrive_whole_in_however_many_pieces(size, chunked):
    rows = np.random.default_rng(size).integers(0, 256, (1, size, 3), np.uint8)
    seen = []

    def depth(frame):
        seen.append(frame.rgb)
        return np.ones(frame.rgb.shape[:2], np.float32)
    with running(RestBridge(port=0), depth, DepthKind.METRIC) as bridge:
        data = rows.tobytes()
        pieces = (data[at:at + 100_000] for at in range(0, len(data), 100_000))
        with httpx.Client(base_url=f'http://127.0.0.1:{bridge.port}') as client:
            for _ in range(2):
                reply = client.post(
                    '/v1/depth', content=pieces if chunked else data, headers={
                        'Content-Type': 'application/octet-stream',
                        'X-Image-Shape': f'1,{size},3'}, timeout=PATIENCE_S)
                assert reply.status_code == 200, reply.text
                pieces = iter([data])
    for rgb in seen:
        np.testing.assert_array_equal(rgb, rows)


def test_a_failure_is_answered(monkeypatch):
    monkeypatch.setattr(shortcut, 'QUICK_S', PATIENCE_S)
    engine = Engine()
    with running(ZmqBridge(port=0), engine=engine) as bridge, \
            ZmqClient(bridge.address) as client:
        ask_until(client, engine, 'zmq-bridge')
        engine.broken = True
        with pytest.raises(InferenceFailed):
            client.estimate(IMAGE)
        client.ping()


def test_slow_ones_keep_the_threads_of_the_network(monkeypatch):
    monkeypatch.setattr(shortcut, 'QUICK_S', 0.0)
    engine = Engine()
    with running(TcpBridge(port=0), engine=engine) as bridge, \
            TcpClient('127.0.0.1', bridge.port) as client:
        for _ in range(8):
            client.estimate(IMAGE)
    assert set(engine.threads) == {'depth-infer'}
