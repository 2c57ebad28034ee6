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

"""The small services: ~/enable and ~/reset_statistics, by the real node over DDS."""

import time

from depth_anything_ros.ros.services import SERVICES
from depth_anything_ros.ros.services.answers import INTERNAL, refused
import pytest
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
from std_srvs.srv import SetBool, Trigger

pytestmark = pytest.mark.ros
CAMERA = small_camera(32, 24)
DEPTH = plane_depth(CAMERA)


@pytest.fixture
def context():
    with ros_context() as context:
        yield context


@pytest.fixture
def rig(context):
    rig = Rig(context, topics={'depth/image': Image})
    yield rig
    rig.close()


def call(rig, kind, name, request=None):
    client = rig.node.create_client(kind, f'/depth_anything/{name}')
    try:
        assert client.wait_for_service(20)
        future = client.call_async(request or kind.Request())
        assert wait_until(future.done, 60)
        return future.result()
    finally:
        rig.node.destroy_client(client)


def ask(rig, stamp):
    return rig.ask(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))


def test_every_service_is_one_line_and_has_a_document():
    from pathlib import Path
    text = (Path(__file__).parents[2] / 'docs/topics-parameters-services.md').read_text()
    with ros_context() as context, node_here(context, node__autostart=False) as node:
        def own():
            return [name for name, _ in node.get_service_names_and_types_by_node(
                'depth_anything', '/') if 'parameter' not in name and 'type_desc' not in name
                and not name.endswith(('state', 'states', 'transitions', 'transition_graph'))]

        # The graph hears of them a moment later.
        assert wait_until(lambda: len(own()) == len(SERVICES)), own()
        names = own()
    for name in names:
        assert f'`~/{name.rpartition("/")[2]}`' in text, name


def test_disabled_it_takes_no_image_and_keeps_the_model(context, rig):
    with node_here(context) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        ask(rig, 1)
        service = node.serving()
        answer = call(rig, SetBool, 'enable', SetBool.Request(data=False))
        assert answer.success and 'no images' in answer.message
        assert wait_until(lambda: rig.node.count_subscribers('image') == 0)
        received = node.counts().received
        for stamp in range(2, 6):
            rig.send(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
            time.sleep(0.05)
        assert node.counts().received == received and node.serving() is service
        # It stays so through the life cycle.
        node.trigger_deactivate()
        answer = call(rig, SetBool, 'enable', SetBool.Request(data=False))
        assert 'it is inactive' in answer.message
        node.trigger_activate()
        assert not node.cameras[0].input.topics.subscribed
        assert call(rig, SetBool, 'enable', SetBool.Request(data=True)).success
        assert wait_until(rig.connected)
        ask(rig, 6)


def test_statistics_begin_anew_and_the_sums_still_match(context, rig):
    with node_here(context) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        for stamp in (1, 2, 3):
            ask(rig, stamp)
        rig.send(Image(width=3, height=3, encoding='strange'), camera_info(CAMERA, 0))
        assert wait_until(lambda: node.counts().invalid == 1)
        before = node.counts()
        answer = call(rig, Trigger, 'reset_statistics')
        assert answer.success and f'{before.published} published' in answer.message
        counts, flow = node.counts(), node.cameras[0].flow
        assert counts.received == counts.accounted == 0
        assert flow.received.hertz() == 0 and flow.age.percentiles(50)[0] != \
            flow.age.percentiles(50)[0]
        assert node.cameras[0].reporter.last_error == '' == node._health().last_error
        ask(rig, 4)
        assert wait_until(lambda: node.counts().waiting == 0)
        counts = node.counts()
        assert 1 <= counts.published <= counts.received == counts.accounted


def test_what_was_on_its_way_is_counted_after_the_reset():
    from depth_anything_ros.ros.counting import Counts
    now = Counts(received=9, published=5, replaced=1, invalid=1, waiting=2)
    later = Counts(received=10, published=8, replaced=1, invalid=1)
    assert now - now.ended() == Counts(received=2, waiting=2)
    assert later - now.ended() == Counts(received=3, published=3)


def test_an_unforeseen_error_stays_in_the_log(caplog):
    answer = refused(Trigger.Response(success=True), ZeroDivisionError('/secret/path'))
    assert not answer.success and answer.message == INTERNAL
    assert '/secret/path' in caplog.text


def test_the_numbers_go_to_the_log_when_a_period_is_set(context, rig, caplog):
    import logging

    from rclpy.parameter import Parameter
    caplog.set_level(logging.INFO, 'depth_anything_ros.ros.monitor')
    with node_here(context) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        for stamp in (1, 2, 3):
            ask(rig, stamp)
        assert 'images/s in' not in caplog.text
        node.set_parameters([Parameter('node.statistics_period', value=0.1)])
        assert wait_until(lambda: 'images/s in' in caplog.text)
        line = next(text for text in caplog.messages if 'images/s in' in text)
        assert 'age at publish p50' in line and 'dropped: none' in line
        node.set_parameters([Parameter('node.statistics_period', value=0.0)])
        assert wait_until(lambda: node._monitor._lines.timer_period_ns > 1e15)
