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

"""The ZMQ program with da3-tiny: the seed's client code, sizes, flags and exit codes."""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys

from bridge_parts import picture
from depth_anything_ros.api import DepthEstimator
from depth_anything_ros.bridges.launcher import add_zmq_arguments
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
import numpy as np
from PIL import Image
import pytest
from server_process import code_blocks, environment, program, server, TINY
from zmq_parts import ask

MODULE = 'depth_anything_ros.bridges.zeromq'


@pytest.fixture(scope='module')
def address():
    with server(MODULE, *TINY, '--port', '0', names=1) as addresses:
        yield addresses['zmq']


def test_the_seeds_client_code_runs_as_it_is(address, tmp_path):
    blocks = [block for block in code_blocks('zmq-server.txt') or () if 'recv_pyobj' in block]
    if not blocks:
        pytest.skip('the text of the seed is not on this machine')
    code, = blocks
    assert 'tcp://localhost:5555' in code
    Image.fromarray(picture(0, 160, 120)).save(tmp_path / 'image.jpg')
    port = address.rpartition(':')[2]
    done = subprocess.run(
        [sys.executable, '-c', code.replace('5555', port)], cwd=tmp_path, timeout=120,
        capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    assert 'Depth shape: (378, 504), range: [' in done.stdout


@pytest.mark.parametrize(('size', 'res', 'expected'), [
    ((640, 480), 504, (378, 504)), ((640, 480), 630, (476, 630)), ((640, 480), 640, (476, 644)),
    ((1280, 720), 504, (280, 504)), ((848, 480), 630, (364, 630)), ((752, 480), 504, (322, 504)),
])
def test_z6_sizes(address, size, res, expected):
    image = np.full((size[1], size[0], 3), 128, np.uint8)
    reply = ask(address, {'command': 'inference', 'image': image, 'process_res': res})
    assert reply['depth'].shape == expected


def test_z6_504_is_the_default(address):
    reply = ask(address, {'command': 'inference', 'image': picture(0, 640, 480)})
    assert reply['depth'].shape == (378, 504)


def test_z5_raw_depth_is_that_of_the_engine(address):
    image = picture(3, 160, 120)
    request = {'command': 'inference', 'image': image, 'process_res': 154}
    found = ask(address, request)['depth']
    assert found.dtype == np.float32 and found.flags.c_contiguous
    with DepthEstimator('da3-tiny', device='cpu') as estimator:
        engine = estimator._engine
        prepared = engine.prepare(Frame(image), FrameOptions(process_res=154, raw=True))
        expected = engine.finish(engine.infer([prepared])[0]).depth
    # Not bit for bit: another process may sum in another number of threads.
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    again = ask(address, request)['depth']
    np.testing.assert_array_equal(found, again)


def test_z1_g5_flags_and_defaults_of_the_seed():
    parser = argparse.ArgumentParser()
    add_zmq_arguments(parser)
    found = parser.parse_args([])
    assert (found.model, found.device, found.port, found.log_level) == (
        'da3mono-large', 'cuda', 5555, 'INFO')
    assert found.host == '127.0.0.1'
    for model in ('da3-small', 'da3-base', 'da3-large', 'da3-giant', 'da3nested-giant-large',
                  'da3mono-large', 'da3metric-large'):
        found = parser.parse_args(
            ['--model', model, '--device', 'cpu', '--port', '7', '--log-level', 'WARNING'])
        assert (found.model, found.device, found.port) == (model, 'cpu', 7)


@pytest.mark.parametrize('arguments', [
    ['--model', 'da4-huge'], ['--log-level', 'LOUD'], ['--port', 'x'], ['--port', '65536'],
    ['--nonsense']])
def test_z1_a_bad_choice_is_a_usage_error(arguments, capsys):
    parser = argparse.ArgumentParser()
    add_zmq_arguments(parser)
    with pytest.raises(SystemExit) as error:
        parser.parse_args(arguments)
    assert error.value.code == 2 and 'usage:' in capsys.readouterr().err


def test_g3_a_port_in_use_ends_with_1():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        done = program(MODULE, *TINY, '--port', str(taken.getsockname()[1]))
    assert done.returncode == 1 and 'the port is in use' in done.stderr
    assert 'Traceback' not in done.stderr


def test_g4_other_machines_need_a_key_or_a_spoken_out_choice():
    done = program(MODULE, *TINY, '--port', '0', '--host', '0.0.0.0')
    assert done.returncode == 2 and '--allow-anonymous' in done.stderr
    assert 'DEPTH_ANYTHING_API_KEY' in done.stderr


def test_wrong_settings_end_with_2():
    done = program(MODULE, '--model', 'da3-tiny', '--device', 'abacus', '--port', '0')
    assert done.returncode == 2 and 'abacus' in done.stderr and 'Traceback' not in done.stderr


def test_without_pyzmq_the_command_that_helps_is_named():
    code = ('import sys; sys.modules["zmq"] = None\n'
            'from depth_anything_ros.bridges.launcher import run_zmq\n'
            'sys.exit(run_zmq(["--model", "da3-tiny"]))')
    done = subprocess.run(
        [sys.executable, '-c', code], timeout=120, capture_output=True, text=True,
        env=environment())
    assert done.returncode == 2 and 'pip install pyzmq' in done.stderr
