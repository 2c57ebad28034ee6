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

"""The reconstruct verb: files, what is said, refusals, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
from depth_anything_ros.cli import main
import numpy as np
import pytest


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f'photo_{index}.png' for index in range(2)]
    for index, path in enumerate(paths):
        picture = np.random.default_rng(index).integers(0, 256, (84, 112, 3), np.uint8)
        cv2.imwrite(str(path), picture)
    return paths


def command(*arguments: Any, model: str = 'da3-tiny') -> int:
    return main.main(['reconstruct', *(str(item) for item in arguments),
                      '--model', model, '--device', 'cpu'])


def test_a_picture_becomes_files(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    glb, ply, npz = (tmp_path / f'scene.{ending}' for ending in ('glb', 'ply', 'npz'))
    assert command(pictures[0], '-o', glb, '-o', ply, '-o', npz, '--num-max-points', 500) == 0
    said = capsys.readouterr().out
    assert '500 of' in said and 'from 1 picture(s) of 168x126' in said
    assert 'field of view of 60 degrees is assumed' in said
    with np.load(npz) as arrays:
        assert arrays['points'].shape == (500, 3)
        assert json.loads(str(arrays['metadata']))['unit'] == 'm'
    assert b'camera_0' in glb.read_bytes() and ply.read_bytes()[:3] == b'ply'


def test_flags_change_the_scene(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    glb = tmp_path / 'scene.glb'
    assert command(pictures[0], '-o', glb, '--fov', 70, '--no-cameras', '--process-res', 112,
                   '--voxel-size', 0.2) == 0
    said = capsys.readouterr().out
    assert '112x84' in said and 'assumed' not in said
    assert b'camera_0' not in glb.read_bytes()


@pytest.mark.parametrize(('count', 'output', 'words'), [
    (2, 'scene.glb', 'reconstructs from one image only, seen 2; several need an any-view'),
    (1, 'scene.obj', "cannot be written as '.obj'; accepted: .glb, .ply, .npz")])
def test_refusals(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int,
    output: str, words: str,
) -> None:
    assert command(*pictures[:count], '-o', tmp_path / output) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / output).exists()
