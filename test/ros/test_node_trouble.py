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

from array import array
from dataclasses import replace
import signal

import pytest
from rcl_interfaces.msg import Log
from ros_parts import (
    camera_info,
    coded_image,
    exact_service,
    HERE,
    node_here,
    plane_depth,
    Process,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros

CAMERA = small_camera(32, 24)
DEPTH = plane_depth(CAMERA)


@pytest.fixture
def rig_and_node():
    def canonical(settings):
        return exact_service(settings, kind='canonical', focal_per_width=0.925)
    with ros_context() as context, node_here(context, service=canonical) as node:
        rig = Rig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            # The first good frame: from here on everybody knows everybody.
            good(rig, 1)
            yield rig, node
        finally:
            rig.close()


def good(rig, stamp):
    return rig.ask(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))


def said(node):
    return node._reporter.last_error


def broken(change):
    image = coded_image(DEPTH, 2)
    change(image)
    return image


def zero_size(image):
    image.width = image.height = image.step = 0
    image.data = array('B')


def truncated(image):
    image.data = array('B', bytes(image.data)[:-1])


def short_step(image):
    image.step = 10


def unknown_encoding(image):
    image.encoding = '32FC1'


@pytest.mark.parametrize('change, words', [
    (zero_size, '0x0'), (truncated, '2303 bytes; accepted: 2304'),
    (short_step, 'step is 10 bytes; accepted: at least 96'),
    (unknown_encoding, "'32FC1'; accepted: rgb8")])
def test_a_broken_image_is_said_and_the_next_one_served(rig_and_node, change, words):
    rig, node = rig_and_node
    before = node.counts()
    info = camera_info(CAMERA, 2)
    rig.send(broken(change), info)
    assert wait_until(lambda: node.counts().invalid == before.invalid + 1)
    assert words in said(node)
    good(rig, 3)
    counts = node.counts()
    assert counts.failed == 0 and counts.received == counts.accounted


def test_a_camera_info_of_another_size(rig_and_node):
    rig, node = rig_and_node
    rig.send(coded_image(DEPTH, 2), camera_info(small_camera(64, 48), 2))
    assert wait_until(lambda: node.counts().invalid == 1)
    assert '64x48' in said(node) and '32x24' in said(node)
    good(rig, 3)


def test_an_uncalibrated_camera(rig_and_node):
    rig, node = rig_and_node
    info = camera_info(CAMERA, 2)
    info.k, info.p = [0.0] * 9, [0.0] * 12
    rig.send(coded_image(DEPTH, 2), info)
    assert wait_until(lambda: node.counts().invalid == 1)
    assert 'K[0] is 0' in said(node) and 'camera.fov_deg' in said(node)
    good(rig, 3)


def test_the_image_size_changes_in_mid_stream(rig_and_node):
    rig, _ = rig_and_node
    for stamp, size in enumerate([(32, 24), (48, 20), (16, 40), (32, 24)], 2):
        camera = small_camera(*size)
        out = rig.ask(coded_image(plane_depth(camera), stamp), camera_info(camera, stamp))
        for message in out.values():
            assert (message.width, message.height) == size


def test_a_camera_info_lost_between_equal_ones_costs_no_image(rig_and_node):
    rig, node = rig_and_node
    before = node.counts().received
    rig.send(coded_image(DEPTH, 2))
    assert wait_until(lambda: node.counts().received == before + 1 and node.counts().waiting == 1)
    rig.infos.publish(camera_info(CAMERA, 3))
    assert wait_until(lambda: 2 in rig.got['depth/image'])
    assert node.counts().no_camera_info == 0


def test_one_lost_camera_info_of_another_camera_drops_one_image(rig_and_node):
    rig, node = rig_and_node
    before = node.counts().received
    rig.send(coded_image(DEPTH, 2))
    # Not the frame before it, which may still be counted as waiting.
    assert wait_until(lambda: node.counts().received == before + 1 and node.counts().waiting == 1)
    zoomed = replace(CAMERA, fx=2 * CAMERA.fx, fy=2 * CAMERA.fy)
    rig.ask(coded_image(DEPTH, 3), camera_info(zoomed, 3))
    counts = node.counts()
    assert counts.no_camera_info == 1 and 2 not in rig.got['depth/image']
    assert 'no camera_info with its stamp' in said(node)


def test_stamps_that_never_match(rig_and_node):
    rig, node = rig_and_node
    said = []
    rig.node.create_subscription(Log, '/rosout', lambda line: said.append(line.msg), 100)
    assert wait_until(lambda: rig.node.count_publishers('/rosout') >= 2)
    for stamp in range(10, 40, 2):
        before = node.counts().received
        rig.send(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp + 1))
        assert wait_until(lambda before=before: node.counts().received == before + 1)
    assert wait_until(lambda: 38 in rig.got['depth/points'])
    counts = node.counts()
    assert counts.no_camera_info < 10 and counts.received == counts.accounted

    def warned():
        return [line for line in said if 'do not match those of' in line]
    assert wait_until(warned) and '/camera_info' in warned()[0]
    good(rig, 50)
    assert len(warned()) == 1, 'one warning, however many images'


def test_images_without_any_camera_info():
    def canonical(settings):
        return exact_service(settings, kind='canonical', focal_per_width=0.925)
    with ros_context() as context, node_here(context, service=canonical) as node:
        rig = Rig(context, topics={'depth/image': Image})
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            assert wait_until(lambda: node.cameras[0].outputs.wanted())
            for stamp in range(1, 10):
                rig.send(coded_image(DEPTH, stamp))
                assert wait_until(lambda stamp=stamp: node.counts().received == stamp)
            assert wait_until(lambda: node.counts().no_camera_info == 9)
            assert 'camera.fov_deg' in said(node) and '/camera_info' in said(node)
            rig.ask(coded_image(DEPTH, 20), camera_info(CAMERA, 20))
        finally:
            rig.close()


@pytest.mark.parametrize('name, value, focal', [
    ('camera__fov_deg', 90.0, 16.0), ('camera__focal_length', 40.0, 40.0)])
def test_a_setting_stands_in_for_the_camera_info(name, value, focal):
    with ros_context() as context, node_here(
            context, service=lambda s: exact_service(s, kind='canonical'),
            **{name: value}) as node:
        rig = Rig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            out = rig.ask(coded_image(DEPTH, 1))
            assert out['depth/camera_info'].k[0] == pytest.approx(focal)
        finally:
            rig.close()


def test_the_latest_camera_info_is_enough_when_asked_for():
    with ros_context() as context, node_here(context, camera__pairing='latest') as node:
        rig = Rig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            rig.ask(coded_image(DEPTH, 1), camera_info(CAMERA, 1))
            rig.ask(coded_image(DEPTH, 5))
            assert node.counts().no_camera_info == 0
        finally:
            rig.close()


def test_the_camera_is_killed_and_comes_back():
    with ros_context() as context, Process(str(HERE / 'exact_node.py')) as node:
        rig = Rig(context)
        rig.node.destroy_publisher(rig.images)
        rig.node.destroy_publisher(rig.infos)
        try:
            for size in ((32, 24), (48, 36)):
                with Process(str(HERE / 'plain_camera.py'), *map(str, size)):
                    assert wait_until(lambda size=size: any(
                        message.width == size[0]
                        for message in list(rig.got['depth/points'].values()))), node.lines
        finally:
            rig.close()
        assert node.end(signal.SIGINT) == 0, node.lines
