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

from __future__ import annotations

import ast
from pathlib import Path
import re
from typing import Any, Iterator

from depth_anything_ros.loading import flatten
from depth_anything_ros.settings import changed, describe, Settings
import pytest
import yaml

ROOT = Path(__file__).parents[1]
RECIPES = sorted((ROOT / 'docs' / 'recipes').glob('*.md'))
CONSUMERS = [path for path in RECIPES if path.name != 'README.md']
TOPICS = {
    'depth/image', 'depth/image_raw', 'depth/camera_info', 'depth/points', 'depth/preview',
    'depth/relative', 'depth/scan', 'color/image', 'color/camera_info', 'confidence/image',
    'sky/mask', 'camera_info/estimated'}
WHOLE_NUMBERS = {
    'z_voxels', 'mark_threshold', 'combination_method', 'decay_model', 'voxel_min_points',
    'model_type', 'num_cameras', 'scan_height', 'port', 'max_qos_depth', 'qos',
    'sync_queue_size', 'topic_queue_size', 'stride'}
"""The integer parameters of the consumers; all their other numbers are declared as doubles."""


def fenced(path: Path, language: str) -> list[str]:
    return re.findall(rf'^```{language}\n(.*?)^```', path.read_text(), re.MULTILINE | re.DOTALL)


def numbers(tree: Any) -> Iterator[tuple[str, int | float]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from numbers(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield key, value


def snippets() -> list[Any]:
    return [pytest.param(text, id=f'{path.stem}-{i}')
            for path in RECIPES for i, text in enumerate(fenced(path, 'yaml'))]


def test_every_consumer_has_a_recipe_and_the_list_links_to_it() -> None:
    names = {path.stem for path in CONSUMERS}
    assert names >= {'rviz2', 'nav2', 'rtabmap', 'nvblox', 'octomap', 'foxglove',
                     'depth_image_proc'}
    index = (ROOT / 'docs' / 'recipes' / 'README.md').read_text()
    for path in CONSUMERS:
        assert f']({path.name})' in index


@pytest.mark.parametrize('text', snippets())
def test_snippets_are_parameter_files(text: str) -> None:
    tree = yaml.safe_load(text)
    assert 'ros__parameters:' in text
    for key, value in numbers(tree):
        assert isinstance(value, int if key in WHOLE_NUMBERS else float), f'{key}: {value}'


@pytest.mark.parametrize('text', snippets())
def test_what_is_given_to_our_own_node_is_accepted_by_it(text: str) -> None:
    for name, node in yaml.safe_load(text).items():
        if name.endswith('depth_anything'):
            given = flatten(node['ros__parameters'])
            changed(Settings(), {
                key: value for key, value in given.items()
                if not key.startswith('qos_overrides.')})


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_recipes_name_topics_parameters_and_arguments_that_exist(path: Path) -> None:
    text = path.read_text()
    for topic in re.findall(r'`(?:/front/)?(depth/\w+)`', text):
        assert topic in TOPICS, topic
    for topic in re.findall(r'/front/(depth/\w+)', text):
        assert topic in TOPICS, topic
    known = {item.name for item in describe()}
    for name in re.findall(r'`((?:model|depth|camera|node|points|sky|mount|scan)\.\w+)', text):
        assert name in known or name == 'depth.launch', name
    arguments = launch_arguments()
    for command in re.findall(r'ros2 launch depth_anything_ros depth\.launch\.py((?:\\\n|.)*)',
                              text):
        for name in re.findall(r'(\w+):=', command):
            assert name in arguments, name


def launch_arguments() -> set[str]:
    source = (ROOT / 'launch' / 'depth.launch.py').read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) \
                and getattr(node.targets[0], 'id', '') == 'ARGUMENTS':
            return {str(ast.literal_eval(key)) for key in node.value.keys if key is not None}
    raise AssertionError('launch/depth.launch.py has no table of ARGUMENTS any more')


@pytest.mark.parametrize('path', CONSUMERS, ids=lambda path: path.stem)
def test_each_recipe_lists_topic_frame_qos_units_and_traps(path: Path) -> None:
    text = path.read_text()
    header = next(line for line in text.splitlines() if line.startswith('|'))
    for column in ('topic', 'frame', 'QoS', 'unit'):
        assert column in header, f'{path.name} has no column {column}'
    assert '## Traps' in text and 'Checked against' in text
    assert all(len(line) <= 110 or line.startswith('|') for line in text.splitlines())


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_links_between_recipes_lead_somewhere(path: Path) -> None:
    for target in re.findall(r'\]\(([^)#]+)', path.read_text()):
        assert (path.parent / target).is_file(), target
