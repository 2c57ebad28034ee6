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

from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.ros import distro
from depth_anything_ros.ros.diagnostics import judge
from depth_anything_ros.ros.monitor import NEVER
from depth_anything_ros.service import DepthService
from depth_anything_ros.srv import EstimateDepth
from diagnostic_msgs.msg import DiagnosticStatus
import numpy as np
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
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros
CAMERA = small_camera(32, 24)
DEPTH = plane_depth(CAMERA)


class Counting(GivenDepthEngine):
    """Counts what is asked of it at every stage."""

    def __init__(self):
        super().__init__(lambda frame: np.ones(frame.rgb.shape[:2], np.float32))
        self.calls = 0

    def prepare(self, frame, options):
        self.calls += 1
        return super().prepare(frame, options)

    def infer(self, batch):
        self.calls += 1
        return super().infer(batch)


@pytest.fixture
def idle():
    """Return a rig whose outputs nobody reads, the node and its engine."""
    engine = Counting()
    with ros_context() as context, node_here(
            context, service=lambda settings: DepthService(engine)) as node:
        rig = Rig(context, topics={})
        try:
            assert wait_until(lambda: node.state == 'active')
            yield rig, node, engine
        finally:
            rig.close()


def readers_of_the_camera(rig):
    return rig.images.get_subscription_count(), rig.infos.get_subscription_count()


def stays_idle(rig, node, engine):
    """Whether a camera that goes on sending causes no work at all."""
    assert wait_until(lambda: readers_of_the_camera(rig) == (0, 0))
    assert wait_until(lambda: node.counts().waiting == 0)
    before = engine.calls, node.counts()
    for stamp in range(100, 120):
        rig.send(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
    turn = node.executor.create_task(lambda: None)  # whatever came would have its turn first
    assert wait_until(turn.done) and not node.cameras[0].input.topics.subscribed
    return (engine.calls, node.counts()) == before


def test_the_camera_is_subscribed_to_while_an_output_is_read(idle):
    rig, node, engine = idle
    assert stays_idle(rig, node, engine) and node.counts().received == 0
    for life in (1, 2):
        topic = ('depth/image', 'depth/preview')[life - 1]
        got = []
        reader = rig.node.create_subscription(Image, topic, got.append, QoSProfile(depth=10))
        assert wait_until(lambda: readers_of_the_camera(rig) == (1, 1), 5), 'not subscribed'

        def arrives(stamp, got=got):
            rig.send(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
            return wait_until(lambda: got, 1)
        assert any(arrives(stamp) for stamp in range(10 * life, 10 * life + 9))
        rig.node.destroy_subscription(reader)
        assert stays_idle(rig, node, engine), 'somebody left and the work went on'
    counts = node.counts()
    assert counts.received == counts.accounted and counts.published >= 2


def test_two_readers_leave_one_after_the_other(idle):
    rig, node, _ = idle
    first, second = (rig.node.create_subscription(Image, topic, print, 1)
                     for topic in ('depth/image', 'color/image'))
    assert wait_until(lambda: readers_of_the_camera(rig) == (1, 1))
    assert wait_until(lambda: len(node.cameras[0].outputs.wanted()) == 1)
    rig.node.destroy_subscription(first)
    publishers = node.cameras[0].outputs._offered
    assert wait_until(lambda: sum(
        publisher.get_subscription_count() for _, _, publisher in publishers) == 1)
    assert readers_of_the_camera(rig) == (1, 1), 'the other one still reads'
    rig.node.destroy_subscription(second)
    assert wait_until(lambda: readers_of_the_camera(rig) == (0, 0))


def test_a_waiting_image_is_counted_when_the_last_reader_leaves(idle):
    rig, node, engine = idle
    reader = rig.node.create_subscription(Image, 'depth/image', print, 1)
    assert wait_until(lambda: readers_of_the_camera(rig) == (1, 1))
    node.cameras[0].input._pairing.add_info(7, camera_info(CAMERA, 7))

    def waits():
        rig.send(coded_image(DEPTH, 1))
        return node.counts().waiting == 1
    assert wait_until(waits)
    rig.node.destroy_subscription(reader)
    assert wait_until(lambda: node.counts().waiting == 0)
    counts = node.counts()
    assert counts.idle >= 1 and counts.idle + counts.no_camera_info == counts.received


def test_a_service_call_needs_no_subscription(idle):
    rig, node, engine = idle
    client = rig.node.create_client(EstimateDepth, '/depth_anything/estimate_depth')
    assert client.wait_for_service(10)
    future = client.call_async(EstimateDepth.Request(
        image=coded_image(DEPTH, 1), camera_info=camera_info(CAMERA, 1)))
    assert wait_until(future.done) and future.result().success
    assert readers_of_the_camera(rig) == (0, 0) and engine.calls == 2


def test_idle_is_fine_and_said(idle):
    rig, node, _ = idle
    level, text = judge(node.cameras[0].health('active'))
    assert level == DiagnosticStatus.OK and 'nobody subscribes' in text
    rig.node.create_subscription(Image, 'depth/image', print, 1)
    assert wait_until(lambda: not node.cameras[0].health('active').idle)


def test_polling_where_rclpy_has_no_event(monkeypatch):
    # What Humble's rclpy lacks; only there is time spent on looking.
    monkeypatch.setattr(distro, 'READERS_ARE_POLLED', True)
    with ros_context() as context, node_here(
            context, service=lambda settings: DepthService(Counting())) as node:
        rig = Rig(context, topics={})
        try:
            assert wait_until(lambda: node.state == 'active')
            assert not any(publisher.event_handlers and any(
                'matched' in str(handler.callback) for handler in publisher.event_handlers)
                for _, _, publisher in node.cameras[0].outputs._offered)
            reader = rig.node.create_subscription(Image, 'depth/image', print, 1)
            assert wait_until(lambda: readers_of_the_camera(rig) == (1, 1))
            rig.node.destroy_subscription(reader)
            assert wait_until(lambda: readers_of_the_camera(rig) == (0, 0))
        finally:
            rig.close()


def test_an_idle_node_looks_for_nothing():
    # By design, not by a clock: no timer but that of /diagnostics, no wait with a time limit.
    with ros_context() as context, node_here(
            context, service=lambda settings: DepthService(Counting())) as node:
        assert wait_until(lambda: node.state == 'active')
        running = [timer for timer in node.timers if not timer.is_canceled()]
        soon = [timer.timer_period_ns for timer in running if timer.timer_period_ns < NEVER * 1e9]
        assert soon == [10 ** 9]
