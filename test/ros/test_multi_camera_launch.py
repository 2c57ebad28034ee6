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

import ast

from launch_parts import launched, needs_launch, ROOT
import pytest

LAUNCH = ROOT / 'launch' / 'multi_camera.launch.py'


def functions(*names):
    """Return functions of the launch file, which need no launch to run."""
    wanted = [node for node in ast.parse(LAUNCH.read_text()).body
              if isinstance(node, ast.FunctionDef) and node.name in names]
    scope = {}
    exec(compile(ast.Module(wanted, []), str(LAUNCH), 'exec'), scope)
    return [scope[name] for name in names]


topics, = functions('split', 'topics')[1:]


@pytest.mark.parametrize('given, expected', [
    ('', []), ('/{camera}/image_raw', ['/front/image_raw', '/left/image_raw']),
    ('/a/image, /b/image', ['/a/image', '/b/image'])])
def test_topics_by_pattern_or_one_by_one(given, expected):
    assert topics(given, ['front', 'left'], 'image_topics') == expected


@pytest.mark.parametrize('given', ['/a/image', '/a,/b,/c', '/{camera}/a,/{camera}/b,/c'])
def test_a_wrong_number_of_topics_is_refused(given):
    with pytest.raises(ValueError, match='image_topics has .* for 2 camera.*{camera}'):
        topics(given, ['front', 'left'], 'image_topics')


@needs_launch
def test_the_cameras_are_launched_on_one_model():
    import rclpy
    from ros_parts import ros_context, wait_until
    from sensor_msgs.msg import PointCloud2
    with launched(
            'multi_camera.launch.py', 'model:=da3-tiny', 'device:=cpu', 'process_res:=140',
            'namespace:=robot', 'cameras:=front,rear',
            'image_topics:=/{camera}_cam/image_raw') as said, ros_context() as context:
        node = rclpy.create_node('looker', context=context)
        for camera in ('front', 'rear'):
            node.create_subscription(PointCloud2, f'/robot/{camera}/depth/points', print, 1)
            assert wait_until(
                lambda camera=camera: node.count_subscribers(f'/{camera}_cam/image_raw'), 60)
            assert wait_until(
                lambda camera=camera: node.count_subscribers(f'/{camera}_cam/camera_info'))
    out, = said
    assert out.count('loaded da3-tiny') == 1, out
    assert 'process has finished cleanly' in out, out
