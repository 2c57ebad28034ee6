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

"""Where weights are looked for, and what is said when they are not there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from depth_anything_ros.engine.hub import cached
from depth_anything_ros.engine.weights import BUNDLED, locate
from depth_anything_ros.errors import MissingDependency, ModelLoadFailed, UnknownModel
import pytest


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / 'hub'
    monkeypatch.setenv('HF_HUB_CACHE', str(cache))
    return cache


def put(cache: Path, repo: str, name: str = 'model.safetensors') -> Path:
    folder = cache / ('models--' + repo.replace('/', '--'))
    (folder / 'refs').mkdir(parents=True)
    (folder / 'refs' / 'main').write_text('abc123')
    file = folder / 'snapshots' / 'abc123' / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b'')
    return file


def test_the_bundled_model_is_found() -> None:
    found = locate('da3-tiny')
    assert found.model.name == 'da3-tiny'
    assert found.path == BUNDLED / 'da3-tiny' / 'model.safetensors'
    assert found.path.stat().st_size <= 8 * 1024 * 1024


def test_the_hubs_cache_is_read_without_its_library(hub_cache: Path) -> None:
    file = put(hub_cache, 'depth-anything/DA3-LARGE-1.1')
    assert locate('da3-large').path == file
    assert locate('depth-anything/DA3-LARGE-1.1').path == file
    assert cached('depth-anything/DA3-LARGE-1.1', 'other') is None


@pytest.mark.parametrize(('variable', 'rest'), [
    ('HF_HUB_CACHE', ''), ('HF_HOME', 'hub'), ('XDG_CACHE_HOME', 'huggingface/hub')])
def test_the_hubs_own_variables_say_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, rest: str,
) -> None:
    for name in ('HF_HUB_CACHE', 'HF_HOME', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / 'there'))
    file = put(tmp_path / 'there' / rest, 'depth-anything/DA3-SMALL')
    assert locate('da3-small').path == file


def test_missing_weights_say_what_to_do_offline() -> None:
    with pytest.raises(ModelLoadFailed) as caught:
        locate('da3metric-large')
    text = str(caught.value)
    for part in ('depth-anything models --download da3metric-large', 'config.json',
                 'model.safetensors', 'depth-anything/DA3METRIC-LARGE'):
        assert part in text


@pytest.mark.skipif(
    importlib.util.find_spec('huggingface_hub') is not None, reason='the library is installed')
def test_a_download_without_its_library_names_the_extra() -> None:
    with pytest.raises(MissingDependency, match=r'depth_anything_ros\[hub\]'):
        locate('da3-small', download=True)


def test_unknown_names_get_the_nearest_one() -> None:
    with pytest.raises(UnknownModel, match="did you mean 'da3-small'"):
        locate('da3_smal')
    with pytest.raises(ModelLoadFailed, match='does not exist'):
        locate('./nowhere')
    with pytest.raises(ModelLoadFailed, match='does not exist'):
        locate('nowhere.safetensors')


@pytest.mark.parametrize('suffix', ['.pt', '.pth', '.bin', '.ckpt'])
def test_pickles_are_refused_with_the_reason(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / ('model' + suffix)
    file.write_bytes(b'x')
    with pytest.raises(ModelLoadFailed, match='can run any code'):
        locate(str(file), architecture='da3-small')


def test_other_files_and_empty_directories_are_refused(tmp_path: Path) -> None:
    (tmp_path / 'model.onnx').write_bytes(b'x')
    with pytest.raises(ModelLoadFailed, match='not a .safetensors file'):
        locate(str(tmp_path / 'model.onnx'))
    with pytest.raises(ModelLoadFailed, match=r'holds no model.safetensors; it holds: hub?.*'):
        (tmp_path / 'hub').mkdir()
        locate(str(tmp_path))


@pytest.mark.parametrize(('config', 'words'), [
    (None, 'there is no config.json'),
    ('{', 'cannot be read as JSON'),
    ('[]', 'has no "model_name"'),
    ('{"model_name": 3}', 'has no "model_name"'),
    ('{"model_name": "da4-huge"}', "'da4-huge' is not a known model"),
])
def test_a_file_needs_a_config_or_an_architecture(
    tmp_path: Path, config: str | None, words: str,
) -> None:
    file = tmp_path / 'mine.safetensors'
    file.write_bytes(b'')
    if config is not None:
        (tmp_path / 'config.json').write_text(config)
    with pytest.raises(ModelLoadFailed, match=words) as caught:
        locate(str(file))
    assert 'architecture' in str(caught.value)
    assert locate(str(file), architecture='da3-base').model.name == 'da3-base'


def test_an_architecture_may_not_contradict_a_model_name() -> None:
    with pytest.raises(ModelLoadFailed, match='contradicts'):
        locate('da3-tiny', architecture='da3-small')
