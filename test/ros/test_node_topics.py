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

import pytest
from ros_parts import node_here, Rig, ros_context, wait_until
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros


@pytest.fixture
def rig():
    with ros_context() as context:
        rig = Rig(context, topics={})
        try:
            yield rig
        finally:
            rig.close()


@pytest.mark.parametrize('arguments, image, info, output', [
    ([], '/image', '/camera_info', '/depth/image'),
    (['-r', 'image:=/cam/image_raw'], '/cam/image_raw', '/cam/camera_info', '/depth/image'),
    (['-r', '__ns:=/robot', '-r', 'image:=left/image_rect'], '/robot/left/image_rect',
     '/robot/left/camera_info', '/robot/depth/image'),
    (['-r', 'image:=/cam/image_raw', '-r', 'camera_info:=/calibration/info'], '/cam/image_raw',
     '/calibration/info', '/depth/image'),
    (['-r', 'image:=/cam/image_raw', '-r', '/cam/camera_info:=/calibration/info'],
     '/cam/image_raw', '/calibration/info', '/depth/image'),
    (['-r', 'depth/image:=metres'], '/image', '/camera_info', '/metres')])
def test_names(rig, arguments, image, info, output):
    with node_here(rig.node.context, *arguments) as node:
        rig.node.create_subscription(Image, output, print, 1)
        assert wait_until(lambda: node.state == 'active')
        assert wait_until(lambda: rig.node.count_subscribers(image) == 1)
        assert wait_until(lambda: rig.node.count_subscribers(info) == 1)
        assert wait_until(lambda: rig.node.count_publishers(output) == 1)
