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

"""The launched node by the real ``ros2 launch``, and what rviz is told to show."""

import re

from depth_anything_ros.settings import lookup
from launch_parts import launched, needs_launch, ROOT
import pytest
import yaml

FILES = ('depth.launch.py', 'multi_camera.launch.py', 'demo.launch.py')


@pytest.mark.parametrize('file', FILES)
def test_the_parameters_it_sets_exist(file):
    text = (ROOT / 'launch' / file).read_text()
    for name, kind in re.findall(r"\('(\w+\.\w+)', (\w+)\)", text):
        assert type(lookup(name).default).__name__ == kind


@needs_launch
@pytest.mark.parametrize('interrupts', [1, 2])
def test_a_launched_node_works_and_ends_cleanly(interrupts):
    import rclpy
    from ros_parts import ros_context, wait_until
    from sensor_msgs.msg import PointCloud2
    with launched(
            'depth.launch.py', 'model:=da3-tiny', 'device:=cpu', 'namespace:=robot',
            'image_topic:=/front/image_raw', 'process_res:=140',
            interrupts=interrupts) as said, ros_context() as context:
        node = rclpy.create_node('looker', context=context)
        # The camera is subscribed to while somebody reads an output.
        node.create_subscription(PointCloud2, '/robot/depth/points', print, 1)
        assert wait_until(lambda: node.count_subscribers('/front/image_raw') == 1, 60)
        assert wait_until(lambda: node.count_subscribers('/front/camera_info') == 1)
        assert wait_until(lambda: node.count_publishers('/robot/depth/points') == 1)
    assert 'process has finished cleanly' in said[0], said[0]


@needs_launch
def test_the_demo_gives_depth_in_a_namespace_from_a_file_of_parameters(tmp_path):
    from ros_parts import Rig, ros_context, wait_until
    from sensor_msgs.msg import CameraInfo, Image
    path = tmp_path / 'given.yaml'
    path.write_text('/**:\n  ros__parameters:\n    depth: {output_size: model}\n')
    with launched(
            'demo.launch.py', 'namespace:=robot', 'image_topic:=front/image', 'device:=cpu',
            'process_res:=140', f'params_file:={path}') as said, ros_context() as context:
        rig = Rig(context, namespace='/robot', topics={
            'depth/image': Image, 'depth/camera_info': CameraInfo, 'front/image': Image})
        try:
            assert wait_until(lambda: all(rig.got.values()), 90), rig.seen()
            depth = next(iter(rig.got['depth/image'].values()))
            image = next(iter(rig.got['front/image'].values()))
            assert (image.width, depth.width) == (640, 140)
        finally:
            rig.close()
    assert said[0].count('process has finished cleanly') == 2, said[0]


def test_the_rviz_view_shows_what_the_node_publishes():
    view = yaml.safe_load((ROOT / 'config' / 'depth_anything.rviz').read_text())
    manager = view['Visualization Manager']
    assert manager['Global Options']['Fixed Frame'] == 'camera_optical_frame'
    displays = {item['Topic']['Value']: item for item in manager['Displays'] if 'Topic' in item}
    assert set(displays) == {'/depth/points', '/image', '/depth/image', '/depth/preview'}
    cloud = displays['/depth/points']
    assert cloud['Class'] == 'rviz_default_plugins/PointCloud2'
    assert cloud['Color Transformer'] == 'RGB8'
    for topic in ('/image', '/depth/image', '/depth/preview'):
        assert displays[topic]['Normalize Range'] is True
    for topic, item in displays.items():
        reliable = 'Best Effort' if topic == '/image' else 'Reliable'
        assert item['Topic']['Reliability Policy'] == reliable
    outputs = (ROOT / 'depth_anything_ros' / 'ros' / 'outputs.py').read_text()
    for topic in set(displays) - {'/image'}:
        assert f"'{topic[1:]}'" in outputs
