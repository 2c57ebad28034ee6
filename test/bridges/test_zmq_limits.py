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

"""What a ROUTER refuses and survives: garbage, sizes, floods, keys, deadlines, its own end."""

from __future__ import annotations

import pickle
import threading

from bridge_parts import Gate, PATIENCE_S, picture, running
from depth_anything_ros.bridges import zeromq
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.wire.limits import Limits
from PIL import Image
import pytest
import zmq
from zmq_parts import ask, client, inference, PONG


@pytest.fixture(scope='module')
def address():
    with running(ZmqBridge(port=0)) as bridge:
        yield bridge.address


class Code:
    """Unpickles as a call."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


def test_no_message_waits_for_the_clock(monkeypatch):
    monkeypatch.setattr(zeromq, 'TICK_MS', 10**9)
    problems = []

    def ask_often(number):
        try:
            with client(bridge.address) as socket:
                for turn in range(40):
                    # Every other one is answered in the thread of the bridge itself.
                    socket.send_pyobj(
                        inference(picture()) if turn % 2 else {'command': 'ping'})
                    assert socket.recv_pyobj()['status'] == 'success'
        except Exception as error:
            problems.append(error)
    with running(ZmqBridge(port=0)) as bridge:
        clients = [threading.Thread(target=ask_often, args=(number,)) for number in range(5)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
    assert not problems


def test_z12_garbage_and_code_are_answered_and_survived(address, tmp_path):
    marker = tmp_path / 'called'
    with client(address) as socket:
        for garbage in (b'', b'x', b'\x80\x04', b'\x80\x04N', b'{"command":', b'{}', b'\xff' * 999,
                        pickle.dumps(Code(marker)), pickle.dumps({'command': Code(marker)}),
                        pickle.dumps(inference(picture()))[:-40]):
            socket.send(garbage)
            reply = socket.recv()
            text = reply.decode('utf-8', 'replace')
            assert 'error' in text and 'Traceback' not in text
    assert not marker.exists()
    with client(address, zmq.DEALER) as socket:
        # No envelope, and a message of too many parts.
        socket.send(pickle.dumps({'command': 'ping'}))
        assert pickle.loads(socket.recv_multipart()[-1]) == PONG
        socket.send_multipart([b''] + [b'x'] * 200)
        assert 'error' in socket.recv_multipart()[1].decode()
    assert ask(address, {'command': 'ping'}) == PONG


def test_z13_too_large_is_answered_up_to_the_hard_cap():
    limits = BridgeLimits(message=Limits(message_bytes=10_000))
    with running(ZmqBridge(port=0, limits=limits)) as bridge:
        with client(bridge.address) as socket, client(bridge.address) as over:
            over.send(bytes(1_000_000))
            socket.send(bytes(20_000))
            reply = pickle.loads(socket.recv())
            assert reply['code'] == 'payload_too_large'
            assert ask(bridge.address, {'command': 'ping'}) == PONG


def test_p4_pixels_are_limited_before_decoding():
    limits = BridgeLimits(message=Limits(pixels=1000))
    with running(ZmqBridge(port=0, limits=limits)) as bridge:
        for image in (picture(), Image.fromarray(picture())):
            assert ask(bridge.address, inference(image))['code'] == 'payload_too_large'


def test_busy_instead_of_endless_queueing():
    gate = Gate()
    with running(ZmqBridge(port=0), gate, queue_size=1) as bridge, \
            client(bridge.address) as socket:
        socket.send_pyobj(inference(picture()))
        assert gate.entered.wait(PATIENCE_S)
        assert ask(bridge.address, inference(picture()))['code'] == 'busy'
        gate.opened.set()
        assert socket.recv_pyobj()['status'] == 'success'


def test_p8_a_client_over_its_share_is_refused_in_order():
    gate, limits = Gate(), BridgeLimits(in_flight=2)
    with running(ZmqBridge(port=0, limits=limits), gate) as bridge, \
            client(bridge.address, zmq.DEALER) as socket:
        for _ in range(5):
            socket.send_multipart([b'', pickle.dumps(inference(picture()))])
        assert gate.entered.wait(PATIENCE_S)
        assert ask(bridge.address, {'command': 'ping'}) == PONG
        gate.opened.set()
        codes = [pickle.loads(socket.recv_multipart()[1]).get('code') for _ in range(5)]
        assert codes[0] is None and set(codes) <= {None, 'limit_exceeded'}


def test_p8_clients_over_the_limit_are_refused():
    gate, limits = Gate(), BridgeLimits(clients=1)
    with running(ZmqBridge(port=0, limits=limits), gate) as bridge, \
            client(bridge.address) as socket:
        socket.send_pyobj(inference(picture()))
        assert gate.entered.wait(PATIENCE_S)
        assert ask(bridge.address, inference(picture()))['code'] == 'limit_exceeded'
        gate.opened.set()
        assert socket.recv_pyobj()['status'] == 'success'


def test_p8_a_request_is_answered_when_its_time_is_over():
    gate, limits = Gate(), BridgeLimits(request_s=0.05)
    with running(ZmqBridge(port=0, limits=limits), gate) as bridge:
        assert ask(bridge.address, inference(picture()))['code'] == 'deadline_exceeded'


def test_p5_requests_need_the_key_and_ping_does_not():
    with running(ZmqBridge(Access(key='secret'), 0)) as bridge:
        assert ask(bridge.address, {'command': 'ping'}) == PONG
        for key in ({}, {'api_key': 'wrong'}, {'api_key': 7}, {'api_key': ''}):
            assert ask(bridge.address, inference(picture(), **key))['code'] == 'unauthorized'
        assert 'depth' in ask(bridge.address, inference(picture(), api_key='secret'))


def test_shutdown_lets_requests_under_way_finish_and_frees_the_port():
    gate = Gate()
    with running(ZmqBridge(port=0), gate) as bridge, client(bridge.address) as socket:
        socket.send_pyobj(inference(picture()))
        assert gate.entered.wait(PATIENCE_S)
        stopping = threading.Thread(target=bridge.stop, args=(PATIENCE_S,))
        stopping.start()
        gate.opened.set()
        assert socket.recv_pyobj()['status'] == 'success'
        stopping.join()
        again = ZmqBridge(port=bridge.port)
        again.listen()
        again.stop()


def test_shutdown_answers_what_cannot_finish_in_time():
    gate = Gate()
    with running(ZmqBridge(port=0), gate) as bridge, client(bridge.address) as socket:
        socket.send_pyobj(inference(picture()))
        assert gate.entered.wait(PATIENCE_S)
        bridge.stop(0.0)
        assert socket.recv_pyobj()['code'] == 'not_ready'


def test_g3_a_port_in_use_is_a_clear_error(address):
    bridge = ZmqBridge(port=int(address.rpartition(':')[2]))
    with pytest.raises(OSError, match='the port is in use'):
        bridge.listen()
    bridge.stop()
