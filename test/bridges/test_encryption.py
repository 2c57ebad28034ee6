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

"""CURVE on ZMQ and TLS on raw TCP, with keys and certificates made here."""

import logging
import pickle
import socket
import ssl
import subprocess
import time

from bridge_parts import depth_of, PATIENCE_S, picture, running
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.curve import Curve, curve_of, CURVE_VARIABLE
from depth_anything_ros.bridges.from_settings import bridges_of
from depth_anything_ros.bridges.launcher import (
    add_tcp_arguments,
    add_zmq_arguments,
    Ending,
    tcp_bridge,
    zmq_bridge,
)
from depth_anything_ros.bridges.tcp import PONG, TcpBridge
from depth_anything_ros.bridges.tls import server_tls
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.clients import TcpClient, ZmqClient
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.errors import ConfigError, DeadlineExceeded, Forbidden
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from tcp_parts import closed, frame, reply, tell
import zmq
import zmq.auth

K = [[70.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]]
METRIC = DepthKind.METRIC


@pytest.fixture(scope='module')
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp('keys')
    for name in ('server', 'robot', 'stranger'):
        zmq.auth.create_certificates(folder, name)
        (folder / f'{name}.key_secret').chmod(0o600)
    known = folder / 'known'
    known.mkdir()
    (folder / 'robot.key').rename(known / 'robot.key')
    return folder


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tls')
    try:
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
             '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout',
             folder / 'key.pem', '-out', folder / 'cert.pem'], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip('no openssl on this machine')
    return folder / 'cert.pem', folder / 'key.pem'


def curve(keys, clients=None):
    return curve_of(keys / 'server.key_secret', clients, {})


def test_curve_serves_who_knows_the_servers_key(keys):
    with running(ZmqBridge(port=0, curve=curve(keys)), kind=METRIC) as bridge:
        public = zmq.auth.load_certificate(keys / 'server.key')[0].decode()
        for known in (public, keys / 'server.key'):
            with ZmqClient(bridge.address, server_key=known) as client:
                assert client.metres(picture(), K).shape == (60, 80)
        for arguments in ({}, {'server_key': keys / 'stranger.key'}):
            with ZmqClient(bridge.address, timeout=0.3, **arguments) as client, \
                    pytest.raises(DeadlineExceeded):
                client.ping()
        with ZmqClient(bridge.address, server_key=public) as client:
            client.ping()


def test_curve_lets_in_known_clients_only(keys):
    with running(ZmqBridge(port=0, curve=curve(keys, keys / 'known')), kind=METRIC) as bridge:
        server = keys / 'server.key'
        with ZmqClient(
                bridge.address, server_key=server, client_key=keys / 'robot.key_secret') as client:
            np.testing.assert_array_equal(
                client.estimate(picture(), K, process_res=504).depth.shape, (60, 80))
        for stranger in (keys / 'stranger.key_secret', ''):
            with ZmqClient(bridge.address, server_key=server, client_key=stranger,
                           timeout=0.3) as client, pytest.raises(DeadlineExceeded):
                client.ping()
        port = bridge.port
    again = ZmqBridge(port=port)
    again.listen()
    again.stop()


def test_curve_carries_the_pickles_of_the_seed_and_nothing_in_the_clear(keys):
    with running(ZmqBridge(port=0, curve=curve(keys))) as bridge:
        with zmq.Context() as context, context.socket(zmq.REQ) as client:
            client.setsockopt(zmq.LINGER, 0)
            client.setsockopt(zmq.RCVTIMEO, int(1000 * PATIENCE_S))
            client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
            client.curve_serverkey = zmq.auth.load_certificate(keys / 'server.key')[0]
            client.connect(bridge.address)
            client.send_pyobj({'command': 'inference', 'image': picture()})
            np.testing.assert_array_equal(client.recv_pyobj()['depth'], depth_of(picture()))


def test_curve_clients_stand_for_a_key_where_the_port_is_open(keys):
    import argparse
    parser = argparse.ArgumentParser()
    add_zmq_arguments(parser)
    flags = ['--host', '0.0.0.0', '--port', '0', '--curve-key', str(keys / 'server.key_secret')]
    with pytest.raises(ConfigError, match='set a key'):
        zmq_bridge(parser.parse_args(flags), 0)
    bridge = zmq_bridge(parser.parse_args(
        [*flags, '--curve-clients', str(keys / 'known')]), 0)
    bridge.listen()
    bridge.stop()


def test_curve_keys_that_are_none_are_said(keys, tmp_path, caplog):
    assert curve_of('', '', {}) is None
    secret = zmq.auth.load_certificate(keys / 'server.key_secret')[1]
    from_environment = curve_of('', '', {CURVE_VARIABLE: secret.decode()})
    assert from_environment == curve(keys) and isinstance(from_environment, Curve)
    assert secret.decode() not in repr(from_environment)
    empty = tmp_path / 'empty.key_secret'
    empty.write_text('curve\n')
    for key, clients, environment, words in (
            (tmp_path / 'missing', '', {}, 'missing'), (empty, '', {}, 'No public key'),
            (keys / 'server.key', '', {}, 'no secret key'),
            ('', '', {CURVE_VARIABLE: 'short'}, '40 characters'),
            ('', '', {CURVE_VARIABLE: '\n' * 40}, '40 characters'),
            ('', keys, {}, 'need a server key'),
            (keys / 'server.key_secret', tmp_path / 'none', {}, 'not a folder')):
        with pytest.raises(ConfigError, match=words):
            curve_of(key, clients, environment)
    (tmp_path / 'broken.key').write_text('nothing')
    with pytest.raises(ConfigError, match='broken.key'):
        curve(keys, tmp_path)
    with pytest.raises(ConfigError, match='CURVE keys'):
        ZmqClient('tcp://127.0.0.1:1', server_key=tmp_path / 'none')
    (keys / 'server.key_secret').chmod(0o644)
    with caplog.at_level(logging.WARNING):
        curve(keys)
    assert 'chmod 600' in caplog.text
    (keys / 'server.key_secret').chmod(0o600)


def test_tls_serves_both_forms_to_who_trusts_the_certificate(certificate):
    with running(TcpBridge(port=0, tls=server_tls(*certificate)), kind=METRIC) as bridge:
        for host in ('localhost', '127.0.0.1'):
            with TcpClient(host, bridge.port, tls=certificate[0]) as client:
                client.ping()
                for seed in range(3):
                    image = picture(seed, 640, 480)
                    assert client.metres(image, [[500, 0, 320], [0, 500, 240], [0, 0, 1]]).shape \
                        == (480, 640)
        context = ssl.create_default_context(cafile=certificate[0])
        with socket.create_connection(('127.0.0.1', bridge.port), PATIENCE_S) as plain, \
                context.wrap_socket(plain, server_hostname='localhost') as connection:
            assert tell(connection, {'action': 'ping'}) == PONG
            connection.sendall(frame(b'\x80\x04garbage'))
            assert reply(connection)['status'] == 'error'
            assert closed(connection)


def test_tls_without_trust_or_without_tls(certificate):
    with running(TcpBridge(port=0, tls=server_tls(*certificate))) as bridge:
        with TcpClient('localhost', bridge.port, tls=ssl.create_default_context()) as client, \
                pytest.raises(Forbidden, match='no trust'):
            client.ping()
        with socket.create_connection(('127.0.0.1', bridge.port), PATIENCE_S) as plain:
            plain.sendall(frame(pickle.dumps({'action': 'ping'})))
            assert b'pong' not in plain.recv(1000)
        with TcpClient('localhost', bridge.port, tls=certificate[0]) as client:
            client.ping()
    with running(TcpBridge(port=0)) as bridge, \
            TcpClient('localhost', bridge.port, tls=certificate[0], timeout=2) as client, \
            pytest.raises(Forbidden):
        client.ping()


def test_tls_a_client_that_never_shakes_hands_holds_nobody_up_and_is_dropped(certificate):
    limits = BridgeLimits(message_s=0.3, clients=2)
    with running(TcpBridge(port=0, tls=server_tls(*certificate), limits=limits)) as bridge:
        with socket.create_connection(('127.0.0.1', bridge.port), PATIENCE_S) as silent:
            with TcpClient('localhost', bridge.port, tls=certificate[0]) as client:
                client.ping()
            assert silent.recv(1) == b''


def test_tls_drains_at_the_end_and_refuses_the_client_too_many(certificate):
    context = ssl.create_default_context(cafile=certificate[0])
    limits = BridgeLimits(clients=1)
    with running(TcpBridge(port=0, tls=server_tls(*certificate), limits=limits)) as bridge:
        with TcpClient('localhost', bridge.port, tls=certificate[0]) as client:
            client.ping()
            with socket.create_connection(('127.0.0.1', bridge.port), PATIENCE_S) as plain, \
                    context.wrap_socket(plain, server_hostname='localhost') as second:
                assert reply(second)['code'] == 'limit_exceeded'
            bridge.stop(1.0)
    again = TcpBridge(port=bridge.port)
    again.listen()
    again.stop()


def test_tls_files_that_are_none_are_said(certificate, tmp_path):
    assert server_tls(None, None) is None and server_tls('', '') is None
    cert, key = certificate
    other = tmp_path / 'other.pem'
    other.write_text('nothing')
    for pair, words in (((cert, None), 'needs both'), ((None, key), 'needs both'),
                        ((cert, tmp_path / 'none'), 'none'), ((other, key), 'other.pem')):
        with pytest.raises(ConfigError, match=words):
            server_tls(*pair)
    with pytest.raises(ConfigError, match='no certificate'):
        TcpClient('localhost', 1, tls=tmp_path / 'none')


def test_flags_and_settings_name_the_files(keys, certificate):
    import argparse
    parser = argparse.ArgumentParser()
    add_tcp_arguments(parser)
    cert, key = map(str, certificate)
    bridges = bridges_of(changed(Settings(), {
        'bridges.tcp.enabled': True, 'bridges.tcp.port': 0, 'bridges.tcp.tls_cert': cert,
        'bridges.tcp.tls_key': key, 'bridges.zmq.enabled': True, 'bridges.zmq.port': 0,
        'bridges.zmq.curve_key': str(keys / 'server.key_secret'),
        'bridges.zmq.curve_clients': str(keys / 'known'), 'bridges.host': 'localhost'}), {})
    flagged = tcp_bridge(parser.parse_args(['--tls-cert', cert, '--tls-key', key]), 0, Ending())
    for bridge in (bridges['tcp'], flagged):
        with running(bridge), TcpClient('localhost', bridge.port, tls=cert) as client:
            client.ping()
    with running(bridges['zmq']) as bridge:
        with ZmqClient(bridge.address, server_key=keys / 'server.key',
                       client_key=keys / 'robot.key_secret') as client:
            client.ping()
        with ZmqClient(bridge.address, timeout=0.2) as client, pytest.raises(DeadlineExceeded):
            client.ping()


def test_a_client_that_was_refused_before_it_asks_does_not_wait_for_ever(keys):
    with running(ZmqBridge(port=0, curve=curve(keys, keys / 'known'))) as bridge, \
            ZmqClient(bridge.address, timeout=0.3, server_key=keys / 'server.key') as client:
        # The server's answer 400 ends the connection for good: nobody is left to send to.
        end = time.monotonic() + PATIENCE_S
        while client._socket.poll(0, zmq.POLLOUT):
            assert time.monotonic() < end
            time.sleep(0.01)
        with pytest.raises(DeadlineExceeded, match='takes no request'):
            client.ping()


def test_the_client_verb_takes_the_keys(keys, certificate, tmp_path):
    import cv2
    from depth_anything_ros.cli.main import main
    photo = str(tmp_path / 'photo.png')
    cv2.imwrite(photo, picture())
    with running(TcpBridge(port=0, tls=server_tls(*certificate)), kind=METRIC) as bridge:
        common = ['client', 'tcp', photo, '--fov', '60', '--port', str(bridge.port)]
        assert main([*common, '--tls-ca', str(certificate[0])]) == 0
        assert main([*common, '--timeout', '2']) == 2
    with running(ZmqBridge(port=0, curve=curve(keys, keys / 'known')), kind=METRIC) as bridge:
        common = ['client', 'zmq', photo, '--fov', '60', '--port', str(bridge.port),
                  '--server-key', str(keys / 'server.key')]
        assert main([*common, '--client-key', str(keys / 'robot.key_secret')]) == 0
        assert main([*common, '--timeout', '0.3']) == 2
