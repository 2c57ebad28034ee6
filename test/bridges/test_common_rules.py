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

"""Rules that hold for ZMQ and raw TCP alike, in the seed's forms and in ours."""

from contextlib import contextmanager
import io
import struct
import threading
import zlib

from bridge_parts import depth_of, picture, running
import cv2
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.tcp import PONG as TCP_PONG
from depth_anything_ros.bridges.tcp import TcpBridge
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.clients import TcpClient, ZmqClient
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.errors import DepthAnythingError, Forbidden
from depth_anything_ros.wire.limits import Limits
import numpy as np
from PIL import Image
import pytest
import tcp_parts
import zmq_parts

PROTOCOLS = ('zmq', 'tcp')
STRANGE = {'nobody': 'knows', 'this': [1, {'key': None}], 'priority': 7, 'Intrinsics': 3}


@contextmanager
def served(protocol, **arguments):
    """Serve one protocol; yields what asks in the seed's form, and a client of ours."""
    options = {name: arguments.pop(name) for name in ('limits', 'roots') if name in arguments}
    bridge = (ZmqBridge if protocol == 'zmq' else TcpBridge)(port=0, **options)
    parts = zmq_parts if protocol == 'zmq' else tcp_parts
    with running(bridge, **arguments) as bridge:
        made = ZmqClient(bridge.address) if protocol == 'zmq' \
            else TcpClient('127.0.0.1', bridge.port)
        with made as client:
            yield lambda request: parts.ask(bridge.address, request), client


def inference(protocol, image, **more):
    """Return a request of the seed's form; raw TCP takes encoded pictures."""
    if protocol == 'zmq':
        return {'command': 'inference', 'image': image, **more}
    data = image if isinstance(image, bytes) else encoded(image)
    return {'action': 'depth_inference', 'rgb_bytes': data, 'raw': True, 'as_numpy': True, **more}


def encoded(rgb, ending='.png'):
    return cv2.imencode(ending, rgb[..., ::-1])[1].tobytes()


def depth_in(protocol, reply):
    assert reply['status'] == 'success', reply
    return reply['depth'] if protocol == 'zmq' else reply['data']['depth']


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_g1_unknown_keys_are_ignored_and_exact_replies_are_exact(protocol):
    ping = {'command': 'ping'} if protocol == 'zmq' else {'action': 'ping'}
    pong = {'status': 'success', 'message': 'pong'} if protocol == 'zmq' else TCP_PONG
    unknown = {'command': 'dance'} if protocol == 'zmq' else {'action': 'dance'}
    text = 'Unknown command: dance' if protocol == 'zmq' else 'Unknown action'
    with served(protocol) as (ask, client):
        assert ask({**ping, **STRANGE}) == ask(ping) == pong
        plain = ask(inference(protocol, picture()))
        strange = ask(inference(protocol, picture(), **STRANGE))
        np.testing.assert_array_equal(depth_in(protocol, strange), depth_in(protocol, plain))
        assert set(strange) == set(plain)
        found = ask({**unknown, **STRANGE})
        assert found['status'] == 'error'
        assert found['error' if protocol == 'zmq' else 'message'] == text
        # Of our own form, too: what a later client sends is no error today.
        message = client._ask({'command': 'inference', 'fov_deg': 60.0, **STRANGE}, picture())
        assert message.header['type'] == 'depth_result'


def turned(rgb, orientation):
    """Return a JPEG whose EXIF says that it has to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, 'JPEG', quality=95, exif=exif)
    return data.getvalue()


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_g6_images_are_rgb_and_not_turned_unless_asked(protocol, tmp_path):
    # One colour channel at a time: the engine's depth tells them apart.
    red, green, blue = (np.zeros((60, 80, 3), np.uint8) for _ in range(3))
    red[..., 0], green[..., 1], blue[..., 2] = 200, 200, 200
    with served(protocol, kind=DepthKind.METRIC, roots=ImageRoots([tmp_path])) as (ask, client):
        for rgb in (red, green, blue):
            for image in (rgb, encoded(rgb)):
                if protocol == 'tcp' or isinstance(image, np.ndarray):
                    reply = ask(inference(protocol, image))
                    np.testing.assert_array_equal(depth_in(protocol, reply), depth_of(rgb))
                small = client.estimate(image).depth[::4, ::4]
                np.testing.assert_allclose(small, depth_of(rgb), rtol=1e-6)
        if protocol == 'zmq':
            cv2.imwrite(str(tmp_path / 'red.png'), red[..., ::-1])
            for image in (Image.fromarray(red), str(tmp_path / 'red.png')):
                reply = ask(inference(protocol, image))
                np.testing.assert_array_equal(reply['depth'], depth_of(red))
        lying = turned(picture(), orientation=6)
        (tmp_path / 'lying.jpg').write_bytes(lying)
        image = str(tmp_path / 'lying.jpg') if protocol == 'zmq' else lying
        assert depth_in(protocol, ask(inference(protocol, image))).shape == (15, 20)
        assert client.estimate(lying).depth.shape == (60, 80)
        assert client.estimate(lying, exif_orient=True).depth.shape == (80, 60)


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_p2_nothing_is_fetched_from_a_url(protocol, tmp_path):
    import http.server
    asked = []

    class Server(http.server.BaseHTTPRequestHandler):

        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    web = http.server.HTTPServer(('127.0.0.1', 0), Server)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        url = f'http://127.0.0.1:{web.server_port}/photo.png'
        with served(protocol, roots=ImageRoots([tmp_path])) as (ask, client):
            for image in (url, url.replace('http', 'https'), 'file:///etc/passwd'):
                if protocol == 'zmq':
                    reply = ask(inference(protocol, image))
                else:
                    reply = ask({'action': 'depth_inference', 'image_url': image})
                assert reply['status'] == 'error'
                with pytest.raises(Forbidden):
                    client._ask({'command': 'inference', 'image': image}, None)
                with pytest.raises(DepthAnythingError):
                    client._ask({'command': 'inference', 'image_url': image}, None)
    finally:
        web.shutdown()
        thread.join()
        web.server_close()
    assert not asked


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_p3_a_message_beyond_the_limit_is_refused_and_the_server_lives(protocol):
    limits = BridgeLimits(message=Limits(message_bytes=20_000))
    with served(protocol, limits=limits) as (ask, client):
        noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
        assert ask(inference(protocol, noise))['code'] == 'payload_too_large'
        with pytest.raises(DepthAnythingError, match='accepted: at most 20000'):
            client.estimate(noise)
        client.ping()
        assert depth_in(protocol, ask(inference(protocol, picture()[:16]))).shape == (4, 20)


def bomb(width, height):
    """Return a small PNG of many pixels."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack(
            '>I', zlib.crc32(kind + data))
    return b'\x89PNG\r\n\x1a\n' + chunk(
        b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) + chunk(
        b'IDAT', zlib.compress(bytes(1000))) + chunk(b'IEND', b'')


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_p4_too_many_pixels_are_refused_before_decoding(protocol, tmp_path):
    (tmp_path / 'bomb.png').write_bytes(bomb(30_000, 30_000))
    with served(protocol, roots=ImageRoots([tmp_path])) as (ask, client):
        image = str(tmp_path / 'bomb.png') if protocol == 'zmq' else bomb(30_000, 30_000)
        assert ask(inference(protocol, image))['code'] == 'payload_too_large'
        with pytest.raises(DepthAnythingError, match='30000x30000'):
            client.estimate(bomb(30_000, 30_000))
        for process_res in (0, 13, 2017, 10 ** 9, '504', 5.5, True):
            reply = ask(inference(protocol, picture(), process_res=process_res))
            assert reply['status'] == 'error' and 'process_res' in str(reply)
        assert depth_in(protocol, ask(inference(protocol, picture()))).shape == (15, 20)
