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

"""The T rules of the wire specification on real sockets."""

from __future__ import annotations

import pickle
import pickletools
import select
import struct
import threading

from bridge_parts import depth_of, Gate, PATIENCE_S, picture, running
import cv2
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.tcp import PONG, TcpBridge
from depth_anything_ros.bridges.tcp_actions import BUILT_IN, ENTRY_POINTS, installed_actions
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.errors import ConfigError, InvalidRequest
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import from_body, Message, to_body
from depth_anything_ros.wire.results import depth_reply
import numpy as np
import pytest
from tcp_parts import ask, body, closed, connected, frame, reply, tell

PING = {'action': 'ping'}
K = {'fx': 70.0, 'fy': 72.0, 'cx': 39.5, 'cy': 29.5}


@pytest.fixture(scope='module')
def address():
    with running(TcpBridge(port=0)) as bridge:
        yield bridge.address


def png(image):
    return cv2.imencode('.png', image[..., ::-1])[1].tobytes()


def inference(image=None, **more):
    return {'action': 'depth_inference', 'rgb_bytes': png(picture() if image is None else image),
            'raw': True, **more}


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_t1_many_requests_on_one_connection_in_order(address, protocol):
    with connected(address) as connection:
        for seed in range(3):
            data = tell(connection, inference(picture(seed), as_numpy=True), protocol)['data']
            np.testing.assert_array_equal(data['depth'], depth_of(picture(seed)))
            assert tell(connection, PING, protocol) == PONG


def test_t1_pipelined_and_split_messages_are_answered_in_order(address):
    data = b''.join(frame(pickle.dumps(request)) for request in (
        inference(as_numpy=True), PING, {'action': 'x'}))
    with connected(address) as connection:
        for at in range(0, len(data), 1000):
            connection.sendall(data[at:at + 1000])
        assert 'data' in reply(connection)
        assert reply(connection) == PONG
        assert reply(connection)['message'] == 'Unknown action'


def test_t1_a_client_that_goes_away_in_a_message_harms_nobody(address):
    for part in (b'\0', b'\0\0\1\0', b'\0\0\1\0abc', frame(pickle.dumps(PING))):
        with connected(address) as connection:
            connection.sendall(part)
    assert ask(address, PING) == PONG


def test_t2_ping(address):
    assert ask(address, PING)['status'] == 'pong'
    assert 'Depth Anything' in ask(address, PING)['message']


def test_t3_shutdown_ends_the_program_from_this_machine():
    asked, seconds = threading.Event(), []

    def on_shutdown(drain):
        seconds.append(drain)
        asked.set()

    with running(TcpBridge(port=0, on_shutdown=on_shutdown)) as bridge:
        for request, expected in (({}, 10.0), ({'immediate': True}, 0.0)):
            asked.clear()
            with connected(bridge.address) as connection:
                answer = tell(connection, {'action': 'shutdown', **request})
                assert answer == {'status': 'shutting_down'}
                assert closed(connection)
            assert asked.wait(PATIENCE_S) and seconds[-1] == expected


def test_t3_shutdown_needs_the_key_where_there_is_one():
    asked = threading.Event()
    bridge = TcpBridge(Access(key='secret'), 0, on_shutdown=lambda _: asked.set())
    with running(bridge), connected(bridge.address) as connection:
        answer = tell(connection, {'action': 'shutdown', 'api_key': 'guess'})
        assert answer['status'] == 'error' and answer['code'] == 'unauthorized'
        assert not asked.is_set()
        answer = tell(connection, {'action': 'shutdown', 'api_key': 'secret'})
        assert answer == {'status': 'shutting_down'}
        assert asked.wait(PATIENCE_S)


def test_t3_shutdown_of_another_machine_is_refused(address):
    bridge = TcpBridge(port=0, on_shutdown=lambda _: None)
    # Nothing here has another machine at hand: the rule itself.
    with pytest.raises(Exception, match='same machine'):
        bridge._shutdown({'action': 'shutdown'}, '192.168.1.7')
    # A bridge inside another program is not stopped by clients at all.
    assert ask(address, {'action': 'shutdown'})['code'] == 'forbidden'


@pytest.mark.parametrize(('request_', 'text'), [
    ({'action': 'dance'}, 'Unknown action'),
    ({}, 'Unknown action'),
    ({'action': 7}, 'Unknown action'),
    ({'action': 'depth_inference'}, 'RGB bytes are required'),
    ({'action': 'depth_inference', 'rgb_bytes': b''}, 'RGB bytes are required'),
    ({'action': 'sam6d_inference', 'rgb_bytes': b'x'}, 'RGB and depth bytes are required'),
    ({'action': 'sam6d_inference', 'depth_bytes': b'x'}, 'RGB and depth bytes are required'),
    ([1], 'request is list; accepted: a dict'),
])
def test_t4_errors_keep_the_connection(address, request_, text):
    with connected(address) as connection:
        answer = tell(connection, request_)
        assert (answer['status'], answer['message']) == ('error', text)
        assert tell(connection, PING) == PONG


@pytest.mark.parametrize('wrong', [
    {'rgb_bytes': b'no picture'}, {'process_res': 'x'}, {'camera_intrinsics': [1, 2]},
    {'camera_intrinsics': {'fx': 0.0}}, {'model': 'da3-giant'}, {'raw': 'yes'},
    {'raw': False}])
def test_t4_wrong_values_are_told(address, wrong):
    with connected(address) as connection:
        answer = tell(connection, {**inference(), **wrong})
        assert answer['status'] == 'error' and answer['message'] and 'data' not in answer
        assert tell(connection, PING) == PONG


@pytest.mark.parametrize('broken', [
    b'x', b'\x80\x04', b'\x80\x04.', pickle.dumps(PING)[:-3], b'DAR1' + b'\xff' * 60])
def test_t4_a_broken_message_gets_an_error_and_the_end(address, broken):
    with connected(address) as connection:
        connection.sendall(frame(broken))
        assert reply(connection)['status'] == 'error'
        assert closed(connection)


def test_t5_sam6d_says_that_it_is_not_here(address):
    request = {'action': 'sam6d_inference', 'rgb_bytes': b'x', 'depth_bytes': b'y'}
    answer = ask(address, request)
    assert answer['status'] == 'error'
    assert 'pose model' in answer['message'] and ENTRY_POINTS in answer['message']


def test_t5_other_actions_are_plugged_in(monkeypatch, tmp_path):
    package = tmp_path / 'poses-1.0.dist-info'
    package.mkdir()
    (package / 'METADATA').write_text('Metadata-Version: 2.1\nName: poses\nVersion: 1.0\n')
    (package / 'entry_points.txt').write_text(
        f'[{ENTRY_POINTS}]\nsam6d_inference = bridge_test_poses:poses\n')
    (tmp_path / 'bridge_test_poses.py').write_text(
        'def poses(request):\n'
        '    size = len(request.fields["rgb_bytes"])\n'
        '    return {"pose_scores": [0.5, float(size)]}\n')
    monkeypatch.syspath_prepend(tmp_path)
    with running(TcpBridge(port=0, actions=installed_actions())) as bridge:
        answer = ask(bridge.address, {'action': 'sam6d_inference', 'rgb_bytes': b'abc'})
        assert answer == {'status': 'success', 'data': {'pose_scores': [0.5, 3.0]}}
        assert ask(bridge.address, inference())['status'] == 'success'
    (package / 'entry_points.txt').write_text(f'[{ENTRY_POINTS}]\nx = bridge_test_poses:missing\n')
    with pytest.raises(ConfigError, match='cannot be loaded'):
        installed_actions()


def test_t5_errors_of_an_action_stay_inside():
    def fails(_):
        raise RuntimeError('/secret/path')

    def refuses(_):
        raise InvalidRequest('too dark')
    actions = {**BUILT_IN, 'fails': fails, 'refuses': refuses}
    with running(TcpBridge(port=0, actions=actions)) as bridge, \
            connected(bridge.address) as connection:
        assert 'secret' not in tell(connection, {'action': 'fails'})['message']
        assert tell(connection, {'action': 'refuses'})['message'] == 'too dark'
        assert tell(connection, PING) == PONG


def test_t6_the_reply_is_builtins_only(address):
    with connected(address) as connection:
        connection.sendall(frame(pickle.dumps(inference(camera_intrinsics=K))))
        data = body(connection)
    names = {opcode.name for opcode, _, _ in pickletools.genops(data)}
    assert not names & {'GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'BUILD'}
    answer = pickle.loads(data)['data']
    assert (answer['dtype'], answer['byteorder']) == ('float32', 'little')
    assert answer['shape'] == [15, 20]
    assert answer['units'] == 'canonical' and answer['model'] == 'given'
    assert answer['intrinsics'][0] == [17.5, 0.0, 9.875] and 'infer' in answer['timing']
    depth = struct.unpack(f'<{15 * 20}f', answer['depth'])
    np.testing.assert_array_equal(np.reshape(depth, (15, 20)), depth_of(picture()))
    array = ask(address, inference(as_numpy=True))['data']['depth']
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, depth_of(picture()))


def test_t5_metres_preview_and_notes(address):
    image = np.full((60, 80, 3), 7, np.uint8)
    request = inference(
        image, raw=False, camera_intrinsics=K, visualize=True, depth_bytes=b'x', as_numpy=True)
    data = ask(address, request)['data']
    assert data['units'] == 'm' and data['shape'] == [60, 80]
    focal = (K['fx'] + K['fy']) / 2 / 4
    np.testing.assert_allclose(data['depth'], depth_of(image)[0, 0] * focal / 300, rtol=1e-6)
    assert data['preview'].shape == (60, 80, 3) == tuple(data['preview_shape'])
    assert 'depth_bytes are not used' in data['notes'][-1]
    matrix = [[70.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]]
    again = ask(address, {**request, 'camera_intrinsics': matrix})['data']
    np.testing.assert_array_equal(again['depth'], data['depth'])
    answer = ask(address, inference(image, raw=False))
    assert answer['code'] == 'invalid_intrinsics' and 'focal length' in answer['message']


def test_t8_concurrent_clients_never_see_each_others_data(address):
    wrong = []

    def work(number):
        with connected(address) as connection:
            for turn in range(5):
                image = picture(100 * number + turn)
                data = tell(connection, inference(image, as_numpy=True)).get('data')
                if data is None or not np.array_equal(data['depth'], depth_of(image)):
                    wrong.append((number, turn))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_t8_p3_a_length_is_not_believed():
    limits = BridgeLimits(message=Limits(message_bytes=10_000))
    with running(TcpBridge(port=0, limits=limits)) as bridge:
        for start in (b'\xff\xff\xff\xff', struct.pack('!I', 10_001), b'\0\0\0\0'):
            with connected(bridge.address) as connection:
                connection.sendall(start)
                assert reply(connection)['status'] == 'error'
                assert closed(connection)
        with connected(bridge.address) as connection:
            # A client that sends all of it before it reads gets the answer, too.
            connection.sendall(frame(bytes(12_000)))
            assert reply(connection)['code'] == 'payload_too_large'
        assert ask(bridge.address, PING) == PONG


def test_p8_slow_and_silent_clients_are_dropped():
    for limits in (BridgeLimits(message_s=0.1), BridgeLimits(idle_s=0.1)):
        with running(TcpBridge(port=0, limits=limits)) as bridge, \
                connected(bridge.address) as connection:
            if limits.message_s < 1:
                connection.sendall(b'\0\0')
            assert closed(connection)


def test_p8_a_client_that_does_not_read_is_dropped():
    # Small requests with large replies: buffers of the system are full after some of them.
    request = frame(pickle.dumps(inference(np.zeros((480, 640, 3), np.uint8))))
    with running(TcpBridge(port=0, limits=BridgeLimits(message_s=3.0))) as bridge, \
            connected(bridge.address) as connection:
        try:
            for _ in range(2000):
                connection.sendall(request)
        except ConnectionError:
            pass
        poller = select.poll()
        poller.register(connection, 0)
        events = poller.poll(1000 * PATIENCE_S)
        assert events and events[0][1] & (select.POLLHUP | select.POLLERR)
        assert ask(bridge.address, PING) == PONG


def test_p8_clients_over_the_limit_are_refused():
    with running(TcpBridge(port=0, limits=BridgeLimits(clients=1))) as bridge:
        with connected(bridge.address) as one:
            assert tell(one, PING) == PONG
            answer = ask(bridge.address, PING)
            assert answer['code'] == 'limit_exceeded'
            assert tell(one, PING) == PONG


def test_busy_and_deadline():
    gate = Gate()
    with running(TcpBridge(port=0), gate, queue_size=1) as bridge, \
            connected(bridge.address) as connection:
        connection.sendall(frame(pickle.dumps(inference())))
        assert gate.entered.wait(PATIENCE_S)
        assert ask(bridge.address, inference())['code'] == 'busy'
        gate.opened.set()
        assert reply(connection)['status'] == 'success'
    gate, limits = Gate(), BridgeLimits(request_s=0.05)
    with running(TcpBridge(port=0, limits=limits), gate) as bridge:
        assert ask(bridge.address, inference())['code'] == 'deadline_exceeded'


def test_p5_requests_need_the_key_and_ping_does_not():
    with running(TcpBridge(Access(key='secret'), 0)) as bridge, \
            connected(bridge.address) as connection:
        assert tell(connection, PING) == PONG
        for key in ({}, {'api_key': 'wrong'}, {'api_key': b'secret'}):
            assert tell(connection, inference(**key))['code'] == 'unauthorized'
        assert tell(connection, inference(api_key='secret'))['status'] == 'success'


class Code:
    """Unpickles as a call."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


def test_t8_pickled_code_is_never_run(address, tmp_path):
    marker = tmp_path / 'called'
    assert ask(address, {'action': Code(marker)})['status'] == 'error'
    assert not marker.exists()


def test_own_form_on_the_same_port():
    header = {'command': 'inference', 'request_id': 'a7',
              'intrinsics': [[70.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]]}
    with running(TcpBridge(port=0), kind=DepthKind.METRIC) as bridge, \
            connected(bridge.address) as connection:
        def exchange(message):
            connection.sendall(frame(b''.join(to_body(message))))
            return from_body(body(connection))
        encoded = np.frombuffer(png(picture()), np.uint8)
        for image in (picture(), encoded):
            found = depth_reply(exchange(Message(header, {'image': image})))
            assert found.request_id == 'a7' and found.units == 'm'
            assert found.depth.shape == (60, 80)
        assert exchange(Message({'command': 'ping'})).header['type'] == 'pong'
        assert exchange(Message({'command': 'x'})).header['type'] == 'error'
        assert tell(connection, PING) == PONG


def test_shutdown_lets_requests_under_way_finish_and_frees_the_port():
    gate = Gate()
    with running(TcpBridge(port=0), gate) as bridge, connected(bridge.address) as connection:
        connection.sendall(frame(pickle.dumps(inference())))
        assert gate.entered.wait(PATIENCE_S)
        stopping = threading.Thread(target=bridge.stop, args=(PATIENCE_S,))
        stopping.start()
        gate.opened.set()
        assert reply(connection)['status'] == 'success'
        stopping.join()
        again = TcpBridge(port=bridge.port)
        again.listen()
        again.stop()


def test_shutdown_answers_what_cannot_finish_in_time():
    gate = Gate()
    with running(TcpBridge(port=0), gate) as bridge, connected(bridge.address) as connection:
        connection.sendall(frame(pickle.dumps(inference())))
        assert gate.entered.wait(PATIENCE_S)
        bridge.stop(0.0)
        assert reply(connection)['code'] == 'not_ready'
        assert closed(connection)


def test_g3_a_port_in_use_is_a_clear_error(address):
    bridge = TcpBridge(port=int(address.rpartition(':')[2]))
    with pytest.raises(OSError, match='the port is in use'):
        bridge.listen()
    bridge.stop()
