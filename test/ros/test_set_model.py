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

"""Another model without a restart: ~/set_model by the real node over DDS."""

import threading

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import ModelLoadFailed
from depth_anything_ros.service import DepthService
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    coded_image,
    depth_from,
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
NEAR, FAR, PLAIN, BROKEN, SLOW = 'near', 'far', 'plain', 'broken', 'slow'
ALLOWED = (NEAR, FAR, PLAIN, BROKEN, SLOW)


class Models:
    """Engines by name; each counts what becomes of it."""

    def __init__(self):
        self.opened, self.closed = [], []
        self.gate = threading.Event()
        self.entered = threading.Event()

    def __call__(self, settings):
        name = settings.model.name
        if name == BROKEN:
            raise ModelLoadFailed('weights of broken are missing')
        if name == SLOW:
            self.entered.set()
            assert self.gate.wait(60)
        distance = {NEAR: 2.0, FAR: 5.0}.get(name, 7.0)
        kind = DepthKind.RELATIVE if name == PLAIN else DepthKind.METRIC
        engine = GivenDepthEngine(
            lambda frame: np.full(frame.rgb.shape[:2], distance, np.float32), kind=kind)
        closed, close = self.closed, engine.close

        def counted():
            closed.append(name)
            close()

        engine.close = counted
        self.opened.append(name)
        return DepthService(engine)


@pytest.fixture
def context():
    with ros_context() as context:
        yield context


@pytest.fixture
def rig(context):
    rig = Rig(context, topics={'depth/image': Image})
    yield rig
    rig.close()


def asked(rig, name):
    from depth_anything_ros.srv import SetModel
    client = rig.node.create_client(SetModel, '/depth_anything/set_model')
    assert client.wait_for_service(20)
    return client, client.call_async(SetModel.Request(name=name))


def switch(rig, name):
    client, future = asked(rig, name)
    try:
        assert wait_until(future.done, 60)
        return future.result()
    finally:
        rig.node.destroy_client(client)


def distance(rig, stamp):
    got = rig.ask(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
    return float(depth_from(got['depth/image'])[3, 4])


def running(context, models, **given):
    return node_here(context, service=models, model__name=NEAR, model__allowed=ALLOWED, **given)


def test_frames_come_from_the_new_model_and_the_old_one_is_freed(context, rig):
    models = Models()
    with running(context, models) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        assert distance(rig, 1) == 2.0
        answer = switch(rig, FAR)
        assert (answer.success, answer.code) == (True, 'ok'), answer
        assert wait_until(rig.connected)
        assert distance(rig, 2) == 5.0
        assert wait_until(lambda: models.closed == [NEAR])
        # The reader has the message a moment before the node has counted it.
        assert wait_until(lambda: node.counts().published == 2)
    assert models.opened == [NEAR, FAR] and models.closed == [NEAR, FAR]


def test_a_failure_leaves_the_old_one_running(context, rig):
    models = Models()
    with running(context, models) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        answer = switch(rig, BROKEN)
        assert not answer.success and 'weights of broken are missing' in answer.message
        assert answer.code == ModelLoadFailed.code and answer.model
        assert distance(rig, 1) == 2.0
        assert models.closed == []


def test_only_allowed_models_are_switched_to(context, rig):
    models = Models()
    with node_here(context, service=models, model__name=NEAR) as node:
        assert wait_until(lambda: node.state == 'active')
        answer = switch(rig, FAR)
        assert not answer.success and 'model.allowed is empty' in answer.message
    with running(context, models) as node:
        assert wait_until(lambda: node.state == 'active')
        answer = switch(rig, '/etc/passwd')
        assert not answer.success and 'near, far' in answer.message
    assert models.opened == [NEAR, NEAR]


def test_the_old_one_serves_while_the_new_one_loads_and_one_loads_at_a_time(context, rig):
    models = Models()
    with running(context, models) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        client, future = asked(rig, SLOW)
        assert models.entered.wait(20)
        assert distance(rig, 1) == 2.0 and not future.done()
        answer = switch(rig, FAR)
        assert not answer.success and 'being loaded already' in answer.message
        models.gate.set()
        assert wait_until(future.done, 60) and future.result().success
        assert wait_until(rig.connected)
        assert distance(rig, 2) == 7.0
        rig.node.destroy_client(client)


def test_a_model_without_a_unit_takes_the_topics_of_metres_away(context, rig):
    models = Models()
    with running(context, models) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        rig.got['depth/relative'] = {}
        rig.read('depth/relative', Image)
        assert switch(rig, PLAIN).success
        assert wait_until(lambda: rig.node.count_publishers('depth/image') == 0)
        assert wait_until(lambda: rig.images.get_subscription_count() == 1)
        rig.got.pop('depth/image')
        got = rig.ask(coded_image(DEPTH, 5), camera_info(CAMERA, 5))
        assert depth_from(got['depth/relative'])[3, 4] == 7.0


def test_what_was_cleaned_up_meanwhile_is_not_switched(context, rig):
    models = Models()
    with running(context, models) as node:
        assert wait_until(lambda: node.state == 'active')
        client, future = asked(rig, SLOW)
        assert models.entered.wait(20)
        node.trigger_deactivate()
        node.trigger_cleanup()
        models.gate.set()
        assert wait_until(future.done, 60)
        assert 'cleaned up' in future.result().message
        assert wait_until(lambda: SLOW in models.closed)
        rig.node.destroy_client(client)


def test_what_is_there_only_after_the_node_is_gone_is_closed(context, rig):
    models = Models()
    with running(context, models) as node:
        assert wait_until(lambda: node.state == 'active')
        client, _ = asked(rig, SLOW)
        assert models.entered.wait(20)
        assert not node.close(), 'the process must not be taken down under a load'
    rig.node.destroy_client(client)
    assert models.closed == [NEAR]
    models.gate.set()
    assert wait_until(lambda: models.closed == [NEAR, SLOW])
