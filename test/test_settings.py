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

"""The settings schema, files and environment."""

import ast
from pathlib import Path

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.loading import from_environment, from_yaml, parse
from depth_anything_ros.settings import changed, describe, lookup, Settings, values
from parameter_tests import TESTS
import pytest

HERE = Path(__file__).parent


def test_every_setting_has_a_text_and_a_default_that_it_accepts():
    for item in describe():
        assert item.text.endswith('.'), item.name
        assert item.check(item.default) == item.default


def test_every_text_can_be_read_alone():
    # As ``ros2 param describe`` shows it: without the one before.
    texts = [item.text for item in describe()]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert not text.startswith(('Its ', 'The same', 'Likewise')), text


def test_a_change_makes_a_new_snapshot():
    old = Settings()
    new = changed(old, {'depth.maximum': 50, 'model.name': 'da3-small'})
    assert new.depth.maximum == 50.0 and isinstance(new.depth.maximum, float)
    assert new.model.name == 'da3-small'
    assert old.depth.maximum == 200.0
    assert values(new)['depth.maximum'] == 50.0


@pytest.mark.parametrize(('change', 'text'), [
    ({'depth.maximun': 5.0}, r"did you mean 'depth.maximum'"),
    ({'nonsense': 5.0}, 'not a known setting'),
    ({'depth.maximum': 'far'}, 'must be float, seen str'),
    ({'depth.maximum': True}, 'must be float, seen bool'),
    ({'depth.process_res': 5.5}, 'must be int, seen float'),
    ({'depth.maximum': float('nan')}, 'from 0.01 to 100000 m'),
    ({'depth.maximum': -1.0}, 'from 0.01 to 100000 m; seen -1.0'),
    ({'camera.pairing': 'nearest'}, 'one of exact, latest'),
    ({'cameras': 'front'}, "cameras must be a list of text, seen 'front'"),
    ({'cameras': [1]}, 'must be a list of text'),
    ({'cameras': ['front', '']}, "has ''; accepted: letters, digits and _"),
    ({'cameras': ['2nd']}, "has '2nd'"), ({'cameras': ['a/b']}, "has 'a/b'"),
    ({'cameras': ['a', 'b', 'a']}, 'has a more than once; accepted: each once'),
    ({'depth.minimum': 10.0, 'depth.maximum': 5.0}, 'must be smaller'),
])
def test_what_is_not_accepted_is_refused_with_a_reason(change, text):
    with pytest.raises(ConfigError, match=text):
        changed(Settings(), change)


def test_the_environment_sets_what_has_a_variable():
    settings = from_environment(Settings(), {
        'DEPTH_ANYTHING_DEVICE': 'cpu', 'DEPTH_ANYTHING_TUNE_MALLOC': 'off',
        'DEPTH_ANYTHING_MODEL': ''})
    assert settings.model.device == 'cpu'
    assert settings.process.tune_malloc is False
    assert settings.model.name == Settings().model.name
    with pytest.raises(ConfigError, match="seen 'maybe'"):
        from_environment(Settings(), {'DEPTH_ANYTHING_TUNE_MALLOC': 'maybe'})


@pytest.mark.parametrize('text', [
    'depth: {maximum: 50}\nmodel:\n  name: da3-small\n',
    '/**:\n  ros__parameters:\n    depth: {maximum: 50}\n    model.name: da3-small\n',
])
def test_yaml_in_both_forms(tmp_path, text):
    path = tmp_path / 'settings.yaml'
    path.write_text(text)
    settings = from_yaml(Settings(), path)
    assert settings.depth.maximum == 50.0 and settings.model.name == 'da3-small'


@pytest.mark.parametrize(('text', 'reason'), [
    ('- 1\n', 'must hold a mapping'), ('a: [\n', 'cannot read'),
    ('depth: {maximum: far}\n', 'must be float'), ('dept: {maximum: 1.0}\n', 'not a known'),
])
def test_bad_yaml_is_refused(tmp_path, text, reason):
    path = tmp_path / 'settings.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        from_yaml(Settings(), path)
    with pytest.raises(ConfigError, match='cannot read'):
        from_yaml(Settings(), tmp_path / 'missing.yaml')


def test_a_list_of_names_from_everywhere(tmp_path):
    assert changed(Settings(), {'cameras': ['front', 'left']}).cameras == ('front', 'left')
    path = tmp_path / 'settings.yaml'
    path.write_text('/**: {ros__parameters: {cameras: [front, left]}}\n')
    assert from_yaml(Settings(), path).cameras == ('front', 'left')
    path.write_text('cameras: []\n')
    assert from_yaml(Settings(), path) == Settings()
    assert parse(lookup('cameras'), 'front, left') == ('front', 'left')


def functions_of(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
            if isinstance(node, ast.FunctionDef)}


def test_every_parameter_has_a_test_in_which_it_changes_an_output():
    parameters = {item.name for item in describe() if not item.name.startswith('process.')}
    missing, gone = parameters - set(TESTS), set(TESTS) - parameters
    assert not missing, f'test/parameter_tests.py has no line for {sorted(missing)}'
    assert not gone, f'test/parameter_tests.py has lines for settings that are gone: {gone}'


@pytest.mark.parametrize('name', TESTS)
def test_the_test_of_a_parameter_exists_and_names_it(name):
    file, _, function = TESTS[name].partition('::')
    text = (HERE / file).read_text(encoding='utf-8')
    assert function.startswith('test_') and function in functions_of(HERE / file)
    # In full, as a keyword, or by the last part where the group is put in front by a helper.
    assert any(word in text for word in (name, name.replace('.', '__'), name.split('.')[-1]))
