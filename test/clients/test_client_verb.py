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

"""The client verb: files from a server, refusals, exit codes."""

from bridge_parts import depth_of, picture, running
import cv2
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.tcp import TcpBridge
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.cli import main
from depth_anything_ros.core.depth import DepthKind
import numpy as np
import pytest


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), np.full((60, 80, 3), 7, np.uint8))
    return path


def command(kind, port, *arguments):
    return main.main(['client', kind, *(str(item) for item in arguments), '--port', str(port)])


@pytest.mark.parametrize('kind', ['zmq', 'tcp'])
def test_a_picture_becomes_depth_preview_and_cloud(kind, photo, tmp_path, capsys):
    depth, preview, ply = (tmp_path / name for name in ('depth.npy', 'depth.png', 'cloud.ply'))
    with running((ZmqBridge if kind == 'zmq' else TcpBridge)(port=0)) as bridge:
        assert command(kind, bridge.port, photo, '--focal', 300, '-o', depth, '--preview', preview,
                       '--ply', ply) == 0
    values = np.load(depth)
    # Focal 300 at 80 pixels is 75 at the engine's 20.
    expected = depth_of(np.full((60, 80, 3), 7, np.uint8))[0, 0] * 75 / 300
    np.testing.assert_allclose(values, np.full((60, 80), expected), rtol=1e-6)
    assert cv2.imread(str(preview)).shape == (60, 80, 3)
    assert f'element vertex {80 * 60}\n' in ply.read_bytes()[:200].decode('ascii', 'replace')
    said = capsys.readouterr().out
    assert 'given' in said and 'canonical: metres' in said


def test_what_cannot_be_done_is_said_with_exit_code_2(photo, tmp_path, capsys, monkeypatch):
    with running(TcpBridge(Access(key='secret'), 0)) as bridge:
        assert command('tcp', bridge.port, photo, '--fov', 60) == 2
        assert 'the key is missing' in capsys.readouterr().err
        monkeypatch.setenv('DEPTH_ANYTHING_API_KEY', 'secret')
        assert command('tcp', bridge.port, photo, '--fov', 60) == 0
        assert command('tcp', bridge.port, photo) == 2
        assert 'focal length' in capsys.readouterr().err
        assert command('tcp', bridge.port, tmp_path / 'missing.png') == 2
        assert command('tcp', bridge.port, photo, '-o', 'depth.exr') == 2
        port = bridge.port
    assert command('tcp', port, photo, '--fov', 60) == 2
    assert 'no server at' in capsys.readouterr().err


def test_relative_depth_is_no_png_of_millimetres(photo, tmp_path, capsys):
    with running(TcpBridge(port=0), kind=DepthKind.RELATIVE) as bridge:
        assert command('tcp', bridge.port, photo, '-o', tmp_path / 'depth.png') == 2
        assert 'relative' in capsys.readouterr().err
        assert command('tcp', bridge.port, photo, '-o', tmp_path / 'depth.npy') == 0
    assert np.load(tmp_path / 'depth.npy').shape == picture().shape[:2]
