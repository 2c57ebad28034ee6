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
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.wire.message import from_parts, Message, to_parts
from depth_anything_ros.wire.results import depth_reply
import numpy as np
from PIL import Image
import pytest
import zmq
from zmq_parts import ask, client, inference, K, PONG


@pytest.fixture(scope='module')
def address():
    with running(ZmqBridge(port=0)) as bridge:
        yield bridge.address


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
