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

"""The estimate verb: files, refusals, exit codes."""

import cv2
from depth_anything_ros.cli import main
from depth_anything_ros.cli import picture as picture_files
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.result import DepthResult, ScaleLaw
from depth_anything_ros.errors import ConfigError
import numpy as np
import pytest


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8))
    return path


def command(*arguments):
    return main.main(['estimate', *(str(item) for item in arguments),
                      '--model', 'da3-tiny', '--device', 'cpu'])


def test_a_picture_becomes_depth_preview_and_cloud(picture, tmp_path, capsys, caplog):
    depth, preview, ply = (tmp_path / name for name in ('depth.npy', 'depth.png', 'cloud.ply'))
    assert command(picture, '--fov', 60, '-o', depth, '--preview', preview, '--ply', ply) == 0
    values = np.load(depth)
    assert values.shape == (90, 120) and values.dtype == np.float32
    assert np.nanmin(values) > 0
    assert cv2.imread(str(preview)).shape == (90, 120, 3)
    head = ply.read_bytes()[:200].decode('ascii', 'replace')
    assert f'element vertex {np.isfinite(values).sum()}\n' in head
    said = capsys.readouterr().out
    assert 'da3-tiny on cpu, fp32' in said and 'from fov' in said and 'note' not in said
    assert 'demos and tests' in caplog.text


def test_intrinsics_on_the_command_line_are_those_of_the_picture(picture, tmp_path, capsys):
    depth = tmp_path / 'depth.npz'
    assert command(picture, '--intrinsics', 100, 110, 60, 45, '-o', depth) == 0
    np.testing.assert_allclose(np.load(depth)['K'], [[100, 0, 60], [0, 110, 45], [0, 0, 1]])


@pytest.mark.parametrize(('arguments', 'text'), [
    (['missing.png', '--fov', '60'], 'no such file'),
    (['PICTURE'], 'metric depth needs a focal length'),
    (['PICTURE', '--fov', '190'], 'must be 0 or in [0.01, 180)'),
    (['PICTURE', '--fov', '60', '-o', 'depth.exr'], 'accepted: .npy, .npz, .png'),
    (['TEXT', '--fov', '60'], 'not a picture'),
    (['PICTURE', '--fov', '60', '--preview', 'depth.xyz'], 'cannot write a picture'),
])
def test_what_cannot_be_done_is_said_with_exit_code_2(
        picture, tmp_path, capsys, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'text.png').write_text('not a picture')
    names = {'PICTURE': str(picture), 'TEXT': 'text.png'}
    assert command(*(names.get(item, item) for item in arguments)) == 2
    assert text in capsys.readouterr().err


def test_sixteen_bit_depth_is_clipped_and_zero_where_invalid(tmp_path):
    depth = np.array([[1.0, np.nan], [70.0, 0.0004]], np.float32)
    frame = Frame(np.zeros((2, 2, 3), np.uint8))
    camera = Intrinsics.from_fov(60, 2, 2)
    path = tmp_path / 'depth.png'
    picture_files.write_depth(
        path, DepthResult(frame, depth, ScaleLaw(DepthKind.METRIC), 'given', camera))
    np.testing.assert_array_equal(
        cv2.imread(str(path), cv2.IMREAD_UNCHANGED), [[1000, 0], [65535, 0]])
    with pytest.raises(ConfigError, match='relative'):
        picture_files.write_depth(
            path, DepthResult(frame, depth, ScaleLaw(DepthKind.RELATIVE), 'given', camera))
