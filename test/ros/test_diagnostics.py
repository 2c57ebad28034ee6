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

from dataclasses import replace

from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.ros.counting import Counts
from depth_anything_ros.ros.diagnostics import (
    diagnose,
    Health,
    NO_DEVICE,
    SILENCE,
)
from depth_anything_ros.service import DepthService
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import pytest
import rclpy
from rclpy.parameter import Parameter
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

pytestmark = pytest.mark.ros
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
FINE = Health(state='active', counts=Counts(received=9, published=9), before=Counts(),
              image_topic='/cam/image', publishers=1, silence=0.1)


@pytest.mark.parametrize('changes, level, words', [
    ({}, OK, 'active'), ({'state': 'loading'}, OK, 'loading'),
    ({'state': 'unconfigured', 'load_error': 'no weights'}, ERROR, 'no weights'),
    ({'silence': SILENCE + 4, 'publishers': 0}, WARN, '/cam/image for 7 s: nobody publishes'),
    ({'silence': SILENCE + 4, 'publishers': 0, 'hint': '; set this'}, WARN, 'there; set this'),
    ({'silence': SILENCE + 4}, WARN, 'config/fastdds_large_images.xml'),
    ({'enabled': False, 'idle': True}, OK, '~/enable'),
    ({'counts': Counts(received=9, failed=2), 'last_error': 'boom'}, ERROR, 'boom'),
    ({'counts': Counts(received=9, invalid=2), 'last_error': 'short'}, WARN, '2 images.*short'),
    ({'counts': Counts(received=9, no_camera_info=3)}, WARN, '3 images dropped'),
    ({'counts': Counts(received=9, replaced=5)}, OK, 'active'),
    ({'warnings': ('runs on the CPU',)}, WARN, 'runs on the CPU')])
def test_levels(changes, level, words):
    import re
    status = diagnose(replace(FINE, **changes), 'node')
    assert status.level == level and re.search(words, status.message), status.message


def test_old_trouble_is_not_new_trouble():
    past = Counts(received=9, invalid=2, failed=1)
    assert diagnose(replace(FINE, counts=past, before=past), 'node').level == OK


def test_the_topic_says_what_the_node_does():
    def service(settings):
        return DepthService(GivenDepthEngine(lambda frame: plane_depth(camera), model='plane'))

    camera = small_camera(32, 24)
    arrays = []
    with ros_context() as context, node_here(
            context, service=service, diagnostic_updater__period=0.1) as node:
        rig = Rig(context)
        rig.node.create_subscription(DiagnosticArray, '/diagnostics', arrays.append, 10)

        def values(index=1):
            return {item.key: item.value for item in arrays[-1].status[index].values} \
                if arrays else {}
        try:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            for stamp in range(1, 6):
                rig.ask(coded_image(plane_depth(camera), stamp), camera_info(camera, stamp))
            assert wait_until(lambda: int(values().get('published', 0)) >= 5)
            seen = values()
            whole = values(0)
            assert whole['state'] == seen['state'] == 'active' and whole['model'] == 'plane'
            assert whole['licence'] == 'none' and whole['device'] == 'cpu'
            assert whole['precision'] == 'fp32' and seen['scale law'].startswith('metric')
            assert [(status.name, status.hardware_id) for status in arrays[-1].status] == [
                ('depth_anything: node', 'cpu'), ('depth_anything: camera', 'cpu')]
            ends = [int(seen[name]) for name in (
                'published', 'idle', 'replaced', 'no_camera_info', 'invalid', 'failed',
                'inactive', 'waiting')]
            assert int(seen['received']) == sum(ends)
            assert all(seen[f'{what} p{rank}'].endswith(' ms') for rank in (50, 95, 99)
                       for what in ('age at publish', 'time in node'))
            assert whole['device memory'] == '' and float(seen['images/s in']) > 0
            assert arrays[-1].status[0].level == WARN, 'an engine with a warning is not OK'
            # A publisher that sends nothing: what lost images look like.
            assert wait_until(lambda: 'fastdds_large_images.xml' in arrays[-1].status[1].message)
        finally:
            rig.close()


def test_the_period_changes_live():
    arrays = []
    with ros_context() as context, node_here(context, diagnostic_updater__period=3600.0) as node:
        rig = Rig(context, topics={})
        rig.node.create_subscription(DiagnosticArray, '/diagnostics', arrays.append, 10)
        try:
            assert wait_until(lambda: node.state == 'active')
            assert wait_until(lambda: rig.node.count_publishers('/diagnostics'))
            assert not wait_until(lambda: arrays, 0.5)
            assert node.set_parameters_atomically([
                Parameter('diagnostic_updater.period', value=0.1)]).successful
            assert wait_until(lambda: len(arrays) > 3)
        finally:
            rig.close()


def test_the_namespace_is_in_the_names_when_asked_for():
    arrays = []
    with ros_context() as context, node_here(
            context, '-r', '__ns:=/robot', cameras=('front',), node__autostart=False,
            diagnostic_updater__period=0.1) as node:
        rig = Rig(context, topics={})
        rig.node.create_subscription(DiagnosticArray, '/diagnostics', arrays.append, 10)

        def names():
            return [status.name for status in arrays[-1].status] if arrays else []
        try:
            assert wait_until(lambda: names() == [
                'depth_anything: node', 'depth_anything: camera front'])
            assert {status.hardware_id for status in arrays[-1].status} == {NO_DEVICE}
            assert node.set_parameters_atomically([
                Parameter('diagnostic_updater.use_fqn', value=True)]).successful
            assert wait_until(lambda: names() == [
                '/robot/depth_anything: node', '/robot/depth_anything: camera front'])
        finally:
            rig.close()


def test_the_messages_are_those_of_diagnostic_updater():
    diagnostic_updater = pytest.importorskip(
        'diagnostic_updater', reason='diagnostic_updater is not installed (it has no wheel)')
    ours, theirs = [], []
    with ros_context() as context, node_here(
            context, cameras=('front', 'left'), diagnostic_updater__period=0.1) as node:
        rig = Rig(context, topics={})
        rig.node.create_subscription(DiagnosticArray, '/diagnostics', ours.append, 10)
        rig.node.create_subscription(DiagnosticArray, '/theirs', theirs.append, 10)
        try:
            assert wait_until(lambda: node.state == 'active')
            assert wait_until(lambda: ours and ours[-1].status[0].hardware_id == 'cpu')
            array = ours[-1]
            driver = rclpy.create_node('depth_anything', context=context, cli_args=[
                '--ros-args', '-r', '/diagnostics:=/theirs'])
            updater = diagnostic_updater.Updater(driver, 3600.0)
            updater.setHardwareID('cpu')
            for name, status in zip(('node', 'camera front', 'camera left'), array.status):
                updater.add(name, filled_with(status))
            assert wait_until(lambda: driver.count_subscribers('/theirs'))
            # The first ones only say that it starts.
            assert wait_until(lambda: updater.force_update() or any(
                len(item.status) == 3 for item in theirs))
            driver.destroy_node()
            found = next(item for item in theirs if len(item.status) == 3)
            found.header = array.header
            assert found == array
        finally:
            rig.close()


def filled_with(status):
    """Return a task of diagnostic_updater that says what a status says."""
    def task(wrapper):
        wrapper.summary(status.level, status.message)
        for item in status.values:
            wrapper.add(item.key, item.value)
        return wrapper
    return task
