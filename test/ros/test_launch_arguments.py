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

"""Every argument of every launch file has an effect: by the real ``ros2 launch``."""

import ast

from depth_anything_ros.process import choose_profile
from launch_parts import (
    launched,
    needs_launch,
    ROOT,
    shown_arguments,
    started,
    with_stand_ins,
)
import pytest

FILE = str(ROOT / 'config' / 'depth_anything.yaml')
OTHER = 'given.yaml'

# Of which process it changes what, when it is given: (process, what), argument, what it is then.
NODE = {
    'params_file': (OTHER, ('depth_node', 'param depth.maximum'), 33.0),
    'model': ('da3-base', ('depth_node', 'param model.name'), 'da3-base'),
    'device': ('cuda:1', ('depth_node', 'param model.device'), 'cuda:1'),
    'process_res': ('140', ('depth_node', 'param depth.process_res'), 140),
    'autostart': ('false', ('depth_node', 'param node.autostart'), False),
    'namespace': ('robot', ('depth_node', 'namespace'), '/robot'),
    'log_level': ('warn', ('depth_node', 'log_level'), 'warn'),
    'use_sim_time': ('true', ('depth_node', 'param use_sim_time'), True),
}
ONE_CAMERA = {
    **NODE,
    'image_topic': ('/cam/rgb', ('depth_node', 'remap image'), '/cam/rgb'),
    'camera_info_topic': ('/cal/info', ('depth_node', 'remap camera_info'), '/cal/info'),
    'rviz': ('true', ('rviz2', 'remap /depth/points'), 'depth/points'),
}
CASES = {
    'depth.launch.py': ONE_CAMERA,
    'multi_camera.launch.py': {
        **NODE,
        'cameras': ('a,b', ('depth_node', 'param cameras'), ['a', 'b']),
        'image_topics': ('/{camera}/rgb', ('depth_node', 'remap left/image'), '/left/rgb'),
        'camera_info_topics': (
            '/cal/a,/cal/b,/cal/c', ('depth_node', 'remap right/camera_info'), '/cal/c'),
        'image_transport': (
            'compressed', ('depth_node', 'param camera.image_transport'), 'compressed'),
    },
    'demo.launch.py': {
        **ONE_CAMERA,
        'source': ('video', ('demo_camera', 'param source'), 'video'),
        'path': ('a.mp4', ('demo_camera', 'param path'), 'a.mp4'),
        'room': ('5', ('demo_camera', 'param room'), 5),
        'rate': ('7', ('demo_camera', 'param rate'), 7.0),
        'fov_deg': ('80', ('demo_camera', 'param fov_deg'), 80.0),
    },
}
# What can be seen only in time, with the test of its own.
IN_TIME = {'respawn': 'test_a_node_that_ends_by_itself_is_started_again'}
EACH = [(file, argument) for file, cases in CASES.items() for argument in cases]
MISSING = object()


@pytest.fixture(scope='module')
def by_default(tmp_path_factory):
    """Return what each file starts when nothing is given, launched once."""
    known = {}

    def default(file):
        if file not in known:
            known[file] = started(file, folder=tmp_path_factory.mktemp('default'))[0]
        return known[file]
    return default


def declared(file):
    """Return the arguments that a launch file declares, as far as can be read without launch."""
    tree = ast.parse((ROOT / 'launch' / file).read_text())
    return {key.value for node in tree.body if isinstance(node, ast.Assign)
            and node.targets[0].id.endswith('ARGUMENTS') for key in node.value.keys}


def test_every_argument_is_among_the_cases():
    assert all(name in globals() for name in IN_TIME.values())
    for file, cases in CASES.items():
        included = declared('depth.launch.py') if file == 'demo.launch.py' else set()
        assert declared(file) | included == {*cases, *IN_TIME}


@needs_launch
@pytest.mark.parametrize('file', CASES)
def test_show_args(file):
    names, text = shown_arguments(file)
    assert sorted(names) == sorted([*CASES[file], *IN_TIME]), 'each once'
    assert f"(default: '{FILE}')" in text and 'No description given' not in text


@needs_launch
@pytest.mark.parametrize('file, argument', EACH)
def test_an_argument_has_an_effect(file, argument, by_default, tmp_path):
    given, (process, what), expected = CASES[file][argument]
    if given == OTHER:
        path = tmp_path / OTHER
        path.write_text('/**:\n  ros__parameters:\n    depth: {maximum: 33.0}\n')
        given = str(path)
    before = by_default(file).get(process, {}).get(what, MISSING)
    after, out = started(file, f'{argument}:={given}', folder=tmp_path)
    assert process in after, out
    assert after[process].get(what, MISSING) == expected != before


@needs_launch
@pytest.mark.parametrize('file', CASES)
def test_a_node_that_ends_by_itself_is_started_again(file, tmp_path):
    # Without it the launch is over when its processes are: every other test here waits for that.
    from ros_parts import wait_until
    with launched(file, 'respawn:=true', env=with_stand_ins(tmp_path)) as said:
        assert wait_until((tmp_path / 'depth_node.again').exists, 60)
    assert said[0].count('[depth_node-1]: process started') >= 2
    assert not (tmp_path / 'demo_camera.again').exists()


@needs_launch
def test_the_arguments_win_over_the_file_and_the_file_over_the_default(tmp_path):
    path = tmp_path / OTHER
    path.write_text('/**:\n  ros__parameters:\n    depth: {process_res: 252, maximum: 9.0}\n'
                    '    model: {name: da3-large}\n')
    node = started('depth.launch.py', f'params_file:={path}', 'model:=da3-tiny',
                   folder=tmp_path)[0]['depth_node']
    assert (node['param model.name'], node['param depth.process_res']) == ('da3-tiny', 252)
    assert node['files'][0] == str(path)


@needs_launch
def test_the_demo_camera_is_where_the_node_looks(tmp_path):
    out = started('demo.launch.py', 'namespace:=robot', 'image_topic:=front/image',
                  'log_level:=debug', 'use_sim_time:=true', folder=tmp_path)[0]
    camera, node = out['demo_camera'], out['depth_node']
    for what in ('namespace', 'remap image', 'log_level', 'param use_sim_time'):
        assert camera[what] == node[what], what
    assert camera['namespace'] == '/robot' and camera['remap image'] == 'front/image'
    assert camera['remap camera_info'] == 'front/camera_info'
    assert camera['remap ground_truth/depth'] == 'front/ground_truth/depth'
    assert camera['param optical_tf'] is False, 'static_transform_publisher does it'
    assert '--child-frame-id' in out['static_transform_publisher']['words']


@needs_launch
def test_without_tf2_ros_the_demo_camera_turns_its_frame_itself(tmp_path):
    out = started('demo.launch.py', 'camera_info_topic:=/cal/info', folder=tmp_path,
                  packages=('depth_anything_ros',))[0]
    assert set(out) == {'demo_camera', 'depth_node'}
    assert out['demo_camera']['param optical_tf'] is True
    assert out['demo_camera']['remap camera_info'] == out['depth_node']['remap camera_info']


@needs_launch
def test_rviz_is_in_the_nodes_namespace_with_its_topics(tmp_path):
    rviz = started('depth.launch.py', 'rviz:=true', 'namespace:=robot', 'image_topic:=/cam/rgb',
                   'use_sim_time:=true', folder=tmp_path)[0]['rviz2']
    assert rviz['namespace'] == '/robot' and rviz['remap /image'] == '/cam/rgb'
    assert rviz['remap /depth/preview'] == 'depth/preview' and rviz['param use_sim_time'] is True
    assert str(ROOT / 'config' / 'depth_anything.rviz') in rviz['words']


@needs_launch
@pytest.mark.parametrize('file', CASES)
def test_every_process_can_send_large_images(file, by_default, tmp_path):
    profile = str(choose_profile({})[0])
    assert profile.startswith(str(ROOT / 'config' / 'fastdds_large_'))
    for process in by_default(file).values():
        assert profile in (process.get('env FASTDDS_DEFAULT_PROFILES_FILE'),
                           process.get('env FASTRTPS_DEFAULT_PROFILES_FILE'))
    other, out = started(file, folder=tmp_path, DEPTH_ANYTHING_FASTDDS_PROFILE='0')
    assert 'fastdds_profile is switched off' in out
    assert 'env FASTDDS_DEFAULT_PROFILES_FILE' not in other['depth_node']


@needs_launch
@pytest.mark.parametrize('argument, words', [
    ('image_topics:=/a,/b', 'image_topics has 2 topic'), ('cameras:= ', 'cameras is empty')])
def test_what_does_not_fit_together_is_said(argument, words, tmp_path):
    processes, out = started('multi_camera.launch.py', argument, folder=tmp_path)
    assert words in out and not processes
