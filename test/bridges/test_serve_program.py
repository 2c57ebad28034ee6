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

"""ZMQ and raw TCP in one program with da3-tiny: equal numbers, the seed's client, the end."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import time

from bridge_parts import picture
import cv2
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.launcher import add_tcp_arguments
from depth_anything_ros.bridges.limit_flags import limits_of
from depth_anything_ros.cli import serve
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.wire.limits import Limits
import httpx
import numpy as np
import pytest
from server_process import code_blocks, environment, program, ROOT, server, TINY
import tcp_parts
import zmq_parts

MAIN = 'depth_anything_ros.cli.main'
PORTS = ('--zmq-port', '0', '--tcp-port', '0')


@pytest.fixture(scope='module')
def addresses():
    with server(MAIN, 'serve', '--zmq', '--tcp', *PORTS, *TINY, names=2) as found:
        yield found


def png(image):
    return cv2.imencode('.png', image[..., ::-1])[1].tobytes()


def test_g2_the_same_image_gives_the_same_depth_on_both(addresses):
    image = picture(5, 320, 240)
    matrix = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])
    for metric in (False, True):
        over_zmq = zmq_parts.ask(addresses['zmq'], {
            'command': 'inference', 'image': image, 'process_res': 168, 'intrinsics': matrix,
            'metric': metric})
        over_tcp = tcp_parts.ask(addresses['tcp'], {
            'action': 'depth_inference', 'rgb_bytes': png(image), 'process_res': 168,
            'raw': not metric, 'camera_intrinsics': matrix, 'as_numpy': True})['data']
        assert over_zmq['units'] == over_tcp['units'] == ('m' if metric else 'canonical')
        np.testing.assert_array_equal(over_zmq['depth'], over_tcp['depth'])
        assert np.isfinite(over_zmq['depth']).any()


def test_t7_the_seeds_client_class_runs_as_it_is(addresses, tmp_path):
    blocks = [block for block in code_blocks('socket-server.txt') or () if 'class SAM6D' in block]
    if not blocks:
        pytest.skip('the text of the seed is not on this machine')
    names = {}
    exec(blocks[0], names)
    (tmp_path / 'rgb.png').write_bytes(png(picture()))
    client = names['SAM6DClient'](port=int(addresses['tcp'].rpartition(':')[2]))
    try:
        client.send_data({'action': 'ping'})
        assert client.receive_data()['status'] == 'pong'
        answer = client.run_inference(tmp_path / 'rgb.png', tmp_path / 'rgb.png')
        assert answer['status'] == 'error' and 'pose model' in answer['message']
        client.send_data({'action': 'depth_inference', 'rgb_bytes': png(picture()), 'raw': True})
        assert client.receive_data()['data']['shape'] == [378, 504]
    finally:
        client.socket.close()


def test_the_documents_standard_library_client_runs_as_it_is(addresses, tmp_path):
    text = (ROOT / 'docs' / 'bridges.md').read_text(encoding='utf-8')
    code, = [block for block in re.findall(r'```python\n(.*?)```', text, re.DOTALL)
             if 'struct.pack' in block]
    assert "('localhost', 9000)" in code
    (tmp_path / 'photo.jpg').write_bytes(
        cv2.imencode('.jpg', picture(0, 160, 120)[..., ::-1])[1].tobytes())
    code = code.replace('9000', addresses['tcp'].rpartition(':')[2])
    # -I: nothing but the standard library and what the code says.
    done = subprocess.run(
        [sys.executable, '-I', '-c', code + 'print(data["units"], height, width, max(depth) > 0)'],
        cwd=tmp_path, timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'm 120 160 True\n'


def test_t7_g5_flags_of_the_seed():
    parser = argparse.ArgumentParser()
    add_tcp_arguments(parser)
    found = parser.parse_args(['--host', '0.0.0.0', '--port', '9000'])
    assert (found.host, found.port) == ('0.0.0.0', 9000)
    assert (parser.parse_args([]).host, parser.parse_args([]).port) == ('127.0.0.1', 8000)
    together = argparse.ArgumentParser()
    serve.add_arguments(together)
    found = together.parse_args([])
    assert (found.zmq_port, found.tcp_port) == (5555, 9000)


def test_limits_of_the_flags():
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    base = BridgeLimits(clients=9, idle_s=7.0)
    assert limits_of(parser.parse_args([]), base) == base
    found = limits_of(parser.parse_args([
        '--max-clients', '3', '--in-flight', '2', '--idle-timeout', '5', '--message-timeout',
        '4', '--request-timeout', '1.5', '--max-message', '2']), base)
    assert found == BridgeLimits(Limits(message_bytes=2 * 2**20), 3, 2, 5.0, 4.0, 1.5)
    for flag, seen in (('--max-clients', '0'), ('--idle-timeout', 'nan'),
                       ('--request-timeout', 'inf')):
        with pytest.raises(ConfigError, match=f'must be positive and finite, seen {seen}'):
            limits_of(parser.parse_args([flag, seen]), base)


def test_each_bridge_keeps_the_limits_of_its_flags():
    with server(MAIN, 'serve', '--zmq', '--tcp', '--rest', '--port', '0', *PORTS, *TINY,
                '--max-message', '1', '--max-clients', '1', names=3) as found:
        large = np.zeros((640, 640, 3), np.uint8)
        reply = zmq_parts.ask(found['zmq'], {'command': 'inference', 'image': large})
        assert reply['code'] == 'payload_too_large' and '1048576' in reply['error']
        reply = httpx.post(f'{found["rest"]}/v1/depth', content=large.tobytes(), trust_env=False)
        assert reply.status_code == 413 and '1048576' in reply.text
        reply = tcp_parts.ask(found['tcp'], {
            'action': 'depth_inference', 'rgb_bytes': large.tobytes()})
        assert reply['code'] == 'payload_too_large' and '1048576' in reply['message']
        # The place of that client is free a moment after its end.
        end = time.monotonic() + 20.0
        while True:
            with tcp_parts.connected(found['tcp']) as only:
                if tcp_parts.tell(only, {'action': 'ping'})['status'] == 'pong':
                    reply = tcp_parts.ask(found['tcp'], {'action': 'ping'})
                    assert reply['code'] == 'limit_exceeded'
                    break
            assert time.monotonic() < end


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_model_is_read_ends_the_program_at_once(tmp_path, number):
    # Reading a pipe that nobody writes to takes for ever, as a slow disk does.
    os.mkfifo(tmp_path / 'config.json')
    (tmp_path / 'model.safetensors').write_bytes(b'')
    process = subprocess.Popen(
        [sys.executable, '-m', MAIN, 'serve', '--tcp', '--tcp-port', '0', '--device', 'cpu',
         '--model', tmp_path], stderr=subprocess.PIPE, text=True, env=environment())
    try:
        # Opened for writing as soon as somebody reads.
        with open(tmp_path / 'config.json', 'w', encoding='utf-8'):
            process.send_signal(number)
            assert process.wait(60) == 0, process.stderr.read()
        assert 'Traceback' not in process.stderr.read()
    finally:
        process.kill()
        process.wait()


def test_t3_shutdown_ends_the_program_with_0_and_frees_the_port():
    with server('depth_anything_ros.bridges.tcp', '--port', '0', *TINY, names=1,
                ends_itself=True) as found:
        answer = tcp_parts.ask(found['tcp'], {'action': 'shutdown'})
        assert answer == {'status': 'shutting_down'}
    port = int(found['tcp'].rpartition(':')[2])
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(('127.0.0.1', port))


@pytest.mark.parametrize(('arguments', 'code', 'text'), [
    (['serve'], 2, 'say --zmq, --tcp, --rest'),
    (['serve', '--tcp', '--host', '0.0.0.0'], 2, '--allow-anonymous'),
    (['zmq', '--model', 'da4'], 2, 'invalid choice'),
    (['tcp', '--port', '-1'], 2, 'invalid port'),
])
def test_g3_g4_exit_codes(arguments, code, text):
    done = program(MAIN, *arguments)
    assert done.returncode == code and text in done.stderr and 'Traceback' not in done.stderr


def test_g3_a_port_in_use_ends_with_1_and_frees_the_others():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = str(taken.getsockname()[1])
        done = program(MAIN, 'serve', '--zmq', '--zmq-port', '0', '--tcp', '--tcp-port', port)
    assert done.returncode == 1 and 'the port is in use' in done.stderr


@pytest.mark.skipif(importlib.util.find_spec('ray') is not None, reason='Ray is installed')
def test_ray_is_asked_for_by_name_where_it_is_missing():
    done = program(MAIN, 'serve', '--ray', '--port', '0', *TINY)
    assert done.returncode == 2 and 'depth_anything_ros[ray]' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('words', [('--replicas', '2'), ('--ray-address', 'auto')])
def test_replicas_need_ray(words):
    done = program(MAIN, 'serve', '--rest', '--port', '0', *TINY, *words)
    assert done.returncode == 2 and 'need --ray' in done.stderr
