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

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.loading import flatten
from depth_anything_ros.ros.parameters import Parameters, parameters
from depth_anything_ros.settings import changed, Settings, values
import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter
from ros_parts import HERE, ros_context
import yaml

pytestmark = pytest.mark.ros
CONFIG = HERE.parents[1] / 'config'


@pytest.fixture(scope='module')
def context():
    with ros_context() as context:
        yield context


@pytest.fixture
def make(context):
    nodes = []

    def make(*arguments, base=None, on_change=lambda settings: None):
        node = Node('parameters', context=context, use_global_arguments=False,
                    cli_args=['--ros-args', *arguments] if arguments else None)
        nodes.append(node)
        return node, Parameters(node, base or Settings(), on_change)

    yield make
    for node in nodes:
        node.destroy_node()


def plain(parameter):
    if parameter.type_ == Parameter.Type.STRING_ARRAY:
        return tuple(parameter.value)
    return parameter.value


def test_every_parameter_is_declared_with_what_is_known(make):
    node, _ = make()
    for item in parameters():
        assert plain(node.get_parameter(item.name)) == item.default
        descriptor = node.describe_parameter(item.name)
        assert item.text in descriptor.description and descriptor.read_only == item.read_only
        for choice in item.choices:
            assert choice in descriptor.additional_constraints
        ranges = list(descriptor.floating_point_range) + list(descriptor.integer_range)
        assert bool(ranges) == (item.low is not None)
        for limits in ranges:
            assert (limits.from_value, limits.to_value) == (item.low, item.high)


def test_the_command_line_wins(make):
    base = changed(Settings(), {'depth.maximum': 10.0, 'depth.minimum': 0.5})
    _, given = make('-p', 'depth.maximum:=20.0', '-p', 'model.name:=da3-tiny', base=base)
    assert given.settings.depth.maximum == 20
    assert given.settings.depth.minimum == 0.5
    assert given.settings.model.name == 'da3-tiny'


def test_a_whole_number_is_a_float_too(make):
    node, given = make('-p', 'depth.maximum:=20')
    assert given.settings.depth.maximum == 20.0
    assert node.get_parameter('depth.maximum').type_ == Parameter.Type.DOUBLE


@pytest.mark.parametrize('given, words', [
    ('depth.maximun:=5.0', "did you mean 'depth.maximum'"),
    ('depth.maximum:=-1.0', 'from 0.01 to 100000 m'), ('depth.maximum:=far', 'must be float'),
    ('camera.pairing:=fuzzy', 'one of exact, latest'),
    ("cameras:=['']", "has ''; accepted: letters, digits"),
    ('cameras:=[a, a]', 'has a more than once'), ('cameras:=front', "list of text, seen 'front'"),
    ('process.tune_malloc:=false', 'DEPTH_ANYTHING_TUNE_MALLOC')])
def test_what_is_refused_at_start(make, given, words):
    with pytest.raises(ConfigError, match=words):
        make('-p', given)


@pytest.mark.parametrize('arguments, cameras', [
    ([], ()), (['-p', 'cameras:=[]'], ()), (['-p', 'cameras:=[front]'], ('front',)),
    (['-p', 'cameras:=[front, left_2]'], ('front', 'left_2'))])
def test_a_list_of_names(make, arguments, cameras):
    node, given = make(*arguments)
    assert given.settings.cameras == cameras
    assert plain(node.get_parameter('cameras')) == cameras
    descriptor = node.describe_parameter('cameras')
    assert descriptor.type == Parameter.Type.STRING_ARRAY.value and descriptor.read_only
    result, = node.set_parameters([Parameter('cameras', value=['rear'])])
    assert not result.successful and 'read-only' in result.reason


@pytest.mark.parametrize('mode', ['nan', 'inf', 'far'])
def test_a_choice_that_looks_like_a_number_is_a_text(make, mode):
    node, given = make('-p', f'sky.mode:={mode}')
    assert given.settings.sky.mode == node.get_parameter('sky.mode').value == mode


def test_what_belongs_to_ros_is_not_refused(make):
    make('-p', 'use_sim_time:=true', '-p', 'qos_overrides./image.subscription.depth:=2')


def test_a_change_makes_a_new_snapshot(make):
    told = []
    node, given = make(on_change=told.append)
    before = given.settings
    result = node.set_parameters_atomically([
        Parameter('depth.minimum', value=300.0), Parameter('depth.maximum', value=400.0)])
    assert result.successful and told == [given.settings]
    assert (given.settings.depth.minimum, given.settings.depth.maximum) == (300, 400)
    assert before == Settings()


@pytest.mark.parametrize('name, value, words', [
    ('depth.minimum', 300.0, 'must be smaller than depth.maximum'),
    ('camera.pairing', 'fuzzy', 'one of exact, latest'),
    ('depth.maximum', 1e9, 'depth.maximum'), ('model.name', 'da3-tiny', 'read-only'),
    ('depth.maximum', 'far', 'type')])
def test_a_refused_change_says_why_and_changes_nothing(make, name, value, words):
    node, given = make()
    result, = node.set_parameters([Parameter(name, value=value)])
    assert not result.successful and words in result.reason
    assert given.settings == Settings()
    assert node.get_parameter(name).value == values(Settings())[name]


def test_the_parameter_file_has_every_parameter_at_its_default(make):
    path = CONFIG / 'depth_anything.yaml'
    groups = yaml.safe_load(path.read_text())['/**']['ros__parameters']
    flat = {name: tuple(value) if isinstance(value, list) else value
            for name, value in flatten(groups).items()}
    assert flat == {item.name: item.default for item in parameters()}
    assert [type(value) for value in flat.values()] == [
        type(item.default) for item in parameters()]
    text = ' '.join(line.strip(' #') for line in path.read_text().splitlines())
    for item in parameters():
        assert item.text in text, f'{item.name}: the comment says something else'
    _, given = make('--params-file', str(path))
    assert given.settings == Settings()
