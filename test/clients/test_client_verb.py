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
from depth_anything_ros.cli.client_many import patiently
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.errors import Busy
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


@pytest.fixture
def folder(tmp_path):
    pictures = tmp_path / 'pictures'
    pictures.mkdir()
    for name, value in (('b.png', 9), ('a.jpg', 3), ('a.png', 5)):
        cv2.imwrite(str(pictures / name), np.full((60, 80, 3), value, np.uint8))
    (pictures / 'notes.txt').write_text('no picture')
    return pictures


@pytest.mark.parametrize('kind', ['zmq', 'tcp'])
def test_a_folder_becomes_a_folder(kind, folder, tmp_path, capsys):
    out, ply = tmp_path / 'out' / 'depth', tmp_path / 'ply'
    with running((ZmqBridge if kind == 'zmq' else TcpBridge)(port=0),
                 kind=DepthKind.METRIC) as bridge:
        assert command(kind, bridge.port, folder, '-o', out, '--preview', out, '--ply', ply,
                       '--fov', 60) == 0
        said = capsys.readouterr()
        assert 'wrote       3 of 3' in said.out and 'model       given' in said.out
        assert said.out.count('note ') <= 1 and not said.err
        assert sorted(path.name for path in out.iterdir()) == [
            'a.jpg.npy', 'a.jpg.png', 'a.png.npy', 'a.png.png', 'b.npy', 'b.png']
        assert sorted(path.name for path in ply.iterdir()) == ['a.jpg.ply', 'a.png.ply', 'b.ply']
        expected = depth_of(np.full((60, 80, 3), 9, np.uint8))[0, 0]
        np.testing.assert_allclose(np.load(out / 'b.npy'), np.full((60, 80), expected), rtol=1e-6)
        (folder / 'broken.png').write_bytes(b'nothing')
        assert command(kind, bridge.port, folder, '-o', out, '--fov', 60, '--format', 'png') == 1
        said = capsys.readouterr()
        assert 'broken: ' in said.err and 'wrote       3 of 4' in said.out
        assert cv2.imread(str(out / 'b.png'), cv2.IMREAD_UNCHANGED).dtype == np.uint16
        (folder / 'broken.png').unlink()
        assert command(kind, bridge.port, folder, '-o', tmp_path / 'few', '--fov', 60,
                       '--every', 3) == 0
        assert len(list((tmp_path / 'few').iterdir())) == 1


def test_a_video_becomes_a_folder_with_progress(tmp_path, capsys, monkeypatch):
    clip, out = tmp_path / 'clip.avi', tmp_path / 'out'
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*'MJPG'), 10, (80, 60))
    for value in range(7):
        writer.write(np.full((60, 80, 3), 30 * value, np.uint8))
    writer.release()
    monkeypatch.setattr('sys.stderr.isatty', lambda: True, raising=False)
    with running(TcpBridge(port=0), kind=DepthKind.METRIC) as bridge:
        assert command('tcp', bridge.port, clip, '-o', out, '--fov', 60, '--every', 2) == 0
        said = capsys.readouterr()
        assert '4/4  100 %' in said.err
    assert sorted(path.name for path in out.iterdir()) == [
        f'frame_{number:06d}.npy' for number in (0, 2, 4, 6)]
    depths = [np.load(path).mean() for path in sorted(out.iterdir())]
    assert depths == sorted(depths) and depths[-1] > depths[0] + 100


def test_many_pictures_and_what_cannot_be_done(folder, tmp_path, capsys):
    with running(TcpBridge(port=0), kind=DepthKind.METRIC) as bridge:
        port = bridge.port
        assert command('tcp', port, folder) == 2
        assert 'nothing to write' in capsys.readouterr().err
        assert command('tcp', port, folder, '-o', folder / 'b.png') == 2
        assert 'is no folder' in capsys.readouterr().err
        assert command('tcp', port, folder, '-o', tmp_path / 'x', '--every', 0) == 2
        assert command('tcp', port, folder, '-o', tmp_path / 'x', '--preview', tmp_path / 'x',
                       '--format', 'png') == 2
        assert 'need two folders' in capsys.readouterr().err
        (tmp_path / 'none').mkdir()
        assert command('tcp', port, tmp_path / 'none', '-o', tmp_path / 'x') == 2
        assert 'no picture in' in capsys.readouterr().err
        (tmp_path / 'clip.mp4').write_bytes(b'nothing')
        assert command('tcp', port, tmp_path / 'clip.mp4', '-o', tmp_path / 'x') == 2
        assert 'is not a video' in capsys.readouterr().err
    assert command('tcp', port, folder, '-o', tmp_path / 'x') == 2
    assert 'no server at' in capsys.readouterr().err


def test_a_busy_server_is_asked_again():
    answers = iter([Busy('busy'), Busy('busy'), 'result'])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    slept = []
    assert patiently(ask, 10, slept.append) == 'result'
    assert slept == [0.05, 0.1]

    def never():
        raise Busy('busy')

    with pytest.raises(Busy):
        patiently(never, 10, slept.append)
    assert 8 < sum(slept) <= 10.2
