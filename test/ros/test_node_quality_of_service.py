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
from rclpy.qos import QoSProfile, ReliabilityPolicy
from ros_parts import (
    camera_info,
    coded_image,
    node_here,
    plane_depth,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)
from sensor_msgs.msg import Image, PointCloud2

pytestmark = pytest.mark.ros
RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
CAMERA = small_camera(32, 24)
INPUTS, OUTPUT = ('/image', '/camera_info'), '/depth/points'


@pytest.fixture
def rig():
    with ros_context() as context:
        rig = Rig(context, topics={'depth/points': PointCloud2})
        try:
            yield rig
        finally:
            rig.close()


def profiles(rig, *arguments, **settings):
    """Return the profiles of image, camera_info and cloud that a node with these settings has."""
    with node_here(rig.node.context, *arguments, **settings) as node:
        # By event and best effort, so that the camera is wanted whatever the publisher offers.
        rig.node.create_subscription(
            Image, 'depth/image', print, QoSProfile(depth=1, reliability=BEST_EFFORT))
        assert wait_until(lambda: node.state == 'active')
        for topic in INPUTS:
            assert wait_until(lambda topic=topic: rig.node.count_subscribers(topic) == 1)
        assert wait_until(lambda: rig.node.count_publishers(OUTPUT) == 1)
        return [*(rig.node.get_subscriptions_info_by_topic(topic)[0].qos_profile
                  for topic in INPUTS),
                rig.node.get_publishers_info_by_topic(OUTPUT)[0].qos_profile]


@pytest.mark.parametrize('settings, inputs, output', [
    ({}, BEST_EFFORT, RELIABLE),
    ({'node__input_qos': 'DEFAULT', 'node__output_qos': 'SENSOR_DATA'}, RELIABLE, BEST_EFFORT),
    # What Fast DDS is set up for: subscriptions best effort, publishers reliable.
    ({'node__input_qos': 'SYSTEM_DEFAULT', 'node__output_qos': 'SYSTEM_DEFAULT'}, BEST_EFFORT,
     RELIABLE)])
def test_by_name(rig, settings, inputs, output):
    seen = [profile.reliability for profile in profiles(rig, **settings)]
    assert seen == [inputs, inputs, output]


def test_overrides_win(rig):
    names = ['/image.subscription.reliability:=reliable',
             '/depth/points.publisher.reliability:=best_effort']
    image, info, cloud = profiles(rig, *(
        word for name in names for word in ('-p', f'qos_overrides.{name}')))
    assert (image.reliability, info.reliability) == (RELIABLE, BEST_EFFORT)
    assert cloud.reliability == BEST_EFFORT


def test_best_effort_and_reliable_readers_both_receive(rig):
    with node_here(rig.node.context) as node:
        best_effort = []
        rig.node.create_subscription(
            PointCloud2, 'depth/points', best_effort.append,
            QoSProfile(depth=1, reliability=BEST_EFFORT))
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        depth = plane_depth(CAMERA)

        def both(stamp):
            rig.ask(coded_image(depth, stamp), camera_info(CAMERA, stamp))
            return bool(best_effort)
        assert any(both(stamp) for stamp in range(1, 50))
        assert wait_until(lambda: best_effort[-1] == rig.got['depth/points'][
            best_effort[-1].header.stamp.nanosec])
