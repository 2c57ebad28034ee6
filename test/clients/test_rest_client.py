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

"""The REST clients on a real bridge: typed results, errors, retries, files from the command."""

from __future__ import annotations

import asyncio
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import threading
import time

from bridge_parts import depth_of, Gate, PATIENCE_S, picture, running
import cv2
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.tcp import TcpBridge
from depth_anything_ros.cli import main
from depth_anything_ros.clients import AsyncRestClient, RestClient, TcpClient
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.errors import (
    Busy,
    DeadlineExceeded,
    InvalidImage,
    InvalidIntrinsics,
    InvalidRequest,
    NotReady,
    Unauthorized,
)
import numpy as np
import pytest
from rest_parts import serving

K = [[70.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]]
IMAGE = picture(2)


@pytest.fixture(scope='module')
def address():
    with serving() as found:
        yield found.bridge.address


@pytest.fixture
def client(address):
    with RestClient(address, timeout=PATIENCE_S) as found:
        yield found


def test_g2_the_same_numbers_as_over_tcp(client):
    with running(TcpBridge(port=0)) as bridge, TcpClient('127.0.0.1', bridge.port) as tcp:
        for options in ({}, {'minimum': 2.0, 'maximum': 9.0}):
            over = client.estimate(IMAGE, K, **options)
            np.testing.assert_array_equal(over.depth, tcp.estimate(IMAGE, K, **options).depth)
    assert over.units == 'm' and over.model == 'given' and over.request_id
    assert over.intrinsics.fx == 70.0 and 'camera_info' in str(over.scale_law)
    assert over.timings['infer'] >= 0
    client.ping()


def test_pictures_of_every_form(client):
    grey = IMAGE[..., 0]
    alpha = np.dstack([IMAGE, grey])
    png = cv2.imencode('.png', IMAGE[..., ::-1])[1].tobytes()
    expected = client.metres(IMAGE, K)
    np.testing.assert_array_equal(client.metres(alpha, K), expected)
    np.testing.assert_array_equal(client.metres(png, K), expected)
    assert client.metres(grey, K).shape == expected.shape
    assert client.points(IMAGE, K).shape == (*expected.shape, 3)
    assert client.estimate(IMAGE, fov_deg=60).scale_law.focal_source.value == 'fov'


def test_outputs_beside_depth():
    from depth_anything_ros.bridges.rest.options import RestOptions
    from depth_anything_ros.bridges.rest.server import RestBridge
    from depth_anything_ros.engine.given import GivenDepthEngine
    from depth_anything_ros.service import DepthService
    service = DepthService(GivenDepthEngine(
        lambda frame: depth_of(frame.rgb), confidence_of=lambda frame: depth_of(frame.rgb)))
    bridge = RestBridge(RestOptions(), 0)
    bridge.listen()
    bridge.start(service)
    try:
        with RestClient(bridge.address) as client:
            reply = client.estimate(IMAGE, K, outputs=['depth', 'confidence', 'sky'])
            assert reply.confidence.shape == reply.depth.shape and reply.sky is None
            assert any('no sky mask' in note for note in reply.notes)
            with pytest.raises(InvalidRequest, match='preview'):
                client.estimate(IMAGE, outputs=['preview'])
    finally:
        bridge.stop()
        service.close()


def test_errors_are_those_of_the_server(client):
    with pytest.raises(InvalidImage):
        client.estimate(b'\x89PNG\r\n\x1a\n')
    with pytest.raises(InvalidIntrinsics):
        client.estimate(IMAGE)
    with serving(access=Access(key='secret')) as keyed:
        with RestClient(keyed.bridge.address) as stranger:
            stranger.ping()
            with pytest.raises(Unauthorized, match='API key required'):
                stranger.estimate(IMAGE, K)
        with RestClient(keyed.bridge.address, api_key='secret') as friend:
            assert friend.metres(IMAGE, K).shape == (60, 80)
    with RestClient('http://127.0.0.1:9', timeout=2) as nobody:
        with pytest.raises(NotReady, match='no server at'):
            nobody.ping()


def test_a_deadline_and_a_full_queue():
    gate = Gate()
    with serving(gate, queue_size=1) as found:
        with RestClient(found.bridge.address, timeout=0.3) as client:
            with pytest.raises(DeadlineExceeded):
                client.estimate(IMAGE, K)
        assert gate.entered.is_set()
        with RestClient(found.bridge.address, retries=0, timeout=PATIENCE_S) as client:
            for _ in range(100):
                try:
                    client.estimate(IMAGE, K)
                except Busy as error:
                    assert 'under way' in str(error)
                    break
                except DeadlineExceeded:
                    continue
            else:
                raise AssertionError('never busy')


class Refusing(BaseHTTPRequestHandler):
    """Refuses twice, then answers."""

    protocol_version = 'HTTP/1.1'
    seen = []
    after = '0.2'

    def do_GET(self):
        self.seen.append(time.monotonic())
        status = 503 if len(self.seen) < 3 else 200
        body = b'{"detail": "full", "code": "busy"}'
        self.send_response(status)
        self.send_header('Retry-After', self.after)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def refusing():
    Refusing.seen = []
    server = ThreadingHTTPServer(('127.0.0.1', 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    thread.join()
    server.server_close()


def test_retry_after_is_honoured(refusing):
    with RestClient(refusing) as client:
        client.ping()
    assert len(Refusing.seen) == 3
    assert all(b - a >= 0.2 for a, b in zip(Refusing.seen, Refusing.seen[1:]))


def test_no_retry_beyond_the_time_or_the_number(refusing, monkeypatch):
    with RestClient(refusing, retries=1) as client:
        with pytest.raises(Busy, match='full'):
            client.ping()
    assert len(Refusing.seen) == 2
    monkeypatch.setattr(Refusing, 'after', '100')
    Refusing.seen.clear()
    with RestClient(refusing, timeout=5) as client:
        with pytest.raises(Busy):
            client.ping()
    assert len(Refusing.seen) == 1


def test_many_at_once_from_asyncio(address, refusing):
    async def ask():
        async with AsyncRestClient(address, timeout=PATIENCE_S) as client:
            await client.ping()
            images = [picture(seed) for seed in range(8)]
            return images, await asyncio.gather(*(client.metres(image, K) for image in images)), \
                await client.points(images[0], K)

    images, depths, points = asyncio.run(ask())
    with RestClient(address) as client:
        for image, depth in zip(images, depths):
            np.testing.assert_array_equal(depth, client.metres(image, K))
    assert points.shape == (60, 80, 3)

    async def refused():
        async with AsyncRestClient(refusing, retries=3) as client:
            await client.ping()

    asyncio.run(refused())
    assert len(Refusing.seen) == 3


def command(*arguments):
    return main.main(['client', 'rest', *(str(item) for item in arguments)])


def test_r13_the_command_writes_files_and_knows_servers_by_name(address, tmp_path, capsys):
    photo = tmp_path / 'photo.png'
    cv2.imwrite(str(photo), IMAGE)
    port = address.rpartition(':')[2]
    assert command(photo, '--port', port, '--fov', 60, '-o', tmp_path / 'depth.npy') == 0
    assert np.load(tmp_path / 'depth.npy').shape == (60, 80)
    servers = tmp_path / 'servers.yaml'
    servers.write_text(f'lab:\n  base_url: "{address}"\n  api_key: null\n  model: "x"\n')
    assert command(photo, '--server', 'lab', '--servers', servers, '--fov', 60) == 0
    assert 'given' in capsys.readouterr().out
    assert command(photo, '--server', 'other', '--servers', servers) == 2
    assert 'known: lab' in capsys.readouterr().err
    servers.write_text('lab: 7\n')
    assert command(photo, '--server', 'lab', '--servers', servers) == 2
    assert command(photo, '--server', 'nobody') == 2
    assert 'depth-anything-3-local' in capsys.readouterr().err


def test_a_folder_of_pictures(address, tmp_path):
    folder = tmp_path / 'in'
    folder.mkdir()
    for seed in range(3):
        cv2.imwrite(str(folder / f'{seed}.png'), picture(seed))
    assert command(folder, '--port', address.rpartition(':')[2], '--fov', 60, '-o',
                   tmp_path / 'out') == 0
    assert len(list((tmp_path / 'out').iterdir())) == 3


def test_a_relative_model_has_no_metres():
    with serving(kind=DepthKind.RELATIVE) as found, RestClient(found.bridge.address) as client:
        assert client.estimate(IMAGE).units == 'relative'
        with pytest.raises(InvalidRequest, match='no unit'):
            client.metres(IMAGE)
