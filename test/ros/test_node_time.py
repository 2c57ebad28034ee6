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

import math

from depth_anything_ros.ros.conversions import NANOSECONDS
from depth_anything_ros.ros.counting import age_of
import pytest
from rclpy.qos import QoSProfile
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
from rosgraph_msgs.msg import Clock

pytestmark = pytest.mark.ros
CAMERA = small_camera(32, 24)
DEPTH = plane_depth(CAMERA)
SIM_TIME = ('-p', 'use_sim_time:=true')


@pytest.mark.parametrize('now, stamp, age', [
    (12 * NANOSECONDS, 10 * NANOSECONDS, 2.0), (10, 10, 0.0), (0, 10, None), (10, 0, None),
    (0, 0, None), (9 * NANOSECONDS, 10 * NANOSECONDS, None)])
def test_an_age_is_told_or_not_known(now, stamp, age):
    assert age_of(now, stamp) == age


class Bag(Rig):
    """A camera and a clock that go together, as a bag is played."""

    def __init__(self, context):
        super().__init__(context)
        self.clock = self.node.create_publisher(Clock, '/clock', QoSProfile(depth=10))

    def tick(self, node, seconds):
        """Set the time and wait until the node has it."""
        message = Clock()
        message.clock.sec = seconds

        def taken():
            self.clock.publish(message)
            return node.get_clock().now().nanoseconds == seconds * NANOSECONDS
        assert wait_until(taken)

    def play(self, node, seconds):
        """Play one image per second, its clock half a second behind each."""
        for second in seconds:
            self.tick(node, second + 1)
            stamp = second * NANOSECONDS
            self.ask(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))


@pytest.fixture
def playing():
    with ros_context() as context, node_here(context, *SIM_TIME) as node:
        bag = Bag(context)
        try:
            assert wait_until(lambda: node.state == 'active' and bag.connected())
            yield bag, node
        finally:
            bag.close()


def ages(node):
    return node.cameras[0].flow.age.percentiles(0, 50, 95, 100)


def test_before_the_first_clock_images_are_served_and_have_no_age(playing):
    bag, node = playing
    assert node.get_clock().now().nanoseconds == 0
    for stamp in (0, 7, 5 * NANOSECONDS):
        bag.ask(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
    assert all(math.isnan(age) for age in ages(node))
    values = node.cameras[0].health('active').values
    assert values['age at publish p50'] == '' and values['images ahead of the clock'] == '0'


def test_a_bag_is_played_twice(playing):
    bag, node = playing
    bag.play(node, range(100, 105))
    for store in bag.got.values():
        store.clear()
    # From the start again: the same stamps, the clock back by 100 s.
    bag.play(node, [5, 6, *range(100, 103)])
    counts = node.counts()
    assert counts.received == counts.accounted
    assert counts.no_camera_info == counts.invalid == counts.failed == 0
    assert all(0 <= age < 50 for age in ages(node)), ages(node)


def test_images_from_before_a_jump_have_no_age(playing):
    bag, node = playing
    bag.play(node, [100])
    bag.tick(node, 3)
    late = 101 * NANOSECONDS
    bag.ask(coded_image(DEPTH, late), camera_info(CAMERA, late))
    bag.play(node, [3])
    assert node.cameras[0].flow.ahead >= 1
    assert all(0 <= age < 50 for age in ages(node)), ages(node)


def test_an_image_that_waits_does_not_wait_across_a_jump(playing):
    bag, node = playing
    bag.play(node, [100])
    before = node.counts()
    bag.send(coded_image(DEPTH, 101 * NANOSECONDS))  # its camera_info is lost by the jump
    assert wait_until(lambda: node.counts().waiting == 1)
    bag.play(node, [5, 6, 7])
    counts = node.counts()
    assert counts.no_camera_info == before.no_camera_info + 1 and counts.waiting == 0
    assert counts.received == counts.accounted
