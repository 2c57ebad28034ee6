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

"""Clients that are slow, clients with keys of their own, and work under way at the end."""

from concurrent.futures import ThreadPoolExecutor
import dataclasses
import re
import socket
import threading
import time

from bridge_parts import Gate, PATIENCE_S, picture
import cv2
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.rest.options import REST_LIMITS
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.errors import ConfigError
import httpx
import numpy as np
import pytest
from rest_parts import read_all, serving
from server_process import server, TINY

PNG = cv2.imencode('.png', picture())[1].tobytes()
SIDE = 3000
REPLY_BYTES = 4 * SIDE * SIDE
"""More than the buffers of a connection on this machine hold."""


def connected(bridge):
    """Return a connection that has asked for a large depth map and read nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    connection.settimeout(PATIENCE_S)
    connection.connect(('127.0.0.1', bridge.port))
    connection.sendall(
        b'POST /v1/depth?output_size=%dx%d HTTP/1.1\r\nHost: localhost\r\n'
        b'Connection: close\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n'
        % (SIDE, SIDE, len(PNG)) + PNG)
    return connection


def open_connections(bridge):
    return len(bridge._server.server_state.connections)


def test_p8_a_reader_that_stalls_is_cut_off():
    limits = dataclasses.replace(REST_LIMITS, message_s=0.5)
    with serving(kind=DepthKind.METRIC, limits=limits) as client, \
            connected(client.bridge) as connection:
        assert connection.recv(12) == b'HTTP/1.1 200'
        # Nothing more is read: the server must end it by itself, and drop what is left.
        end = time.monotonic() + PATIENCE_S
        while open_connections(client.bridge) and time.monotonic() < end:
            time.sleep(0.05)
        assert not open_connections(client.bridge)
        assert len(read_all(connection)) < REPLY_BYTES
        assert client.get('/livez').status_code == 200


def test_p8_a_reader_that_is_slow_gets_everything():
    limits = dataclasses.replace(REST_LIMITS, message_s=1.0)
    with serving(kind=DepthKind.METRIC, limits=limits) as client, \
            connected(client.bridge) as connection:
        begin, read = time.monotonic(), 0
        while chunk := connection.recv(2**20):
            read += len(chunk)
            # Longer in all than the time for which a reader may stand still, and so slowly that
            # in this time the system's own buffer does not get empty enough for more.
            time.sleep(0.2)
            if time.monotonic() - begin > 2.5:
                read += len(read_all(connection))
                break
        assert read > REPLY_BYTES


def test_p8_a_body_that_trickles():
    limits = dataclasses.replace(REST_LIMITS, message_s=0.5)
    with serving(limits=limits) as client:
        with socket.create_connection(('127.0.0.1', client.bridge.port), PATIENCE_S) as connection:
            connection.sendall(b'POST /v1/depth HTTP/1.1\r\nHost: localhost\r\n'
                               b'Content-Type: image/png\r\nContent-Length: 100000\r\n\r\n')
            ended = threading.Event()

            def trickle():
                while not ended.wait(0.05):
                    try:
                        connection.sendall(b'1')
                    except OSError:
                        break
            thread = threading.Thread(target=trickle)
            thread.start()
            reply = connection.recv(1000)
            ended.set()
            thread.join()
        assert reply.startswith(b'HTTP/1.1 408') and b'did not arrive in time' in reply
        assert client.get('/livez').status_code == 200


def of(key):
    return {'Authorization': f'Bearer {key}'}


def test_p5_every_key_has_a_rate_of_its_own():
    with serving(access=Access(key='red  blue'), rate=0.001) as client:
        for key in ('red', 'blue'):
            assert client.get('/v1/models', headers=of(key)).status_code == 200
            # The same key in the other header is the same client.
            reply = client.get('/v1/models', headers={'X-API-Key': key})
            assert reply.status_code == 429 and int(reply.headers['Retry-After']) > 0
        for wrong in ('red  blue', 'red blue', 'green', 'redblue'):
            reply = client.get('/v1/models', headers=of(wrong))
            assert reply.status_code == 401, wrong
    with pytest.raises(ConfigError, match='blanks'):
        Access(key='  ')


def test_p5_every_key_has_requests_under_way_of_its_own():
    gate = Gate()
    limits = dataclasses.replace(REST_LIMITS, in_flight=1)
    with ThreadPoolExecutor(1) as pool, serving(
            gate, kind=DepthKind.METRIC, access=Access(key='red blue'), limits=limits) as client:
        first = pool.submit(client.post, '/v1/depth', content=PNG, headers=of('red'))
        assert gate.entered.wait(PATIENCE_S)
        reply = client.get('/v1/models', headers=of('red'))
        assert reply.status_code == 429 and 'under way' in reply.json()['detail']
        assert client.get('/v1/models', headers=of('blue')).status_code == 200
        gate.opened.set()
        assert first.result().status_code == 200
        for _ in range(100):
            if client.get('/v1/models', headers=of('red')).status_code == 200:
                break
            time.sleep(0.02)
        else:
            raise AssertionError('the share of a key was not given back')


def test_sigterm_finishes_what_is_under_way():
    image = cv2.imencode('.png', np.zeros((600, 800, 3), np.uint8))[1].tobytes()
    with server('depth_anything_ros.cli.main', 'rest', '--port', '0', *TINY, names=1) as found, \
            httpx.Client(base_url=found['rest'], trust_env=False, timeout=60) as client, \
            ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(
            httpx.post, f"{found['rest']}/v1/depth", content=image, trust_env=False, timeout=60,
            params={'process_res': 756, 'fov_deg': 60}) for _ in range(3)]
        end = time.monotonic() + PATIENCE_S
        under_way = 0
        while under_way < 3 and time.monotonic() < end:
            under_way = float(re.search(
                r'^depth_anything_queue_under_way (\S+)', client.get('/metrics').text, re.M)[1])
        assert under_way == 3
        found.process.terminate()
        replies = [future.result() for future in asked]
        assert [reply.status_code for reply in replies] == [200] * 3, [
            reply.text[:300] for reply in replies if reply.status_code != 200]
        assert {len(reply.content) for reply in replies} == {4 * 600 * 800}


def test_what_outlasts_the_drain_is_refused_in_words(caplog):
    gate = Gate()
    with ThreadPoolExecutor(2) as pool, serving(gate, kind=DepthKind.METRIC) as client:
        asked = [pool.submit(client.post, path, **more) for path, more in (
            ('/v1/depth', {'content': PNG}),
            ('/v1/batch', {'files': [('image', ('a.png', PNG, 'image/png'))]}))]
        assert gate.entered.wait(PATIENCE_S)
        while client.bridge.context.service().statistics().under_way < 2:
            time.sleep(0.01)
        client.bridge.stop(1.0)
        for reply in (future.result() for future in asked):
            assert reply.status_code == 503 and int(reply.headers['Retry-After']) > 0
            assert reply.json()['code'] == 'not_ready' and 'stopping' in reply.json()['detail']
            assert reply.json()['request_id'] == reply.headers['X-Request-Id']
        gate.opened.set()
    assert not [record for record in caplog.records if record.exc_info]
