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

"""How much the bridges of a node take, for how long, and what they keep: each as a setting."""

from concurrent.futures import ThreadPoolExecutor
import socket

from bridge_parts import Gate, PATIENCE_S, picture
import cv2
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.from_settings import rest_options
from depth_anything_ros.bridges.rest.options import REST_LIMITS, RestOptions
from depth_anything_ros.clients import TcpClient, ZmqClient
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import (
    ConfigError,
    DeadlineExceeded,
    LimitExceeded,
    PayloadTooLarge,
)
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import Settings
import httpx
import numpy as np
import pytest
from test_from_settings import K, made, opened, rest, serving

LARGE = np.zeros((700, 700, 3), np.uint8)
"""More than one MiB."""


def asking(bridge):
    return httpx.Client(base_url=bridge.address, trust_env=False, timeout=PATIENCE_S)


def ends_by_itself(connection):
    """Return the bytes that come before the server ends a connection."""
    connection.settimeout(PATIENCE_S)
    said = b''
    try:
        while chunk := connection.recv(4096):
            said += chunk
    except ConnectionError:
        pass
    return said


def held():
    gate = Gate()
    return gate, DepthService(GivenDepthEngine(gate, kind=DepthKind.METRIC))


def test_the_defaults_are_those_of_the_programs():
    group = Settings().bridges
    options = rest_options(group.rest, RestOptions().access, RestOptions().roots,
                           REST_LIMITS.message)
    assert options.limits == REST_LIMITS and options.sessions == RestOptions().sessions
    bridges = made()
    assert bridges['zmq']._limits == bridges['tcp']._limits == BridgeLimits()


def test_max_message():
    with opened(made(max_message=1, rest__enabled=True, rest__port=0), serving()) as bridges, \
            ZmqClient(bridges['zmq'].address) as zmq, asking(bridges['rest']) as http, \
            TcpClient('127.0.0.1', bridges['tcp'].port) as tcp:
        for client in (zmq, tcp):
            with pytest.raises(PayloadTooLarge):
                client.estimate(LARGE, K)
        assert http.post('/v1/depth', content=bytes(2**20 + 1)).status_code == 413
        assert http.post('/v1/depth', content=bytes(2**20 - 1)).status_code == 400


def test_max_clients():
    gate, service = held()
    with opened(made(zmq__max_clients=1, tcp__max_clients=1), service) as bridges, \
            ZmqClient(bridges['zmq'].address) as first, \
            ZmqClient(bridges['zmq'].address) as second, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(first.estimate, picture(), K)
        assert gate.entered.wait(PATIENCE_S)
        try:
            with pytest.raises(LimitExceeded, match='1 clients are served'):
                second.estimate(picture(), K)
        finally:
            gate.opened.set()
        assert waiting.result().units == 'm'
        with socket.create_connection(('127.0.0.1', bridges['tcp'].port)):
            with pytest.raises(LimitExceeded, match='1 clients'), \
                    TcpClient('127.0.0.1', bridges['tcp'].port) as third:
                third.estimate(picture(), K)
    with opened(rest(max_clients=1), serving()) as bridges, \
            asking(bridges['rest']) as one, asking(bridges['rest']) as two:
        assert one.get('/livez').status_code == 200
        assert two.get('/livez').status_code == 503


def test_request_timeout():
    gate, service = held()
    given = {f'{name}__request_timeout': 0.2 for name in ('zmq', 'tcp', 'rest')}
    bridges = made(rest__enabled=True, rest__port=0, **given)
    with opened(bridges, service), ZmqClient(bridges['zmq'].address) as zmq, \
            TcpClient('127.0.0.1', bridges['tcp'].port) as tcp, asking(bridges['rest']) as http:
        try:
            for client in (zmq, tcp):
                with pytest.raises(DeadlineExceeded, match='0.2 s'):
                    client.estimate(picture(), K)
            png = cv2.imencode('.png', picture())[1].tobytes()
            assert http.post('/v1/depth', content=png).status_code == 504
        finally:
            gate.opened.set()


@pytest.mark.parametrize('given', [{'message_timeout': 0.2}, {'idle_timeout': 0.2}])
def test_a_tcp_client_that_says_nothing_more(given):
    bridges = made(zmq__enabled=False, **{f'tcp__{name}': value for name, value in given.items()})
    with opened(bridges, serving()), \
            socket.create_connection(('127.0.0.1', bridges['tcp'].port)) as connection:
        if 'message_timeout' in given:
            connection.sendall(b'\0\0')
        ends_by_itself(connection)


def test_a_rest_client_that_says_nothing_more():
    with opened(rest(message_timeout=0.2), serving()) as bridges, \
            socket.create_connection(('127.0.0.1', bridges['rest'].port)) as connection:
        connection.sendall(b'POST /v1/depth HTTP/1.1\r\nHost: localhost\r\n'
                           b'Content-Length: 1000\r\n\r\n')
        assert ends_by_itself(connection).startswith(b'HTTP/1.1 408')
    with opened(rest(idle_timeout=1.0), serving()) as bridges, \
            socket.create_connection(('127.0.0.1', bridges['rest'].port)) as connection:
        connection.sendall(b'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')
        assert ends_by_itself(connection).startswith(b'HTTP/1.1 200')


def test_sessions():
    given = {'max_sessions': 1, 'session_timeout': 77.0, 'num_max_points': 123}
    with opened(rest(**given), serving()) as bridges, asking(bridges['rest']) as http:
        assert http.get('/ws/sessions').json()['stats']['session_timeout'] == 77.0
        made_now = http.post('/ws/session/create')
        assert made_now.json()['config']['num_max_points'] == 123
        assert http.post('/ws/session/create').status_code == 503


def test_exports_and_the_gallery(tmp_path):
    for name in ('in', 'out', 'gallery/house/kitchen'):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / 'gallery/house/kitchen/scene.glb').write_bytes(b'glTF')
    cv2.imwrite(str(tmp_path / 'in/0.png'), picture())
    asked = {'image_paths': [str(tmp_path / 'in/0.png')], 'export_dir': str(tmp_path / 'out/run')}
    statuses = []
    for given in ({}, {'rest__export_roots': (str(tmp_path / 'out'),),
                       'rest__gallery': str(tmp_path / 'gallery')}):
        bridges = made(zmq__enabled=False, tcp__enabled=False, rest__enabled=True, rest__port=0,
                       image_roots=(str(tmp_path / 'in'),), **given)
        with opened(bridges, serving()), asking(bridges['rest']) as http:
            statuses.append(http.post('/inference', json=asked).status_code)
            groups = http.get('/gallery/manifest.json').json().get('groups')
    assert statuses == [403, 200]
    assert [group['id'] for group in groups] == ['house']
    with pytest.raises(ConfigError, match='is not a folder'):
        rest(export_roots=(str(tmp_path / 'missing'),))
