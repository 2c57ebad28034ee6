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
import re
import socket
import subprocess
import sys

from bridge_parts import picture
import cv2
from depth_anything_ros.bridges.launcher import add_tcp_arguments
from depth_anything_ros.cli import serve
import numpy as np
import pytest
from server_process import code_blocks, program, ROOT, server, TINY
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
