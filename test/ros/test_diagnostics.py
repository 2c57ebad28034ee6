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
from depth_anything_ros.ros.diagnostics import diagnose, Health, SILENCE
from depth_anything_ros.service import DepthService
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
import pytest
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
            context, service=service, node__diagnostics_period=0.1) as node:
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
            assert [status.name for status in arrays[-1].status] == [
                '/depth_anything: node', '/depth_anything: camera']
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
    with ros_context() as context, node_here(context, node__diagnostics_period=3600.0) as node:
        rig = Rig(context, topics={})
        rig.node.create_subscription(DiagnosticArray, '/diagnostics', arrays.append, 10)
        try:
            assert wait_until(lambda: node.state == 'active')
            assert wait_until(lambda: rig.node.count_publishers('/diagnostics'))
            assert not wait_until(lambda: arrays, 0.5)
            assert node.set_parameters_atomically([
                Parameter('node.diagnostics_period', value=0.1)]).successful
            assert wait_until(lambda: len(arrays) > 3)
        finally:
            rig.close()
