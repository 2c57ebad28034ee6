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

"""What a node leaves behind: after cleanup, after an error, after it was killed."""

import gc
import signal
import threading
import weakref

from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService, open_service
import numpy as np
import pytest
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from ros_parts import HERE, node_here, Process, ros_context, wait_until

pytestmark = pytest.mark.ros
SUCCESS = TransitionCallbackReturn.SUCCESS


@pytest.fixture
def context():
    with ros_context() as context:
        yield context


class Closing(GivenDepthEngine):

    closed = 0

    def close(self):
        type(self).closed += 1
        super().close()


def left(node):
    """Return the engine's threads, and what the node publishes or subscribes for cameras."""
    threads = [item.name for item in threading.enumerate() if item.name in (
        'depth-prepare', 'depth-infer', 'depth-finish', 'depth-load')]
    topics = [item.topic_name for item in (*node.publishers, *node.subscriptions)]
    own = ('/diagnostics', '/rosout', '/parameter_events', '/clock')
    return threads, [name for name in topics
                     if name not in own and not name.endswith('transition_event')]


@pytest.mark.parametrize('way', ['cleanup', 'shutdown', 'error'])
def test_every_end_frees_the_engine_the_threads_and_the_topics(context, way):
    def service(settings):
        return DepthService(Closing(lambda frame: np.ones(frame.rgb.shape[:2], np.float32)))

    Closing.closed = 0
    with node_here(context, service=service, node__autostart=False) as node:
        assert node.trigger_configure() == node.trigger_activate() == SUCCESS
        assert all(left(node)) and not Closing.closed
        if way == 'error':
            assert node.on_error(LifecycleState(state_id=15, label='errorprocessing')) == SUCCESS
        elif way == 'cleanup':
            assert node.trigger_deactivate() == node.trigger_cleanup() == SUCCESS
        else:
            assert node.trigger_shutdown() == SUCCESS
        assert Closing.closed == 1
        assert wait_until(lambda: left(node) == ([], [])), left(node)
    assert Closing.closed == 1, 'and not once more when the node is destroyed'


def test_cleanup_gives_the_networks_memory_back(context):
    networks = []

    def service(settings):
        opened = open_service(settings)
        networks.append(weakref.ref(opened._engine._network))
        return opened

    with node_here(context, service=service, node__autostart=False, model__name='da3-tiny',
                   model__device='cpu') as node:
        for life in (1, 2):
            assert node.trigger_configure() == node.trigger_activate() == SUCCESS
            assert len(networks) == life and networks[-1]() is not None
            assert node.trigger_deactivate() == node.trigger_cleanup() == SUCCESS
            gc.collect()
            assert [network() for network in networks] == [None] * life


def test_a_node_that_was_killed_is_started_again():
    for _ in range(2):
        with Process(str(HERE / 'exact_node.py')) as node:
            assert node.says('active:'), node.lines
            assert node.end(signal.SIGKILL) == -signal.SIGKILL


@pytest.mark.parametrize('way', ['destroyed', 'shut down'])
def test_a_model_that_is_loaded_too_late_is_closed(context, way):
    loading, go_on = threading.Event(), threading.Event()

    def service(settings):
        loading.set()
        assert go_on.wait(60)
        return DepthService(Closing(lambda frame: np.ones(frame.rgb.shape[:2], np.float32)))

    Closing.closed = 0
    try:
        with node_here(context, service=service) as node:
            assert loading.wait(20)
            if way == 'shut down':
                # In the node's own thread, which may still be on its way back from the start.
                ended = node.executor.create_task(node.trigger_shutdown)
                assert wait_until(ended.done) and ended.result() == SUCCESS
                assert node.state == 'finalized'
                go_on.set()
                assert wait_until(lambda: Closing.closed == 1), 'not only when it is destroyed'
        go_on.set()
        assert wait_until(lambda: Closing.closed == 1)
        assert wait_until(lambda: left(node)[0] == []), left(node)
    finally:
        go_on.set()
    assert Closing.closed == 1
