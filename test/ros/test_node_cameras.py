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

import threading

from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.service import DepthService
from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import pytest
from rclpy.parameter import Parameter
from ros_parts import (
    camera_info,
    coded_image,
    depth_from,
    depth_of,
    exact_service,
    node_here,
    plane_depth,
    Rig,
    ros_context,
    small_camera,
    stamped,
    wait_until,
    xyz_of,
)
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

pytestmark = pytest.mark.ros

NAMES = ('front', 'left', 'right')
CAMERA = small_camera(32, 24)


@pytest.fixture
def context():
    with ros_context() as context:
        yield context


def closing(rigs):
    for rig in rigs.values():
        rig.close()


def depth_at(distance):
    return plane_depth(CAMERA, distance=distance)


def test_three_cameras_share_one_model_and_nothing_else(context):
    opened = []

    def service(settings):
        opened.append(exact_service(settings))
        return opened[-1]

    arrays = []
    with node_here(
            context, service=service, cameras=NAMES, diagnostic_updater__period=0.1) as node:
        rigs = {name: Rig(context, namespace=f'/{name}', topics={'depth/image': Image})
                for name in NAMES}
        rigs['front'].node.create_subscription(
            DiagnosticArray, '/diagnostics', arrays.append, 10)
        try:
            assert wait_until(lambda: node.state == 'active' and all(
                rig.connected() for rig in rigs.values()))
            # Each camera sees a wall at another distance, with the same stamps.
            for stamp in (1, 2):
                for distance, (name, rig) in enumerate(rigs.items(), 2):
                    out = rig.ask(coded_image(depth_at(distance), stamp, f'{name}_optical'),
                                  camera_info(CAMERA, stamp, f'{name}_optical'))['depth/image']
                    assert out.header.frame_id == f'{name}_optical'
                    assert abs(depth_from(out) - depth_at(distance)).max() < 1e-4
            rigs['left'].send(coded_image(depth_at(2), 9), camera_info(small_camera(64, 48), 9))
            assert wait_until(lambda: node.counts().invalid == 1)
            assert node.cameras[1].counts().invalid == 1, 'counted where it happened'
            assert 'left: image dropped' in node._reporter.last_error
            assert node.cameras[0].reporter.last_error == ''
            assert len(opened) == 1, 'one model for all of them'
            assert set(opened[0].watchers.streams()) == set(NAMES)

            def statuses():
                return {status.name: {item.key: item.value for item in status.values}
                        for status in arrays[-1].status} if arrays else {}
            assert wait_until(lambda: statuses().get(
                'depth_anything: camera left', {}).get('invalid') == '1')
            assert list(statuses()) == ['depth_anything: node', *(
                f'depth_anything: camera {name}' for name in NAMES)]
            for values in statuses().values():
                assert int(values['received']) >= int(values['published']) >= 2
            total = statuses()['depth_anything: node']
            assert int(total['received']) == node.counts().received
        finally:
            closing(rigs)


def test_each_camera_can_be_remapped_by_itself(context):
    arguments = ['-r', '__ns:=/robot', '-r', 'front/image:=/cam0/image_raw',
                 '-r', 'left/image:=/cam1/image_raw', '-r', 'left/camera_info:=/calibration/left']
    with node_here(context, *arguments, cameras=NAMES) as node:
        rig = Rig(context, topics={f'/robot/{name}/depth/image': Image for name in NAMES})
        try:
            assert wait_until(lambda: node.state == 'active')
            for topic in ('/cam0/image_raw', '/cam0/camera_info', '/cam1/image_raw',
                          '/calibration/left', '/robot/right/image', '/robot/right/camera_info'):
                assert wait_until(lambda topic=topic: rig.node.count_subscribers(topic) == 1), \
                    topic
            for name in NAMES:
                assert rig.node.count_publishers(f'/robot/{name}/depth/points') == 1
            names = {name for name, _ in rig.node.get_topic_names_and_types()}
            assert '/robot/depth/points' not in names, 'no unnamed camera beside them'
        finally:
            rig.close()


class Gated(GivenDepthEngine):
    """Lets nobody into the network before the gate is open, and counts who goes in together."""

    def __init__(self):
        super().__init__(lambda frame: depth_of(frame.rgb))
        self.gate, self.reached = threading.Event(), threading.Event()
        self.batches = []

    def infer(self, batch):
        self.reached.set()
        assert self.gate.wait(30)
        assert len({item.shape for item in batch}) == 1, 'one size in one call'
        self.batches.append([item.frame.frame_id for item in batch])
        return super().infer(batch)


@pytest.fixture
def gated(context):
    """Return three rigs, the node and an engine that waits at its gate."""
    engine = Gated()
    with node_here(context, cameras=NAMES, service=lambda settings: DepthService(
            engine, max_batch=4)) as node:
        rigs = {name: Rig(context, namespace=f'/{name}', topics={'depth/image': Image})
                for name in NAMES}
        try:
            assert wait_until(lambda: node.state == 'active' and all(
                rig.connected() for rig in rigs.values()))
            yield rigs, node, engine
        finally:
            engine.gate.set()
            closing(rigs)


def put(rigs, node, name, stamp, camera=CAMERA):
    """Send a frame and wait until the node has it."""
    index, depth = NAMES.index(name), plane_depth(camera)
    before = node.cameras[index].counts().received
    rigs[name].send(coded_image(depth, stamp, name), camera_info(camera, stamp, name))
    assert wait_until(lambda: node.cameras[index].counts().received > before)


def put_first(rigs, node, engine):
    """
    Let the network be busy with a frame of the front camera.

    Only a frame that is in the network is safe from being replaced by a newer one of its camera.
    """
    put(rigs, node, 'front', 1)
    assert engine.reached.wait(20)


def waiting(node, count):
    """Wait until so many frames wait for the network, and none for an earlier stage."""
    return wait_until(lambda: node.loaded.statistics().waiting == (0, count, 0))


def test_frames_of_one_size_go_through_the_network_together(gated):
    rigs, node, engine = gated
    put_first(rigs, node, engine)
    for name in NAMES:
        put(rigs, node, name, 2)
    assert waiting(node, 3)
    engine.gate.set()
    assert wait_until(lambda: node.counts().published == 4)
    assert engine.batches == [['front'], ['front', 'left', 'right']]
    for name in NAMES:
        assert wait_until(lambda name=name: 2 in rigs[name].got['depth/image'])
        assert abs(depth_from(rigs[name].got['depth/image'][2]) - depth_at(3)).max() < 1e-4


def test_another_size_goes_alone_and_in_its_turn(gated):
    rigs, node, engine = gated
    put_first(rigs, node, engine)
    put(rigs, node, 'left', 2, small_camera(48, 36))
    for name in ('front', 'right'):
        put(rigs, node, name, 2)
    assert waiting(node, 3)
    engine.gate.set()
    assert wait_until(lambda: node.counts().published == 4)
    assert engine.batches == [['front'], ['left'], ['front', 'right']]


def test_a_fast_camera_does_not_starve_a_slow_one(gated):
    rigs, node, engine = gated
    put_first(rigs, node, engine)
    # The slow ones are older than what the fast one sends after them: they keep their turn.
    put(rigs, node, 'left', 2, small_camera(48, 36))
    put(rigs, node, 'right', 2, small_camera(40, 30))
    for stamp in range(2, 30):
        put(rigs, node, 'front', stamp)
    assert waiting(node, 3)
    engine.gate.set()
    assert wait_until(lambda: node.counts().waiting == 0)
    assert [batch[0] for batch in engine.batches[:3]] == ['front', 'left', 'right']
    front, left, right = (camera.counts() for camera in node.cameras)
    assert left.published == right.published == 1 and left.replaced == right.replaced == 0
    assert front.replaced >= 20 and front.received == front.accounted == 29
    assert wait_until(lambda: 29 in rigs['front'].got['depth/image']), 'the newest is not dropped'


def test_only_the_camera_that_is_read_is_subscribed_to(context):
    with node_here(context, cameras=NAMES) as node:
        rig = Rig(context, topics={'left/depth/image': Image})
        try:
            assert wait_until(lambda: node.state == 'active')
            assert wait_until(lambda: rig.node.count_subscribers('/left/image') == 1)
            assert [camera.input.topics.subscribed for camera in node.cameras] == [
                False, True, False]
        finally:
            rig.close()


@pytest.mark.parametrize('names, words', [
    ('[front, front]', 'front more than once'), ("['']", "has ''"), ('[9th]', "has '9th'")])
def test_bad_names_are_refused(context, names, words):
    with pytest.raises(ConfigError, match=words), node_here(context, '-p', f'cameras:={names}'):
        pass


def test_each_camera_has_its_own_mount_lens_and_frames(context):
    arguments = []
    for given in ('mount.height:=1.0', 'left.mount.height:=0.0', 'left.scan.frame_id:=left_scan',
                  'left.camera.fov_deg:=90.0', 'points.height_min:=0.5'):
        arguments += ['-p', given]
    names = NAMES[:2]
    topics = {'depth/points': PointCloud2, 'depth/scan': LaserScan,
              'depth/camera_info': CameraInfo}
    with node_here(context, *arguments, cameras=names) as node:
        rigs = {name: Rig(context, namespace=f'/{name}', topics=topics) for name in names}

        def seen(stamp):
            """Return the heights of each camera's points over the optical axis, and the rest."""
            uncalibrated = CameraInfo(width=32, height=24)
            out = {name: rig.ask(coded_image(depth_at(2), stamp, f'{name}_optical_frame'),
                                 stamped(uncalibrated, stamp)) for name, rig in rigs.items()}
            return {name: -xyz_of(messages['depth/points'])[..., 1] for name, messages in
                    out.items()}, out
        try:
            assert wait_until(lambda: node.state == 'active' and all(
                rig.connected() for rig in rigs.values()))
            node.set_parameters([Parameter('camera.fov_deg', value=60.0)])
            heights, out = seen(1)
            assert np.nanmin(heights['front']) >= -0.5 > np.nanmin(heights['front']) - 0.2
            assert np.nanmin(heights['left']) >= 0.5
            assert [out[name]['depth/scan'].header.frame_id for name in names] == [
                'front_frame', 'left_scan']
            for name, angle in (('front', 60), ('left', 90)):
                assert out[name]['depth/camera_info'].k[0] == pytest.approx(
                    16 / np.tan(np.radians(angle / 2)))

            # Live, too: one camera alone, and all those without their own.
            result, = node.set_parameters([Parameter('front.mount.height', value=0.0)])
            assert result.successful, result.reason
            assert np.nanmin(seen(2)[0]['front']) >= 0.5
            node.set_parameters([Parameter('mount.height', value=5.0)])
            assert np.nanmin(seen(3)[0]['front']) >= 0.5, 'it has its own now'
            before = node.settings_of('left')
            for name, value, words in (
                    ('left.mount.hight', 1.0, "did you mean 'left.mount.height'"),
                    ('back.mount.height', 1.0, 'not a known setting'),
                    ('left.points.stride', 2, 'not a known setting'),
                    ('left.mount.pitch_deg', 91.0, 'left.mount.pitch_deg must be from -90 to 90'),
                    ('left.points.target_frame', 'base_link', 'tf2_ros is not installed')):
                result, = node.set_parameters([Parameter(name, value=value)])
                assert not result.successful and words in result.reason, result.reason
            assert node.settings_of('left') == before
            result = node.set_parameters_atomically([
                Parameter('camera.rectify', value=True),
                Parameter('left.camera.image_geometry', value='rectified')])
            assert 'camera left: camera.rectify has nothing to do' in result.reason
        finally:
            closing(rigs)


@pytest.mark.parametrize('given, words', [
    ('back.mount.height:=1.0', "'back.mount.height' is not a known setting"),
    ('left.mount.height:=high', 'left.mount.height must be float'),
    ('left.mount.height:=1000.0', 'left.mount.height must be from -100 to 100 m')])
def test_what_one_camera_cannot_have_is_refused_at_start(context, given, words):
    with pytest.raises(ConfigError, match=words), node_here(context, '-p', given, cameras=NAMES):
        pass
