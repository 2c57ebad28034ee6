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

"""Bridges made from settings, as the ROS node has them; and their change of service."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import socket
import ssl
import subprocess
import sys

from bridge_parts import depth_of, Gate, PATIENCE_S, picture
import cv2
from depth_anything_ros.bridges.from_settings import bridges_of
from depth_anything_ros.clients import TcpClient, ZmqClient
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import ConfigError, MissingDependency, NotReady, Unauthorized
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import changed, Settings
import httpx
import pytest
from zmq_parts import ask

K = [[70.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]]
BOTH = {'zmq.enabled': True, 'zmq.port': 0, 'tcp.enabled': True, 'tcp.port': 0}


def made(environment=None, **given):
    """Return bridges, the settings given with __ for dots."""
    changes = {**BOTH, **{name.replace('__', '.'): value for name, value in given.items()}}
    return bridges_of(changed(Settings(), {
        f'bridges.{name}': value for name, value in changes.items()}), environment or {})


def serving(kind=DepthKind.METRIC):
    return DepthService(GivenDepthEngine(lambda frame: depth_of(frame.rgb), kind=kind))


@contextmanager
def opened(bridges, service):
    try:
        for bridge in bridges.values():
            bridge.listen()
            bridge.start(service)
        yield bridges
    finally:
        for bridge in bridges.values():
            bridge.stop()
        service.close()


def test_a_bridge_goes_on_with_another_service():
    second = serving(DepthKind.RELATIVE)
    first = serving()
    with opened(made(), first) as bridges, ZmqClient(bridges['zmq'].address) as zmq, \
            TcpClient('127.0.0.1', bridges['tcp'].port) as tcp:
        for client in (zmq, tcp):
            assert client.estimate(picture(), K).units == 'm'
        for bridge in bridges.values():
            bridge.start(second)
        for client in (zmq, tcp):
            assert client.estimate(picture()).units == 'relative'
        second.close()
        for client in (zmq, tcp):
            with pytest.raises(NotReady):
                client.estimate(picture())


def test_rest_with_its_pages_and_names():
    bridges = made(zmq__enabled=False, tcp__enabled=False, rest__enabled=True, rest__port=0,
                   rest__cors_origins=('https://panel.example',),
                   rest__allowed_hosts=('robot.example',))
    with opened(bridges, serving()):
        address = bridges['rest'].address
        for headers, status in (
                ({}, 200), ({'Host': 'robot.example'}, 200), ({'Host': 'other.example'}, 403),
                ({'Origin': 'https://panel.example'}, 200),
                ({'Origin': 'https://other.example'}, 403)):
            assert httpx.get(f'{address}/v1/models', headers=headers,
                             trust_env=False).status_code == status


def rest(**given):
    """Return the REST bridge of settings, alone."""
    return made(zmq__enabled=False, tcp__enabled=False, rest__enabled=True, rest__port=0,
                **{f'rest__{name}': value for name, value in given.items()})


def test_rest_encrypted(tmp_path):
    certificate, key = tmp_path / 'cert.pem', tmp_path / 'key.pem'
    run = subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
         '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out',
         certificate], capture_output=True)
    if run.returncode:
        pytest.skip('no openssl on this machine')
    with opened(rest(tls_cert=str(certificate), tls_key=str(key)), serving()) as bridges:
        address = bridges['rest'].address
        assert address.startswith('https://')
        trust = ssl.create_default_context(cafile=certificate)
        assert httpx.get(f'{address}/livez', verify=trust, trust_env=False).status_code == 200
    for half in ({'tls_cert': str(certificate)}, {'tls_key': str(key)}):
        with pytest.raises(ConfigError, match='both a certificate and its key'):
            rest(**half)


def test_rest_and_the_share_of_a_client():
    with opened(rest(rate=0.001), serving()) as bridges:
        url = f"{bridges['rest'].address}/v1/models"
        assert [httpx.get(url, trust_env=False).status_code for _ in range(2)] == [200, 429]
    gate = Gate()
    service = DepthService(GivenDepthEngine(gate, kind=DepthKind.METRIC))
    with opened(rest(in_flight=1), service) as bridges:
        address = bridges['rest'].address
        png = cv2.imencode('.png', picture())[1].tobytes()
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(httpx.post, f'{address}/v1/depth', content=png, trust_env=False,
                                timeout=PATIENCE_S)
            assert gate.entered.wait(PATIENCE_S)
            assert httpx.get(f'{address}/v1/models', trust_env=False).status_code == 429
            gate.opened.set()
            assert first.result().status_code == 200
        assert httpx.get(f'{address}/v1/models', trust_env=False).status_code == 200


def test_rest_and_pictures_by_url():
    said = {}
    some = {'allow_image_url': True, 'image_url_hosts': ('Other.example',)}
    for name, given in (('off', {}), ('on', {'allow_image_url': True}), ('some', some)):
        with opened(rest(**given), serving()) as bridges:
            reply = httpx.post(f"{bridges['rest'].address}/rel_depth", trust_env=False,
                               timeout=PATIENCE_S, json={'image_url': 'https://127.0.0.1/a.png'})
            assert reply.status_code == 400
            said[name] = reply.json()['detail']
    assert len(set(said.values())) == 3, said


def test_nothing_is_served_unless_it_is_enabled():
    assert not bridges_of(Settings(), {})
    assert list(made(zmq__enabled=False)) == ['tcp']
    assert list(made(tcp__enabled=False)) == ['zmq']


def test_the_port():
    ports = {}
    for name in BOTH:
        if name.endswith('port'):
            with socket.socket() as free:
                free.bind(('127.0.0.1', 0))
                ports[name.replace('.', '__')] = free.getsockname()[1]
    with opened(made(**ports), serving()) as bridges:
        assert [int(bridge.address.rpartition(':')[2]) for bridge in bridges.values()] == [
            ports['zmq__port'], ports['tcp__port']]


def test_an_open_port_needs_a_key_or_a_spoken_word():
    with pytest.raises(ConfigError, match='DEPTH_ANYTHING_API_KEY'):
        made(host='0.0.0.0')
    made({'DEPTH_ANYTHING_API_KEY': 'secret'}, host='0.0.0.0')
    bridges = made(host='0.0.0.0', allow_anonymous=True)
    with opened(bridges, serving()):
        for bridge in bridges.values():
            assert bridge.address.startswith('tcp://0.0.0.0:')


def test_the_key_and_the_folders_of_pictures(tmp_path):
    with pytest.raises(ConfigError, match='is not a folder'):
        made(image_roots=[str(tmp_path / 'missing')])
    cv2.imwrite(str(tmp_path / 'a.png'), picture())
    bridges = made({'DEPTH_ANYTHING_API_KEY': 'secret'}, image_roots=[str(tmp_path)])
    with opened(bridges, serving()):
        with ZmqClient(bridges['zmq'].address) as client, pytest.raises(Unauthorized):
            client.estimate(picture(), K)
        with TcpClient('127.0.0.1', bridges['tcp'].port, api_key='secret') as client:
            assert client.metres(picture(), K).shape == (60, 80)
        reply = ask(bridges['zmq'].address, {
            'command': 'inference', 'image': str(tmp_path / 'a.png'), 'api_key': 'secret'})
        assert (reply['depth'] == depth_of(picture()[..., ::-1])).all()


def test_a_client_does_not_stop_the_node():
    from tcp_parts import ask as ask_tcp
    with opened(made(), serving()) as bridges:
        reply = ask_tcp(bridges['tcp'].address, {'action': 'shutdown'})
        assert reply['code'] == 'forbidden'


def test_a_missing_library_is_said(monkeypatch):
    monkeypatch.delitem(sys.modules, 'depth_anything_ros.bridges.zeromq')
    monkeypatch.setitem(sys.modules, 'zmq', None)
    with pytest.raises(MissingDependency, match='pip install pyzmq'):
        made()
