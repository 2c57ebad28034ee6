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

"""What somebody hostile sends: the server lives, its memory is flat, the camera loses no frame."""

from __future__ import annotations

import base64
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import os
from pathlib import Path
import resource
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import zlib

from bridge_parts import PATIENCE_S
import cv2
from depth_anything_ros.bridges.rest.fetching import fetch, FetchPolicy, is_public
from depth_anything_ros.errors import InvalidRequest
import httpx
import numpy as np
import pytest
from rest_given_server import CLIENTS
from rest_parts import read_all, serving
from server_process import environment

SMALL = cv2.imencode('.png', np.zeros((60, 80, 3), np.uint8))[1].tobytes()
HERE = Path(__file__).parent
GROWTH_MB = 200
"""Memory that an attack may cost; what it asks for is far more."""


class Server:
    """The server of rest_given_server.py, or the node of rest_given_node.py."""

    def __init__(self, program):
        folders = os.pathsep.join([str(HERE), str(program.parent), environment()['PYTHONPATH']])
        self.process = subprocess.Popen(
            [sys.executable, program], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**environment(), 'PYTHONPATH': folders})
        self.watchdog = threading.Timer(300, self.process.kill)
        self.watchdog.start()
        self.port = int(self.process.stdout.readline())
        self.client = httpx.Client(base_url=f'http://127.0.0.1:{self.port}', timeout=PATIENCE_S,
                                   trust_env=False)

    def counts(self):
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def post(self, content, path='/v1/depth', **headers):
        return self.client.post(path, content=content, headers=headers)

    def close(self):
        self.client.close()
        self.process.stdin.close()
        code = self.process.wait(60)
        self.watchdog.cancel()
        self.process.kill()
        return code


@pytest.fixture(scope='module', params=[
    HERE / 'rest_given_server.py',
    pytest.param(HERE.with_name('ros') / 'rest_given_node.py', marks=pytest.mark.ros),
], ids=['service', 'node'])
def shared(request):
    found = Server(request.param)
    assert found.post(SMALL).status_code == 200
    yield found
    assert found.close() == 0


@pytest.fixture
def server(shared):
    before = shared.counts()
    yield shared
    for _ in range(200):
        if shared.client.get('/livez').status_code == 200:
            break
        time.sleep(0.05)
    assert shared.post(SMALL).status_code == 200
    after = shared.counts()
    # A test that is over at once may fall between two frames.
    end = time.monotonic() + PATIENCE_S
    while after['done'] <= before['done'] and time.monotonic() < end:
        time.sleep(0.02)
        after = shared.counts()
    assert after['memory_mb'] < before['memory_mb'] + GROWTH_MB
    assert after['done'] > before['done']
    assert after['failed'] == after['dropped'] == 0


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(width, height, *chunks):
    header = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    return b'\x89PNG\r\n\x1a\n' + header + b''.join(chunks) + chunk(b'IEND', b'')


@pytest.mark.parametrize(('bomb', 'status'), [
    (png(60000, 60000, chunk(b'IDAT', zlib.compress(bytes(10**6), 9))), 413),
    (png(2**31 - 1, 2**31 - 1), 413), (png(0, 5), 400),
    # A chunk that claims four gigabytes.
    (png(10, 10)[:33] + struct.pack('>I', 2**32 - 1) + b'iTXt', 400),
    (png(100, 100, chunk(b'IDAT', zlib.compress(bytes(5 * 10**7), 9))), (200, 400)),
])
def test_p4_png_bombs(server, bomb, status):
    for _ in range(5):
        reply = server.post(bomb)
        assert reply.status_code in np.atleast_1d(status), reply.text


def test_p3_a_zip_bomb_is_not_unpacked(server):
    packed = zlib.compressobj(9, wbits=31)
    bomb = packed.compress(bytes(2 * 10**8)) + packed.flush()
    assert len(bomb) < 10**6
    for path in ('/v1/depth', '/metric_depth', '/v1/batch'):
        reply = server.post(bomb, path, **{
            'Content-Encoding': 'gzip', 'Content-Type': 'application/json'})
        assert reply.status_code in (400, 415, 422)


def test_p3_a_body_that_says_it_is_huge(server):
    head = b'POST /v1/depth HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n'
    for size in (2**40, 2**63):
        with socket.create_connection(('127.0.0.1', server.port), PATIENCE_S) as connection:
            connection.sendall(head % size)
            assert connection.recv(100).startswith((b'HTTP/1.1 413', b'HTTP/1.1 400'))


def test_p8_slowloris(server):
    held = []
    for _ in range(CLIENTS - 8):
        connection = socket.create_connection(('127.0.0.1', server.port), PATIENCE_S)
        connection.sendall(b'GET /livez HTTP/1.1\r\nX-A: ')
        held.append(connection)
    # Others are served meanwhile, and those who hold the line are cut off.
    assert server.client.get('/livez').status_code == 200
    for connection in held:
        connection.settimeout(PATIENCE_S)
        assert read_all(connection).startswith(b'HTTP/1.1 408')
        connection.close()


def test_p8_a_reader_that_does_not_read(server):
    large = cv2.imencode('.png', np.zeros((1000, 1000, 3), np.uint8))[1].tobytes()
    before = server.counts()
    for _ in range(8):
        connection = socket.create_connection(('127.0.0.1', server.port), PATIENCE_S)
        connection.sendall(
            b'POST /v1/depth HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n'
            % len(large) + large)
        connection.settimeout(PATIENCE_S)
        assert connection.recv(16)
        # Nothing more is read: the connection is ended, not kept in memory for ever.
        time.sleep(0.05)
        connection.close()
    assert server.counts()['memory_mb'] < before['memory_mb'] + GROWTH_MB


def test_ten_thousand_connections(server):
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted + 500:
        pytest.skip(f'this machine allows {hard} open files')
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    connections = []
    try:
        for _ in range(wanted):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(('127.0.0.1', server.port))
            connections.append(connection)
        refused = cut = 0
        for connection in connections:
            connection.setblocking(True)
            connection.settimeout(PATIENCE_S)
            try:
                refused += connection.recv(32).startswith((b'HTTP/1.1 503', b'HTTP/1.1 408'))
            except OSError:
                cut += 1
        assert refused + cut == wanted and refused > wanted / 2
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize('number', ['NaN', 'Infinity', '-Infinity', '-1', '0', '1e999'])
def test_a_camera_that_is_none(server, number):
    reply = server.client.post('/v1/depth', content=SMALL, params={
        'camera_intrinsics': f'{number},500,320,240'})
    assert reply.status_code == 400 and reply.json()['code'] in (
        'invalid_intrinsics', 'malformed_message'), reply.text
    body = (b'{"image": "%b", "max_depth": 20, "camera_intrinsics": '
            b'{"fx": %b, "fy": 500, "cx": 320, "cy": 240}}'
            % (base64.b64encode(SMALL), number.encode()))
    for path in ('/pc', '/metric_depth', '/rel_depth'):
        reply = server.post(body, path, **{'Content-Type': 'application/json'})
        assert reply.status_code == 422 and reply.json()['detail'], reply.text


def test_p6_a_page_whose_name_was_bound_to_this_machine(server):
    for path in ('/v1/models', '/health', '/livez', '/'):
        reply = server.client.get(path, headers={'Host': f'evil.example:{server.port}'})
        assert reply.status_code == 403 and 'evil.example' in reply.json()['detail']
    reply = server.post(SMALL, Host='evil.example', Origin='http://evil.example')
    assert reply.status_code == 403


@pytest.mark.parametrize('path', [
    '/v1/stream/../../etc/passwd', '/v1/stream/%2e%2e%2fetc%2fpasswd', '/assets/%2e%2e/app.py',
    '/%00', '/v1/stream/' + 'x' * 5000, '/..%5c..%5cwindows'])
def test_paths_that_lead_elsewhere(server, path):
    assert server.client.get(path).status_code == 404


# Pictures by URL (P2).

@pytest.mark.parametrize(('address', 'public'), [
    ('93.184.216.34', True), ('2606:4700::1111', True), ('127.0.0.1', False), ('0.0.0.0', False),
    ('10.0.0.1', False), ('172.16.0.1', False), ('192.168.1.1', False),
    ('169.254.169.254', False), ('100.64.0.1', False), ('224.0.0.1', False),
    ('255.255.255.255', False), ('::1', False), ('::', False), ('fe80::1', False),
    ('fc00::1', False), ('fe80::1%eth0', False), ('::ffff:127.0.0.1', False),
    ('::ffff:10.0.0.1', False), ('64:ff9b::7f00:1', False), ('64:ff9b::a9fe:a9fe', False),
    ('2002:7f00:1::', False), ('ff02::1', False),
])
def test_p2_what_is_public(address, public):
    assert is_public(address) is public


@pytest.fixture(scope='module')
def secret(tmp_path_factory):
    """Serve HTTPS on this machine, with redirects, and count who comes."""
    folder = tmp_path_factory.mktemp('tls')
    made = subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
         '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2',
         '-keyout', folder / 'key.pem', '-out', folder / 'cert.pem'], capture_output=True)
    if made.returncode:
        pytest.skip('no openssl on this machine')
    seen = []

    class Handler(BaseHTTPRequestHandler):

        def do_GET(self):
            seen.append((self.server.server_address[0], self.path))
            kind, _, target = self.path.removeprefix('/').partition('/')
            if kind == 'to':
                self.send_response(302)
                self.send_header('Location', target)
                self.end_headers()
            elif kind == 'slow':
                self.wfile.write(b'HTTP/1.1 200 OK\r\n')
                for _ in range(200):
                    try:
                        self.wfile.write(b'X-A: b\r\n')
                    except OSError:
                        return
                    time.sleep(0.05)
            else:
                self.send_response(404 if kind == 'none' else 200)
                self.end_headers()
                self.wfile.write(SMALL if kind == 'image' else bytes(10**6))

        def log_message(self, *arguments):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / 'cert.pem', folder / 'key.pem')
    servers = []
    for host, port in (('127.0.0.1', 0), ('127.0.0.2', None)):
        port = servers[0].server_port if port is None else port
        one = ThreadingHTTPServer((host, port), Handler)
        one.socket = context.wrap_socket(one.socket, server_side=True)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        servers.append(one)
    trust = ssl.create_default_context(cafile=folder / 'cert.pem')
    yield servers[0].server_port, seen, trust
    for one in servers:
        one.shutdown()
        one.server_close()


def policy_of(trust, **more):
    # The first address stands for a public server; all others are what they are.
    return FetchPolicy(True, allowed=lambda address: address == '127.0.0.1', trust=trust, **more)


def test_p2_a_picture_is_fetched_through_redirects(secret):
    port, seen, trust = secret
    for url in (f'https://127.0.0.1:{port}/image', f'https://127.0.0.1:{port}/to//image',
                f'https://127.0.0.1:{port}/to/https://127.0.0.1:{port}/image'):
        assert fetch(url, policy_of(trust), 10**6) == SMALL


@pytest.mark.parametrize('target', [
    'https://127.0.0.2:{port}/image', 'https://169.254.169.254/latest/meta-data/',
    'http://127.0.0.1:{port}/image', 'file:///etc/passwd', 'https://[::1]:{port}/image',
    'https://2130706434:{port}/image', 'https://0x7f000002:{port}/image', 'ftp://127.0.0.1/x',
    'https://user@127.0.0.1:{port}/image', '//127.0.0.2:{port}/image',
    'https://127.0.0.1:{port}/to/https://127.0.0.2:{port}/image', 'https://[bad/image', ''])
def test_p2_a_redirect_to_somewhere_private_is_not_followed(secret, target):
    port, seen, trust = secret
    seen.clear()
    with pytest.raises(InvalidRequest):
        fetch(f'https://127.0.0.1:{port}/to/{target.format(port=port)}', policy_of(trust), 10**6)
    assert not any(host == '127.0.0.2' or path == '/image' for host, path in seen), seen


def test_p2_limits_of_a_fetch(secret):
    port, seen, trust = secret
    base = f'https://127.0.0.1:{port}'
    for url, more, text in (
            (f'{base}/large', {}, 'more than 1000 bytes'), (f'{base}/none', {}, 'status 404'),
            (f'{base}/slow', {'seconds': 0.5}, 'could not be fetched'),
            (f'{base}/to/' + f'{base}/to/' * 4 + 'x', {}, 'redirects'),
            (f'{base}/image', {'hosts': ('pictures.example',)}, 'not allowed'),
            (f'{base}/a b', {}, 'percent-encoded'), ('https://no.such.invalid/', {}, 'fetched')):
        begin = time.monotonic()
        with pytest.raises(InvalidRequest, match=text):
            fetch(url, policy_of(trust, **more), 1000)
        assert time.monotonic() - begin < PATIENCE_S
    with pytest.raises(InvalidRequest, match='could not be fetched'):
        # A certificate of somebody else.
        fetch(f'{base}/image', FetchPolicy(True, allowed=lambda address: True), 10**6)


def test_p2_by_default_the_server_asks_nobody(secret):
    port, seen, _ = secret
    seen.clear()
    for policy in (FetchPolicy(), FetchPolicy(True)):
        with serving(fetch=policy) as client:
            url = f'https://localhost:{port}/image'
            reply = client.post('/rel_depth', json={'image_url': url})
            assert reply.status_code == 400 and 'image_url' in reply.json()['detail']
    assert not seen


# Last: what is refused here holds its connections for some seconds.

def test_bodies_of_many_clients_share_a_bound(shared):
    server = shared
    # 64 MiB each and promised by forty clients at once would be 2.5 GB.
    part = bytes(2**20)
    before = server.counts()['memory_mb']
    connections = []
    for _ in range(40):
        connection = socket.create_connection(('127.0.0.1', server.port), PATIENCE_S)
        connection.sendall(b'POST /v1/depth HTTP/1.1\r\nHost: localhost\r\n'
                           b'Content-Length: 60000000\r\n\r\n')
        connection.setblocking(False)
        connections.append(connection)
    answered = set()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        readable, writable, _ = select.select(connections, connections, [], 0.1)
        for connection in readable:
            answered.add(connection)
        for connection in writable:
            try:
                connection.send(part)
            except OSError:
                pass
    assert server.client.get('/livez').status_code == 200
    assert server.counts()['memory_mb'] < before + 800
    for connection in connections:
        connection.close()
    for _ in range(200):
        if server.post(SMALL).status_code == 200:
            break
        time.sleep(0.05)
