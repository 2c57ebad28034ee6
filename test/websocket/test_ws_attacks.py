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

"""Attacks on sessions: each is refused or outlived, and the next client is served as ever."""

from __future__ import annotations

import base64
from contextlib import ExitStack
import json
import os
import socket
import struct
from urllib.parse import quote
import zlib

from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.rest.context import SOCKETS
from depth_anything_ros.reconstruction.sessions import SessionLimits
import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from ws_parts import created, PATIENCE_S, pictures, serving, Talk, talking

KEY = 'key+for/tests'

CLOSE = b'\x88'
"""First byte of a close frame; the texts here have no such byte."""


@pytest.fixture(scope='module')
def client():
    with serving() as client:
        yield client


def works(client):
    """Assert that a new session takes an image and becomes a model."""
    with talking(client) as talk:
        assert talk.image(pictures(1)[0])['image_count'] == 1
        talk.say(type='generate')
        assert talk.until('complete', 'error')[-1]['type'] == 'complete'


def until(connection, word):
    """Read up to a word."""
    said = b''
    while word not in said:
        chunk = connection.recv(65536)
        assert chunk, said
        said += chunk


def upgrade(client, session):
    """Return a plain connection that has become a socket of a session."""
    connection = socket.create_connection(('127.0.0.1', client.bridge.port), PATIENCE_S)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall((
        f'GET /ws/reconstruct/{session} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n'
        f'Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n'
        '\r\n').encode())
    connection.settimeout(PATIENCE_S)
    until(connection, b'connected')
    return connection


@pytest.mark.parametrize('text', [
    '[' * 100_000, '{"type": "image", "data": "%%%%"}', '{"type": "image", "data": [1]}',
    '{"type": {"type": "ping"}}', 'null', '"ping"', '{"type": "image", "data": "data:,"}',
    '{"type": "generate", "incremental": "yes"}', '{"type": "generate", "chunked": 7}',
    '{"type": "\\ud800"}', '', '{"type": "ping"',
])
def test_garbage_is_an_error_and_the_socket_stays(client, text):
    with talking(client) as talk:
        talk.socket.send(text)
        assert talk.hear()['type'] == 'error'
        assert talk.ask(type='ping')['type'] == 'pong'


def test_bytes_that_are_no_picture_are_an_error_and_the_socket_stays(client):
    with talking(client) as talk:
        for data in (b'\x00' * 5000, b'\x89PNG\r\n\x1a\n' + b'\xff' * 100, b'GIF89a' * 10,
                     pictures(1)[0][:-200], b''):
            talk.socket.send(data)
            reply = talk.hear()
            assert reply['type'] == 'error' and 'Invalid image data' in reply['message'], reply
        assert talk.image(pictures(1)[0])['image_count'] == 1


def test_p4_a_picture_that_says_it_is_huge_is_refused_by_its_header(client):
    def chunk(kind, body):
        return struct.pack('>I', len(body)) + kind + body + struct.pack(
            '>I', zlib.crc32(kind + body))
    bomb = b'\x89PNG\r\n\x1a\n' + chunk(
        b'IHDR', struct.pack('>IIBBBBB', 60_000, 60_000, 8, 2, 0, 0, 0)) + chunk(
        b'IDAT', zlib.compress(bytes(10**6))) + chunk(b'IEND', b'')
    with talking(client) as talk:
        reply = talk.image(bomb)
        assert reply['type'] == 'error' and '60000x60000' in reply['message']
        assert talk.ask(type='ping')['type'] == 'pong'


def test_a_flood_is_answered_message_by_message_and_others_are_served(client):
    count = 2000
    with talking(client) as talk:
        for index in range(count):
            talk.socket.send(json.dumps({'type': f'flood {index}'}))
            if index == count // 2:
                assert client.get('/livez').status_code == 200
        for index in range(count):
            assert talk.hear()['message'].endswith(f'flood {index}')


def test_p5_a_socket_needs_the_key_too():
    with serving(access=Access(key=KEY)) as client:
        client.headers['X-API-Key'] = KEY
        session = created(client)
        assert httpx.get(
            f'{client.base_url}/ws/sessions', trust_env=False).status_code == 401
        for more in ({}, {'additional_headers': {'Authorization': 'Bearer wrong'}}):
            with Talk(client, session, **more) as talk, pytest.raises(ConnectionClosed) as closed:
                talk.hear()
            assert closed.value.rcvd.code == 4401
        # Browsers cannot set headers: the key may stand in the address.
        for place, more in ((f'{session}?api_key={quote(KEY, safe="")}', {}),
                            (session, {'additional_headers': {'X-API-Key': KEY}})):
            with Talk(client, place, **more) as talk:
                assert talk.hear()['type'] == 'connected'


def test_p6_a_page_of_somebody_else_gets_no_socket(client):
    session = created(client)
    for origin in ('https://evil.example', 'null', 'http://127.0.0.1.evil.example'):
        with pytest.raises(InvalidStatus) as refused, Talk(client, session, origin=origin):
            pass
        assert refused.value.response.status_code == 403
    with Talk(client, session, origin='http://localhost:8080') as talk:
        assert talk.hear()['type'] == 'connected'


def test_a_client_has_a_share_of_sockets_and_they_cost_it_no_requests():
    limits = BridgeLimits(clients=2 * SOCKETS, in_flight=2)
    with serving(limits=limits) as client, ExitStack() as open_sockets:
        session = created(client)
        for _ in range(SOCKETS):
            talk = open_sockets.enter_context(Talk(client, session))
            assert talk.hear()['type'] == 'connected'
        with pytest.raises(InvalidStatus) as refused, Talk(client, session):
            pass
        assert refused.value.response.status_code == 403
        assert client.get(f'/ws/session/{session}').status_code == 200
        open_sockets.close()
        works(client)


def test_half_open_sockets_end_and_are_no_use_of_a_session():
    limits = BridgeLimits(clients=64, in_flight=64, message_s=1.0)
    with serving(limits=limits, sessions=SessionLimits(idle_s=1.0)) as client:
        session = created(client)
        unfinished = socket.create_connection(('127.0.0.1', client.bridge.port), PATIENCE_S)
        unfinished.sendall(b'GET /ws/reconstruct/x HTTP/1.1\r\nHost: 127.0.0.1\r\n')
        # Upgraded, and then silent for longer than a session may be.
        silent = upgrade(client, session)
        with unfinished, silent:
            unfinished.settimeout(PATIENCE_S)
            until(silent, CLOSE)
            answer = b''
            while chunk := unfinished.recv(65536):
                answer += chunk
            assert answer == b'' or b' 408 ' in answer
        works(client)


def test_sockets_that_are_torn_away_leave_nothing_waiting(client):
    session = created(client)
    for _ in range(40):
        connection = upgrade(client, session)
        # A frame that promises more than it brings, then a reset instead of an end.
        connection.sendall(b'\x81\xfe\xff\xff\x00\x00\x00\x00half')
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        connection.close()
    works(client)


def test_frames_against_the_protocol_end_only_their_own_socket(client):
    with talking(client) as other:
        with upgrade(client, created(client)) as connection:
            connection.sendall(b'\xf3\x05abcde')  # reserved bits, unmasked
            until(connection, CLOSE)
        assert other.ask(type='ping')['type'] == 'pong'


def test_a_session_holds_so_many_bytes_and_no_more():
    data = pictures(1)[0]
    with serving(sessions=SessionLimits(total_bytes=2 * len(data) + 10)) as client:
        with talking(client) as talk:
            assert [talk.image(data)['type'] for _ in range(3)] == ['ack', 'ack', 'error']
            assert client.get('/ws/sessions').json()['stats']['total_images'] == 2
