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

"""The files of docs/examples do what they say, against real servers."""

from pathlib import Path
import subprocess
import sys
import time

from bridge_parts import picture, running
import cv2
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.publisher import ZmqPublisher
from depth_anything_ros.bridges.tcp import TcpBridge
from depth_anything_ros.clients import TcpClient
from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.result import DepthResult, ScaleLaw
import numpy as np

EXAMPLES = Path(__file__).resolve().parents[2] / 'docs' / 'examples'


def example(name, *arguments, isolated=True, environment=None):
    # Without site-packages: what is not in the standard library cannot be imported.
    flags = ['-I', '-S'] if isolated else []
    return subprocess.run(
        [sys.executable, *flags, EXAMPLES / name, *map(str, arguments)], capture_output=True,
        text=True, timeout=60, env=environment)


def test_depth_with_the_standard_library_alone(tmp_path):
    photo, output = tmp_path / 'photo.png', tmp_path / 'depth.pfm'
    cv2.imwrite(str(photo), picture())
    with running(TcpBridge(port=0), kind=DepthKind.METRIC) as bridge:
        ran = example('tcp_standard_library.py', photo, output, '--port', bridge.port,
                      '--fov', '70')
        assert ran.returncode == 0, ran.stderr
        with TcpClient('127.0.0.1', bridge.port) as client:
            expected = client.estimate(picture()[..., ::-1], fov_deg=70).depth
    np.testing.assert_array_equal(cv2.imread(str(output), cv2.IMREAD_UNCHANGED), expected)
    assert '80x60, median' in ran.stdout and ' m, given' in ran.stdout


def test_what_the_server_refuses_is_said(tmp_path):
    photo = tmp_path / 'photo.png'
    cv2.imwrite(str(photo), picture())
    with running(TcpBridge(Access(key='secret'), 0), kind=DepthKind.METRIC) as bridge:
        arguments = ('tcp_standard_library.py', photo, tmp_path / 'd.pfm', '--port', bridge.port)
        ran = example(*arguments)
        assert ran.returncode == 1 and 'the key is missing' in ran.stderr
        ran = example(*arguments, environment={'DEPTH_ANYTHING_API_KEY': 'secret'})
        assert ran.returncode == 0, ran.stderr


def test_a_camera_is_followed_with_pyzmq_and_numpy_alone():
    publisher = ZmqPublisher(port=0)
    publisher.listen()
    publisher.start(None)
    frame = Frame(np.zeros((3, 4, 3), np.uint8), 5_000_000_007, 'optical')
    law = ScaleLaw(DepthKind.METRIC, 1.0, 0.0, FocalSource.NONE)
    sent = DepthResult(
        frame, np.full((3, 4), 2.5, np.float32), law, 'given',
        cloud=np.ones((3, 4, 4), np.float32))
    # Its own folder is no package of ours: what it imports is pyzmq and numpy.
    process = subprocess.Popen(
        [sys.executable, '-P' if sys.version_info >= (3, 11) else '-s',
         EXAMPLES / 'follow_a_camera.py', publisher.address, 'front/points', '--count', '2'],
        stdout=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < end:
            publisher.publish('front', sent)
            time.sleep(0.02)
        lines = process.stdout.read().splitlines()
        assert process.wait(10) == 0 and len(lines) == 2
        assert lines[0].startswith('5.000000007 s, depth (3, 4) m, median 2.500, cloud (3, 4, 4)')
    finally:
        process.kill()
        process.stdout.close()
        publisher.stop()
    source = (EXAMPLES / 'follow_a_camera.py').read_text()
    assert 'depth_anything_ros' not in source.split('"""', 2)[2]
