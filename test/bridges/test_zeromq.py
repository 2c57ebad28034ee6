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

"""The Z rules of the wire specification on a real ROUTER with real clients."""

from __future__ import annotations

import logging
import pickle
import threading

from bridge_parts import depth_of, Gate, PATIENCE_S, picture, running
from depth_anything_ros.bridges import rate
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.engine.given_views import GivenViewsEngine
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import from_parts, Message, to_parts
from depth_anything_ros.wire.results import depth_reply
import numpy as np
from PIL import Image
import pytest
import zmq
from zmq_parts import ask, client

PONG = {'status': 'success', 'message': 'pong'}
K = np.array([[70.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]])


@pytest.fixture(scope='module')
def address():
    with running(ZmqBridge(port=0)) as bridge:
        yield bridge.address


def inference(image, **more):
    return {'command': 'inference', 'image': image, 'process_res': 504, **more}


def test_z2_many_clients_at_once_each_get_their_own_replies_in_order(address):
    wrong, threads = [], []

    def work(number):
        with client(address) as socket:
            for turn in range(5):
                image = picture(100 * number + turn)
                socket.send_pyobj(inference(image))
                depth = socket.recv_pyobj().get('depth')
                if depth is None or not np.array_equal(depth, depth_of(image)):
                    wrong.append((number, turn))

    for number in range(6):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_z2_pickle_protocols(address, protocol):
    with client(address) as socket:
        socket.send_pyobj(inference(picture()), protocol=protocol)
        assert np.array_equal(socket.recv_pyobj()['depth'], depth_of(picture()))


def test_z2_replies_keep_the_order_of_one_clients_requests():
    gate = Gate()
    with running(ZmqBridge(port=0), gate) as bridge, client(bridge.address, zmq.DEALER) as socket:
        for request in (inference(picture()), {'command': 'ping'}):
            socket.send_multipart([b'', pickle.dumps(request)])
        assert gate.entered.wait(PATIENCE_S)
        # Another client is not held up by the one that waits.
        assert ask(bridge.address, {'command': 'ping'}) == PONG
        gate.opened.set()
        replies = [pickle.loads(socket.recv_multipart()[1]) for _ in range(2)]
    assert 'depth' in replies[0] and replies[1] == PONG


def test_z3_ping_is_answered_exactly(address):
    assert ask(address, {'command': 'ping'}) == PONG
    assert ask(address, {'command': 'ping', 'unknown': [1]}) == PONG


def test_z4_arrays_pillow_images_grey_and_alpha(address):
    rgb = picture()
    grey, alpha = rgb[..., 0].copy(), np.dstack([rgb, rgb[..., :1]])
    expected = depth_of(rgb)
    for image in (rgb, alpha, Image.fromarray(rgb), Image.fromarray(alpha), rgb[:, ::-1][:, ::-1]):
        np.testing.assert_array_equal(ask(address, inference(image))['depth'], expected)
    for image in (grey, grey[..., None], Image.fromarray(grey)):
        reply = ask(address, inference(image))
        np.testing.assert_array_equal(reply['depth'], depth_of(np.dstack([grey] * 3)))
    reply = ask(address, {'command': 'inference', 'image': rgb})
    np.testing.assert_array_equal(reply['depth'], expected)


def test_z4_p1_paths_are_off_unless_under_an_allowed_folder(address, tmp_path):
    allowed, other = tmp_path / 'allowed', tmp_path / 'other'
    for folder in (allowed, other):
        folder.mkdir()
        Image.fromarray(picture()).save(folder / 'photo.png')
    (allowed / 'link.png').symlink_to(other / 'photo.png')
    (allowed / 'text.png').write_text('no picture')
    refused = ask(address, inference(str(allowed / 'photo.png')))
    assert refused['status'] == 'error' and refused['code'] == 'forbidden'
    with running(ZmqBridge(port=0, roots=ImageRoots([allowed]))) as bridge:
        reply = ask(bridge.address, inference(str(allowed / 'photo.png')))
        np.testing.assert_array_equal(reply['depth'], depth_of(picture()))
        for name in (allowed / 'missing.png', other / 'photo.png', allowed / 'link.png',
                     allowed / '..' / 'other' / 'photo.png', allowed, '\0'):
            # Missing and not allowed sound the same.
            assert ask(bridge.address, inference(str(name))) == refused
        assert ask(bridge.address, inference(str(allowed / 'text.png')))['status'] == 'error'


def test_z5_depth_is_the_networks_own_at_the_processed_size(address):
    image = picture()
    reply = ask(address, inference(image, intrinsics=K))
    depth = reply['depth']
    assert reply['status'] == 'success'
    assert depth.dtype == np.float32 and depth.ndim == 2 and depth.flags.c_contiguous
    assert depth.shape == (15, 20) != image.shape[:2]
    np.testing.assert_array_equal(depth, depth_of(image))
    assert reply['units'] == 'canonical' and reply['model'] == 'given'


def test_z7_the_clients_metric_law_gives_the_servers_metres(address):
    image = np.full((60, 80, 3), 7, np.uint8)
    raw = ask(address, inference(image))['depth']
    height, width = raw.shape
    scaled = K.copy()
    scaled[0] *= width / 80
    scaled[1] *= height / 60
    expected = raw * ((scaled[0, 0] + scaled[1, 1]) / 2 / 300)
    reply = ask(address, inference(image, intrinsics=K, metric=True))
    assert reply['units'] == 'm' and reply['depth'].shape == (60, 80)
    np.testing.assert_allclose(reply['depth'], np.full((60, 80), expected[0, 0]), rtol=1e-6)
    reply = ask(address, inference(image, metric=True))
    assert reply['status'] == 'error' and 'focal length' in reply['error']


@pytest.mark.parametrize(('request_', 'text'), [
    ({'command': 'dance'}, 'Unknown command: dance'),
    ({}, 'Unknown command: '),
    ({'command': 'inference'}, "request has no 'image'"),
    (inference(np.zeros((4, 4, 3))), 'image is float64 (4, 4, 3)'),
    (inference(picture(), process_res='big'), 'process_res is str'),
    (inference(picture(), process_res=True), 'process_res is bool'),
    (inference(picture(), process_res=10**6), 'process_res is 1000000'),
    (['no', 'dict'], 'request is list; accepted: a dict'),
])
def test_z8_errors_say_what_is_wrong_and_no_more(address, request_, text):
    reply = ask(address, request_)
    assert reply['status'] == 'error' and reply['error'].startswith(text)
    if text.startswith('Unknown'):
        assert reply['error'] == text
    assert 'Traceback' not in reply['error'] and '\n' not in reply['error']
    assert ask(address, {'command': 'ping'}) == PONG


@pytest.mark.parametrize('wrong', ['K', [1, 2, 3], np.eye(4), np.zeros((3, 3), bool), 7])
def test_z9_wrong_intrinsics_get_the_seeds_words(address, wrong):
    reply = ask(address, inference(picture(), intrinsics=wrong))
    assert reply['error'] == 'Intrinsics must be a 3x3 numpy array'


def test_z10_replies_carry_the_intrinsics_of_their_pixels(address):
    reply = ask(address, inference(picture(), intrinsics=K))
    found = reply['intrinsics']
    assert found.dtype == np.float32 and found.shape == (3, 3)
    np.testing.assert_allclose(found, np.diag([0.25, 0.25, 1]) @ K, rtol=1e-6)
    assert ask(address, inference(picture()))['intrinsics'] is None


def test_z10_batches(address):
    images = [picture(1), picture(2, 40, 60), picture(3)]
    request = {'command': 'inference_batch', 'images': images, 'process_res': 504}
    reply = ask(address, request)
    assert reply['status'] == 'success' and reply['intrinsics'] == [None] * 3
    for image, depth in zip(images, reply['depth'], strict=True):
        np.testing.assert_array_equal(depth, depth_of(image))
    reply = ask(address, {**request, 'intrinsics': [K] * 3})
    assert all(found.shape == (3, 3) for found in reply['intrinsics'])
    for wrong in ({'images': []}, {'images': picture()}, {'intrinsics': [K]},
                  {'extrinsics': [np.eye(4)] * 3}, {'images': [picture()] * 40}):
        assert ask(address, {**request, **wrong})['status'] == 'error'


def test_z10_set_intrinsics_belongs_to_one_client(address):
    several = {'command': 'inference', 'images': [picture()], 'extrinsics': np.eye(4)[None]}
    with client(address) as one, client(address) as other:
        def tell(socket, request):
            socket.send_pyobj(request)
            return socket.recv_pyobj()
        before = tell(one, several)
        assert before['error'] == 'Intrinsics not set. Call set_intrinsics first.'
        wrong = tell(one, {'command': 'set_intrinsics', 'intrinsics': np.eye(2)})
        assert 'ndarray' in wrong['error'] and '(2, 2)' in wrong['error']
        assert tell(one, {'command': 'set_intrinsics', 'intrinsics': K}) == {'status': 'success'}
        assert tell(one, inference(picture()))['intrinsics'] is not None
        assert tell(other, inference(picture()))['intrinsics'] is None
        # Several posed images need a multi-view engine; that is said, not faked.
        assert 'makes no reconstructions' in tell(one, several)['error']


def scene_of(frames):
    """Return views as a model sees them: in a world of its own, at half the scale."""
    count = len(frames)
    extrinsics = np.tile(np.eye(4)[:3], (count, 1, 1))
    extrinsics[:, 0, 3] = -0.5 * np.arange(count)
    depth = np.stack([depth_of(frame.rgb) for frame in frames])
    height, width = depth.shape[1:]
    cameras = np.stack([frame.intrinsics.resized(width, height).matrix() for frame in frames])
    return Views(
        np.zeros((*depth.shape, 3), np.uint8), depth, cameras, extrinsics,
        ScaleLaw(DepthKind.METRIC), 'scene', confidence=depth + 1)


def test_z10_c_posed_images_of_a_scene():
    # The client's world is turned a quarter about z and moved; the cameras are 1 m apart in it.
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, :3, :3] = turn.T
    centres = np.array([5.0, 6, 7]) + np.arange(3)[:, None] * turn[:, 0]
    poses[:, :3, 3] = -centres @ turn
    images = [picture(seed) for seed in range(3)]
    request = {'command': 'inference', 'images': images, 'extrinsics': poses}
    engine = GivenViewsEngine(scene_of)
    with running(ZmqBridge(port=0), engine=engine) as bridge, client(bridge.address) as socket, \
            client(bridge.address) as other:
        def tell(socket, request):
            socket.send_pyobj(request)
            return socket.recv_pyobj()
        unset = 'Intrinsics not set. Call set_intrinsics first.'
        assert tell(socket, request) == {
            'status': 'error', 'error': unset, 'code': 'invalid_intrinsics'}
        tell(socket, {'command': 'set_intrinsics', 'intrinsics': K})
        assert tell(other, request)['error'] == unset
        reply = tell(socket, request)
        assert reply['status'] == 'success' and reply['units'] == 'm'
        assert reply['extrinsics'].shape == (3, 3, 4) and reply['extrinsics'].dtype == np.float32
        np.testing.assert_allclose(reply['extrinsics'], poses[:, :3], atol=1e-5)
        # Of the last image, at the scale of the given poses.
        np.testing.assert_allclose(reply['depth'], 2 * depth_of(images[-1]), rtol=1e-5)
        np.testing.assert_array_equal(reply['conf'], depth_of(images[-1]) + 1)
        np.testing.assert_allclose(
            reply['intrinsics'], np.diag([0.25, 0.25, 1]) @ K, rtol=1e-6)
        one = tell(socket, {**request, 'images': images[:1], 'extrinsics': poses[:1]})
        assert one['extrinsics'].shape == (1, 3, 4) and 'do not move' in one['notes'][0]
        scaled = poses.copy()
        scaled[1, :3, :3] *= 2
        for wrong, words in (
                ({'extrinsics': None}, 'extrinsics are NoneType; accepted: an array (3, 4, 4)'),
                ({'extrinsics': poses[:2]}, 'extrinsics are float64 (2, 4, 4)'),
                ({'extrinsics': poses[:, :3]}, '(3, 3, 4)'), ({'extrinsics': scaled}, 'no rigid'),
                ({'extrinsics': poses * np.nan}, 'no rigid'),
                ({'extrinsics': poses[::-1]}, 'do not fit'), ({'images': []}, 'a list of 1'),
                ({'images': [picture()] * 40}, 'at most 32')):
            assert words in tell(socket, {**request, **wrong})['error'], words


def test_z10_c_a_model_of_single_images_says_so():
    engine = GivenViewsEngine(scene_of, multi_view=False)
    with running(ZmqBridge(port=0), engine=engine) as bridge, client(bridge.address) as socket:
        socket.send_pyobj({'command': 'set_intrinsics', 'intrinsics': K})
        socket.recv_pyobj()
        socket.send_pyobj({'command': 'inference', 'images': [picture()] * 2,
                           'extrinsics': np.tile(np.eye(4), (2, 1, 1))})
        assert 'predicts no camera poses' in socket.recv_pyobj()['error']


def test_z11_the_rate_line(caplog, monkeypatch):
    now, memory = [10.0], [None]
    line = rate.RateLine(lambda: memory[0], lambda: now[0])
    said = []
    for _ in range(8):
        now[0] += 0.5
        said.append(line.count())
    assert said == [None, None, None, 'Hz: 2.0'] * 2
    memory[0] = (1_500_000_000, 2_000_000_000)
    now[0] += 4
    assert line.count() == 'VRAM: 1500/2000 MB | Hz: 0.2'
    monkeypatch.setattr(rate, 'PERIOD', 1e-9)
    with caplog.at_level(logging.INFO), running(ZmqBridge(port=0)) as bridge:
        assert ask(bridge.address, inference(picture()))['status'] == 'success'
    assert any(record.message.startswith('Hz: ') and record.levelno == logging.INFO
               for record in caplog.records)


class Code:
    """Unpickles as a call."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


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


def test_own_form_carries_units_camera_and_request_id():
    header = {'command': 'inference', 'request_id': 'a7', 'intrinsics': K.tolist(),
              'outputs': ['depth', 'points']}
    with running(ZmqBridge(port=0), kind=DepthKind.METRIC) as bridge, \
            client(bridge.address) as socket:
        def tell(message):
            socket.send_multipart(to_parts(message))
            return from_parts(socket.recv_multipart())
        reply = depth_reply(tell(Message(header, {'image': picture()})))
        assert reply.request_id == 'a7' and reply.units == 'm' and reply.model == 'given'
        assert reply.depth.shape == (60, 80) and reply.cloud.shape == (60, 80, 4)
        np.testing.assert_allclose(reply.intrinsics.matrix(), K)
        pong = tell(Message({'command': 'ping', 'request_id': 'b'})).header
        assert pong == {**PONG, 'type': 'pong', 'request_id': 'b'}
        for wrong in (Message({**header, 'command': 'x'}), Message(header),
                      Message({**header, 'outputs': ['x']}, {'image': picture()}),
                      Message({**header, 'request_id': 1}, {'image': picture()})):
            assert tell(wrong).header['type'] == 'error'


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
