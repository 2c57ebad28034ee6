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

"""The server itself: life, keys, pages and hosts, limits of one connection, the end."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import ssl
import subprocess
import threading

from bridge_parts import PATIENCE_S
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.rest.app import ROOMS
from depth_anything_ros.bridges.rest.connections import HEADER_BYTES
from depth_anything_ros.bridges.rest.options import REST_LIMITS, RestOptions
from depth_anything_ros.bridges.rest.outer import host_name, is_own_name
from depth_anything_ros.bridges.rest.server import RestBridge
from depth_anything_ros.bridges.rest.shares import Shares
from depth_anything_ros.errors import ConfigError, LimitExceeded
import pytest
from rest_parts import client_of, get, raw, read_all, serving
from server_process import program, server, TINY
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


@pytest.fixture(scope='module')
def client():
    with serving() as found:
        yield found


@pytest.fixture(scope='module')
def keyed():
    with serving(access=Access(key='secret')) as found:
        yield found


def test_it_lives_and_says_what_it_is(client):
    assert client.get('/livez').json()['status'] == 'alive'
    assert client.get('/readyz').json()['status'] == 'ready'
    assert client.get('/version').json()['api'] == 'v1'
    model, = client.get('/v1/models').json()['models']
    assert model['id'] == 'given' and model['kind'] == 'canonical' and model['warnings']


def test_before_the_model_is_loaded_it_lives_and_is_not_ready():
    bridge = RestBridge(RestOptions(), 0)
    bridge.listen()
    try:
        with client_of(bridge) as client:
            assert client.get('/livez').status_code == 200
            for path in ('/readyz', '/health', '/v1/models'):
                reply = client.get(path)
                assert reply.status_code == 503 and reply.headers['Retry-After'] == '1', path
            assert reply.json()['code'] == 'not_ready' and 'loading' in reply.json()['detail']
    finally:
        bridge.stop()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(('127.0.0.1', bridge.port))


def test_small_replies_do_not_wait_for_the_clients_acknowledgement(client):
    assert client.get('/livez').status_code == 200
    connections = list(client.bridge._server.server_state.connections)
    assert connections
    for each in connections:
        accepted = each.transport.get_extra_info('socket')
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 'else 40 ms a request'


def test_every_request_has_a_name(client):
    assert client.get('/livez', headers={'X-Request-Id': 'mine-7'}).headers[
        'X-Request-Id'] == 'mine-7'
    for wrong in ('', 'a b', 'x' * 65, 'é'.encode()):
        name = client.get('/livez', headers={'X-Request-Id': wrong}).headers['X-Request-Id']
        assert len(name) == 32
    assert client.get('/nothing').headers['X-Content-Type-Options'] == 'nosniff'


def test_r11_keys(keyed):
    for headers, text in (({}, 'API key required'), ({'X-API-Key': 'no'}, 'Invalid API key'),
                          ({'Authorization': 'Bearer no'}, 'Invalid API key'),
                          ({'Authorization': 'Basic secret'}, 'API key required')):
        reply = keyed.get('/v1/models', headers=headers)
        assert reply.status_code == 401 and reply.headers['WWW-Authenticate'] == 'Bearer'
        assert reply.json()['detail'] == text and reply.json()['code'] == 'unauthorized'
    for headers in ({'Authorization': 'Bearer secret'}, {'authorization': 'bearer  secret'},
                    {'X-API-Key': 'secret'}):
        assert keyed.get('/v1/models', headers=headers).status_code == 200
    # A key in the address would be in every log.
    assert keyed.get('/v1/models?api_key=secret').status_code == 401
    for path in ('/livez', '/readyz', '/health'):
        assert keyed.get(path).status_code == 200


def register(app, context):
    """Add a socket: this module is a room, as in app.ROOMS."""
    @app.websocket('/ws/echo')
    async def echo(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()


@pytest.fixture(scope='module')
def sockets():
    with serving(access=Access(key='secret'), rooms=(*ROOMS, __name__)) as found:
        yield found.bridge.address.replace('http', 'ws') + '/ws/echo'


@pytest.mark.parametrize(('url', 'headers'), [
    ('?api_key=secret', {}), ('', {'X-API-Key': 'secret'}),
    ('', {'Authorization': 'Bearer secret', 'Origin': 'http://localhost:8080'}),
])
def test_p5_a_socket_with_the_key(sockets, url, headers):
    with connect(sockets + url, additional_headers=headers, proxy=None) as socket:
        socket.send('there')
        assert socket.recv(PATIENCE_S) == 'there'


def test_p5_p6_a_socket_without_the_key_or_of_a_foreign_page(sockets):
    with connect(sockets + '?api_key=no', proxy=None) as socket:
        with pytest.raises(ConnectionClosed):
            socket.recv(PATIENCE_S)
        assert socket.close_code == 4401 and socket.close_reason == 'Invalid API key'
    with pytest.raises(InvalidStatus) as refused:
        connect(sockets + '?api_key=secret', origin='https://elsewhere.example', proxy=None)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(('host', 'status'), [
    ('127.0.0.1', 200), ('localhost:1234', 200), ('[::1]:8', 200), ('LOCALHOST', 200),
    ('elsewhere.example', 403), ('127.0.0.1.elsewhere.example', 403), ('', 403),
    ('192.168.1.2', 403), ('localhost.elsewhere.example:8000', 403),
])
def test_p6_a_name_that_is_bound_to_this_address_afterwards(client, host, status):
    reply = raw(client.bridge, get('/v1/models', host=host))
    assert reply.startswith(b'HTTP/1.1 %d' % status), reply
    assert (b'--allowed-host' in reply) is (status == 403)


def test_p6_names_of_hosts():
    assert host_name('[::1]:80') == '::1' and host_name('A.b:80') == 'a.b'
    assert is_own_name('x.localhost') and not is_own_name('localhost.x')


@pytest.mark.parametrize(('options', 'host', 'status'), [
    ({'access': Access('0.0.0.0', allow_anonymous=True)}, 'elsewhere.example', 403),
    ({'access': Access('0.0.0.0', allow_anonymous=True)}, '10.1.2.3:8000', 200),
    ({'access': Access('0.0.0.0', allow_anonymous=True)}, socket.gethostname(), 200),
    ({'access': Access('0.0.0.0', key='secret')}, 'robot.example', 200),
    ({'hosts': ('robot.example',)}, 'Robot.example:80', 200),
])
def test_p6_hosts_of_an_open_port(options, host, status):
    with serving(**options) as client:
        reply = raw(client.bridge, get('/v1/models', 'X-API-Key: secret', host=host))
        assert reply.startswith(b'HTTP/1.1 %d' % status), reply


def test_p6_pages_that_may_ask(client):
    for origin in ('http://localhost:8080', 'http://127.0.0.1', 'https://[::1]:1',
                   client.bridge.address):
        reply = client.get('/v1/models', headers={'Origin': origin})
        assert reply.headers['Access-Control-Allow-Origin'] == origin
        assert 'Access-Control-Allow-Credentials' not in reply.headers
        before = client.options('/v1/models', headers={
            'Origin': origin, 'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'authorization'})
        assert before.status_code == 200 and 'POST' in before.headers[
            'Access-Control-Allow-Methods']
    for origin in ('https://elsewhere.example', 'null', 'http://localhost.elsewhere.example',
                   'http://localhost:80@elsewhere.example', 'http://127.0.0.1.example'):
        reply = client.post('/v1/models', headers={'Origin': origin})
        assert reply.status_code == 403 and 'Access-Control-Allow-Origin' not in reply.headers


def test_r2_p6_all_pages_on_request():
    with serving(origins=('*',)) as client:
        for origin in ('https://elsewhere.example', 'null'):
            reply = client.get('/v1/models', headers={'Origin': origin})
            assert reply.status_code == 200
            assert reply.headers['Access-Control-Allow-Origin'] == '*'
            assert 'Access-Control-Allow-Credentials' not in reply.headers
    with serving(origins=('null',)) as client:
        assert client.get('/livez', headers={'Origin': 'null'}).status_code == 200
        assert client.get('/livez', headers={'Origin': 'https://else.where'}).status_code == 403


@pytest.fixture(scope='module')
def hasty():
    limits = dataclasses.replace(REST_LIMITS, clients=3, message_s=0.5)
    with serving(limits=limits) as client:
        yield client.bridge


def test_p8_a_header_that_never_ends(hasty):
    for start in (b'', b'GET /livez HT', b'GET /livez HTTP/1.1\r\nHost: x\r\n', b'\r\n\r\n'):
        reply = raw(hasty, start)
        assert reply.startswith(b'HTTP/1.1 408'), (start, reply)


def test_p8_a_header_that_comes_byte_by_byte(hasty):
    ended = threading.Event()
    with socket.create_connection(('127.0.0.1', hasty.port), PATIENCE_S) as connection:
        def trickle():
            for _ in range(1000):
                try:
                    connection.sendall(b'X-A: b\r\n')
                except OSError:
                    break
                if ended.wait(0.05):
                    break
        connection.sendall(b'GET /livez HTTP/1.1\r\n')
        thread = threading.Thread(target=trickle)
        thread.start()
        read_all(connection)
        ended.set()
        thread.join()


def test_p8_a_header_without_bounds(hasty):
    reply = raw(hasty, b'GET /livez HTTP/1.1\r\n' + b'X-A: 12345678\r\n' * (HEADER_BYTES // 8))
    assert reply.startswith(b'HTTP/1.1 431') or reply == b''


def test_p8_a_connection_too_many(hasty):
    held = [socket.create_connection(('127.0.0.1', hasty.port), PATIENCE_S) for _ in range(3)]
    reply = raw(hasty, get('/livez'))
    assert reply.startswith(b'HTTP/1.1 503') and b'Retry-After' in reply
    for connection in held:
        connection.close()
    for _ in range(100):
        reply = raw(hasty, get('/livez'))
        if reply.startswith(b'HTTP/1.1 200'):
            break
    assert reply.startswith(b'HTTP/1.1 200')


def test_garbage_is_answered_and_the_server_lives_on(hasty):
    for garbage in (b'\x80\x05]\x94.', b'GET\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc',
                    b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n',
                    b'POST / HTTP/1.1\r\nHost: localhost\r\n'
                    b'Transfer-Encoding: chunked\r\n\r\nZ\r\n'):
        raw(hasty, garbage)
    assert raw(hasty, get('/livez')).startswith(b'HTTP/1.1 200')


def test_shares_of_a_client():
    now = [0.0]
    shares = Shares(2, 3.0, lambda: now[0])
    shares.enter('a')
    shares.enter('a')
    with pytest.raises(LimitExceeded, match='under way'):
        shares.enter('a')
    shares.enter('b')
    shares.leave('a')
    shares.enter('a')
    shares.leave('a')
    with pytest.raises(LimitExceeded, match='3 requests per second'):
        shares.enter('a')
    now[0] = 0.34
    shares.enter('a')


def test_rate_and_retry_after():
    with serving(rate=0.001) as client:
        assert client.get('/v1/models').status_code == 200
        reply = client.get('/v1/models')
        assert reply.status_code == 429 and reply.json()['code'] == 'limit_exceeded'
        assert int(reply.headers['Retry-After']) > 0
        assert client.get('/livez').status_code == 200


def test_options_that_cannot_be_meant(tmp_path):
    (tmp_path / 'a.pem').write_text('')
    for wrong in ({'rate': -1}, {'rate': float('nan')}, {'certificate': tmp_path / 'a.pem'},
                  {'certificate': tmp_path / 'no', 'certificate_key': tmp_path / 'a.pem'}):
        with pytest.raises(ConfigError):
            RestOptions(**wrong)


def test_tls(tmp_path):
    made = subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
         '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
         '-keyout', tmp_path / 'key.pem', '-out', tmp_path / 'cert.pem'], capture_output=True)
    if made.returncode:
        pytest.skip('no openssl on this machine')
    with serving(certificate=tmp_path / 'cert.pem', certificate_key=tmp_path / 'key.pem') as plain:
        assert plain.bridge.address.startswith('https://127.0.0.1:')
        trust = ssl.create_default_context(cafile=tmp_path / 'cert.pem')
        with client_of(plain.bridge, verify=trust) as client:
            assert client.get('/readyz').status_code == 200


def test_r1_g5_the_program_and_its_end():
    with server('depth_anything_ros.bridges.rest', '--port', '0', *TINY, names=1) as found:
        assert 'http://127.0.0.1:' in found['rest']

        async def many():
            import httpx
            async with httpx.AsyncClient(base_url=found['rest'], trust_env=False) as client:
                return await asyncio.gather(*(client.get('/v1/models') for _ in range(8)))
        replies = asyncio.run(many())
        assert {reply.json()['models'][0]['id'] for reply in replies} == {'da3-tiny'}


@pytest.mark.parametrize(('arguments', 'code', 'text'), [
    (['rest', '--host', '0.0.0.0'], 2, '--allow-anonymous'),
    (['rest', '--port', '99999'], 2, 'invalid port'),
    (['rest', '--tls-cert', 'no.pem'], 2, 'TLS'),
])
def test_r1_g4_exit_codes(arguments, code, text):
    done = program('depth_anything_ros.cli.main', *arguments)
    assert done.returncode == code and text in done.stderr and 'Traceback' not in done.stderr
