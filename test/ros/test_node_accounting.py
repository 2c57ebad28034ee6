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

from pathlib import Path

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.ros.outputs import TOPICS
from depth_anything_ros.service import DepthService
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    coded_image,
    exact_service,
    node_here,
    plane_depth,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)
from sensor_msgs.msg import CameraInfo, Image

pytestmark = pytest.mark.ros

CAMERA = small_camera(32, 24)
DEPTH = plane_depth(CAMERA)


@pytest.fixture
def context():
    with ros_context() as context:
        yield context


def feed(rig, node, stamps):
    """Send frames, each as soon as the node has taken the one before: none is lost on the way."""
    for stamp in stamps:
        before = node.counts().received
        rig.send(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
        assert wait_until(lambda before=before: node.counts().received == before + 1)


def settled(node):
    assert wait_until(lambda: node.counts().waiting == 0)
    return node.counts()


def test_500_frames_are_all_out_or_counted(context):
    def slow(settings):
        return exact_service(settings, delay=0.004)

    stamps = [10 ** 12 + 7 * number for number in range(500)]
    with node_here(context, service=slow) as node:
        rig = Rig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            assert wait_until(lambda: len(node.cameras[0].outputs.wanted()) == 3)
            feed(rig, node, stamps)
            counts = settled(node)
            assert counts.received == 500 == counts.accounted
            assert counts.published + counts.replaced == 500
            assert counts.published > 50, counts
            assert wait_until(lambda: all(
                len(store) == counts.published for store in rig.got.values())), rig.seen()
            seen = [set(store) for store in rig.got.values()]
            assert all(topic == seen[0] for topic in seen) and seen[0] <= set(stamps)
            assert stamps[-1] in seen[0], 'the newest frame is never the one that is dropped'
        finally:
            rig.close()


def test_the_sums_match_at_every_moment(context):
    with node_here(context, service=lambda s: exact_service(s, delay=0.002)) as node:
        rig = Rig(context, topics={'depth/image': Image})
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            for stamp in range(1, 100):
                rig.send(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
                for _ in range(20):
                    counts = node.counts()
                    assert counts.received == counts.accounted and min(vars(counts).values()) >= 0
        finally:
            rig.close()


def test_the_sums_match_while_cameras_are_left_and_taken_again(context):
    """Images come in one thread while another unsubscribes: each is accounted for, none waits."""
    with node_here(context) as node:
        rig = Rig(context, topics={'depth/image': Image})
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            for stamp in range(1, 400):
                rig.send(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
                if not stamp % 4:
                    node.enable(stamp % 8 == 0)
                counts = node.counts()
                assert counts.received == counts.accounted and min(vars(counts).values()) >= 0
            node.enable(False)
            counts = settled(node)
            assert counts.received == counts.accounted and counts.published, counts
            # Destroyed in the other thread, soon.
            assert wait_until(lambda: not node.count_subscribers('/image'))
            node.enable(True)
            assert wait_until(rig.connected)
            rig.ask(coded_image(DEPTH, 500), camera_info(CAMERA, 500))
        finally:
            rig.close()


@pytest.mark.parametrize('topic, kind, outputs', [
    ('depth/image', Image, {'depth'}), ('depth/camera_info', CameraInfo, {'depth'}),
    ('depth/preview', Image, {'preview'}), ('depth/image_raw', Image, {'depth'}),
    ('color/image', Image, {'depth'})])
def test_only_what_is_read_is_asked_for(context, topic, kind, outputs):
    asked = []

    class Watching(GivenDepthEngine):

        def prepare(self, frame, options):
            asked.append(options.outputs)
            return super().prepare(frame, options)

    def watched(settings):
        return DepthService(Watching(lambda frame: np.ones(frame.rgb.shape[:2], np.float32)))

    with node_here(context, service=watched) as node:
        rig = Rig(context, topics={topic: kind})
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            rig.ask(coded_image(DEPTH, 1), camera_info(CAMERA, 1))
            assert {str(output.value) for output in asked[-1]} == outputs
        finally:
            rig.close()


def test_a_relative_model_has_no_topic_in_metres(context):
    def relative(settings):
        engine = GivenDepthEngine(
            lambda frame: np.ones(frame.rgb.shape[:2], np.float32), kind=DepthKind.RELATIVE)
        return DepthService(engine)

    with node_here(context, service=relative) as node:
        rig = Rig(context, topics={'depth/relative': Image, 'depth/preview': Image})
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            # Several, because the first few wait for a camera_info that never comes.
            out = rig.ask(coded_image(DEPTH, 1))
            assert out['depth/relative'].encoding == '32FC1'
            names = [name for name, _ in rig.node.get_topic_names_and_types()]
            assert '/depth/image' not in names and '/depth/points' not in names
        finally:
            rig.close()


def test_every_topic_carries_what_its_name_says(context):
    depth = DEPTH.astype(np.float32).copy()
    depth[:, :9], depth[:, 9:12] = np.nan, 70.0
    confidence = 1 + DEPTH.astype(np.float32)
    sky = np.zeros(DEPTH.shape, np.float32)
    sky[:5] = 1.0

    def served(settings):
        return DepthService(GivenDepthEngine(
            lambda frame: depth, confidence_of=lambda frame: confidence,
            sky_of=lambda frame: sky))

    names = {'depth/image': Image, 'depth/image_raw': Image, 'color/image': Image,
             'color/camera_info': CameraInfo, 'depth/camera_info': CameraInfo,
             'confidence/image': Image, 'sky/mask': Image}
    with node_here(context, service=served) as node:
        rig = Rig(context, topics=names)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            image = coded_image(DEPTH, 1)
            out = rig.ask(image, camera_info(CAMERA, 1))
        finally:
            rig.close()
    assert all(message.header == image.header for message in out.values())
    metres = np.where(sky > 0, np.nan, depth)
    np.testing.assert_array_equal(pixels(out['depth/image'], np.float32), metres)
    raw = np.where(np.isnan(metres), 0, np.clip(np.rint(metres * 1000), 0, 65535))
    assert out['depth/image_raw'].encoding == '16UC1'
    np.testing.assert_array_equal(pixels(out['depth/image_raw'], np.uint16), raw)
    assert bytes(out['color/image'].data) == bytes(image.data)
    assert out['color/camera_info'] == out['depth/camera_info']
    assert out['confidence/image'].encoding == '32FC1'
    np.testing.assert_array_equal(pixels(out['confidence/image'], np.float32), confidence)
    assert out['sky/mask'].encoding == 'mono8'
    np.testing.assert_array_equal(pixels(out['sky/mask'], np.uint8), np.where(sky > 0, 255, 0))


def test_a_model_offers_only_what_it_predicts(context):
    with node_here(context) as node:
        rig = Rig(context, topics={})
        try:
            assert wait_until(lambda: node.state == 'active')
            assert wait_until(lambda: rig.node.count_publishers('/depth/image_raw') == 1)
            names = [name for name, _ in rig.node.get_topic_names_and_types()]
            assert not {'/confidence/image', '/sky/mask', '/depth/relative'} & set(names)
        finally:
            rig.close()


def pixels(message, kind):
    return np.frombuffer(message.data, kind).reshape(message.height, message.width)


def test_every_topic_is_documented():
    root = Path(__file__).parents[2]
    for file in ('README.md', 'docs/topics-parameters-services.md'):
        text = (root / file).read_text()
        for topic in TOPICS:
            assert f'`{topic.name}`' in text, (file, topic.name)
