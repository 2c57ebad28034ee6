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

import os
from pathlib import Path
import signal
import threading
import time

from depth_anything_ros.errors import ModelLoadFailed
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
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

pytestmark = pytest.mark.ros
CAMERA = small_camera(32, 24)
DEPTH = plane_depth(CAMERA)
SUCCESS = TransitionCallbackReturn.SUCCESS
EXACT_NODE = str(HERE / 'exact_node.py')


@pytest.fixture
def context():
    with ros_context() as context:
        yield context


def engine_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith('depth-')]


def test_through_the_whole_life_cycle(context):
    opened = []

    def service(settings):
        opened.append(exact_service(settings))
        return opened[-1]

    with node_here(context, service=service, node__autostart=False) as node:
        rig = Rig(context)
        try:
            assert node.state == 'unconfigured' and not opened
            for life in (1, 2):
                assert node.trigger_configure() == SUCCESS
                assert node.state == 'inactive' and len(opened) == life
                assert rig.node.count_subscribers('image') == 0
                for turn in (1, 2):
                    assert node.trigger_activate() == SUCCESS
                    assert wait_until(rig.connected)
                    stamp = 10 * life + turn
                    rig.ask(coded_image(DEPTH, stamp), camera_info(CAMERA, stamp))
                    assert node.trigger_deactivate() == SUCCESS
                    assert node.state == 'inactive'
                    assert wait_until(lambda: rig.node.count_subscribers('image') == 0)
                assert engine_threads()
                assert node.trigger_cleanup() == SUCCESS
                assert node.state == 'unconfigured' and not engine_threads()
                assert wait_until(lambda: rig.node.count_publishers('depth/image') == 0)
            assert node.trigger_shutdown() == SUCCESS and node.state == 'finalized'
            counts = node.counts()
            assert counts.received == counts.accounted and counts.published >= 4
        finally:
            rig.close()


def test_a_frame_on_the_device_is_not_published_after_deactivation(context):
    with node_here(context, service=lambda s: exact_service(s, delay=0.5)) as node:
        rig = Rig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            assert wait_until(lambda: len(node.cameras[0].outputs.wanted()) == 3)
            rig.send(coded_image(DEPTH, 1), camera_info(CAMERA, 1))
            assert wait_until(lambda: node.counts().waiting == 1)
            node.trigger_deactivate()
            assert wait_until(lambda: node.counts().waiting == 0)
            counts = node.counts()
            assert counts.received == counts.accounted
            assert counts.published == 0 and counts.inactive + counts.replaced == 1
            assert not any(rig.got.values())
        finally:
            rig.close()


def test_a_model_that_does_not_load_ends_the_process_with_1(context):
    def service(settings):
        raise ModelLoadFailed('no weights here')
    with node_here(context, service=service) as node:
        assert wait_until(lambda: node.exit_code == 1)
        assert node.state == 'unconfigured'
        assert 'no weights here' in node._load_error


def test_without_autostart_it_can_be_configured_again(context):
    calls = []

    def service(settings):
        calls.append(1)
        if len(calls) == 1:
            raise ModelLoadFailed('no weights yet')
        return exact_service(settings)

    with node_here(context, service=service, node__autostart=False) as node:
        assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
        assert node.exit_code is None and node.state == 'unconfigured'
        assert node.trigger_configure() == SUCCESS
        assert node.trigger_activate() == SUCCESS


def test_limits_change_between_frames(context):
    with node_here(context) as node:
        rig = Rig(context)
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            near = rig.ask(coded_image(DEPTH, 1), camera_info(CAMERA, 1))['depth/image']
            node.set_parameters([Parameter('depth.maximum', value=0.5)])
            none = rig.ask(coded_image(DEPTH, 2), camera_info(CAMERA, 2))['depth/image']
            nan = bytes.fromhex('0000c07f')
            assert nan not in bytes(near.data) and bytes(none.data) == nan * (32 * 24)
        finally:
            rig.close()


@pytest.mark.parametrize('signals', [
    [signal.SIGINT], [signal.SIGINT] * 2, [signal.SIGTERM], [signal.SIGTERM, signal.SIGINT]])
def test_signals_end_it_cleanly(signals):
    with Process(EXACT_NODE) as node:
        assert node.says('active:'), node.lines
        assert node.end(*signals) == 0, node.lines
        assert not [line for line in node.lines if 'Traceback' in line or 'rror' in line]


def test_sigint_ends_it_within_two_seconds():
    with Process(EXACT_NODE) as node:
        assert node.says('active:'), node.lines
        begun = time.monotonic()
        assert node.end(signal.SIGINT, timeout=30.0) == 0, node.lines
        seconds = time.monotonic() - begun
    # Beside other work it has only its share of the processors.
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert seconds < 2 * crowd, f'{seconds:.1f} s where everything takes {crowd:.1f} times as long'


def shared_memory():
    return {str(path) for path in Path('/dev/shm').glob('fast*')}


def test_it_leaves_no_shared_memory_behind():
    with Process(EXACT_NODE) as node:
        assert node.says('active:'), node.lines
        maps = Path(f'/proc/{node.process.pid}/maps').read_text()
        own = {line.split()[-1] for line in maps.splitlines() if '/dev/shm/fast' in line}
        assert node.end(signal.SIGINT) == 0, node.lines
    assert own
    # Ports are shared by all processes of a domain, and freed by whoever comes next.
    assert not {path for path in own & shared_memory() if 'port' not in path}


def test_a_signal_while_the_model_loads():
    with Process('-c', """
import time
from depth_anything_ros.ros.depth_node import DepthNode
from depth_anything_ros.ros.running import run
raise SystemExit(run(lambda: DepthNode(open_service=lambda settings: time.sleep(60)), ['node']))
""") as node:
        assert node.says('loading'), node.lines
        assert node.end(signal.SIGINT) == 0, node.lines


@pytest.mark.parametrize('given, code, words', [
    ('modell.name:=x', 2, "did you mean 'model.name'"), ('no_value', 2, 'no_value'),
    ('model.name:=/no/where', 1, '/no/where')])
def test_what_cannot_start_says_why(given, code, words):
    with Process('-m', 'depth_anything_ros.ros.node', '--ros-args', '-p', given) as node:
        assert node.process.wait(60) == code, node.lines
        assert node.says(words, 5), node.lines
        assert not any('Traceback' in line for line in node.lines)
