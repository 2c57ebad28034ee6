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

import importlib.util
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location('generate', ROOT / 'docs' / 'generate.py')
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)

DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in (
    ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')))
LARGEST_PICTURE = 300_000


def text_of(name):
    return (ROOT / name).read_text(encoding='utf-8')


@pytest.mark.parametrize('name', generate.DOCUMENTS)
def test_generated_parts_are_what_the_code_says(name):
    assert text_of(name) == generate.generated(text_of(name)), 'run: python docs/generate.py'


def test_every_part_is_in_a_document():
    everything = ''.join(text_of(name) for name in generate.DOCUMENTS)
    for part in generate.PARTS:
        begins = everything.count(f'<!-- begin {part} -->')
        assert begins >= 1
        assert everything.count(f'<!-- end {part} -->') == begins


def test_a_changed_table_is_noticed():
    text = text_of('README.md')
    assert generate.generated(text.replace('`da3-small`', '`da3-other`', 1)) == text


@pytest.mark.parametrize('name', DOCUMENTS)
def test_links_lead_somewhere(name):
    for target in re.findall(r'\]\(([^)#]+)', text_of(name)):
        if '://' not in target:
            assert (ROOT / name).parent.joinpath(target).exists(), target


def test_pictures_are_small_and_used():
    everything = ''.join(text_of(name) for name in DOCUMENTS)
    for path in (ROOT / 'docs' / 'images').iterdir():
        assert path.stat().st_size < LARGEST_PICTURE, path
        assert path.name in everything, path


@pytest.mark.parametrize('name', DOCUMENTS)
def test_files_that_are_named_are_there(name):
    for target in re.findall(r'(?:scripts|config|launch|requirements)/[\w./]+\w', text_of(name)):
        assert (ROOT / target).exists(), target


def test_launch_arguments_are_listed():
    listed = text_of('docs/topics-parameters-services.md')
    for file in ('depth', 'demo'):
        source = text_of(f'launch/{file}.launch.py')
        row = listed[listed.index(f'- `{file}.launch.py`'):].split('\n- ')[0].split('\n\n')[0]
        arguments = re.findall(r"^    '(\w+)': \(", source, re.MULTILINE)
        assert len(arguments) > 5
        for argument in arguments:
            assert f'`{argument}`' in row, (file, argument)
