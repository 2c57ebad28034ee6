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

"""Clouds in another frame: points moved by TF, everything else as it was."""

from importlib.util import find_spec
import sys
import threading
import time

from depth_anything_ros.core.placement import placed, Placement
from depth_anything_ros.errors import ConfigError
from geometry_msgs.msg import TransformStamped
import numpy as np
import pytest
from rclpy.parameter import Parameter
from ros_parts import (
    camera_info,
    coded_image,
    depth_from,
    FRAME,
    HERE,
    node_here,
    plane_depth,
    points_of,
    Rig,
    ros_context,
    small_camera,
    wait_until,
    xyz_of,
)
from sensor_msgs.msg import PointCloud2

pytestmark = pytest.mark.ros

CAMERA = small_camera(40, 30)
MOVE, TURN = (0.5, -0.2, 1.1), (-0.5, 0.5, -0.5, 0.5)
PLACEMENT = Placement.from_pose('base_link', MOVE, TURN)


def pose(target, stamp=0):
    message = TransformStamped(child_frame_id=FRAME)
    message.header.frame_id = target
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10 ** 9)
    move, turn = message.transform.translation, message.transform.rotation
    move.x, move.y, move.z = MOVE
    turn.x, turn.y, turn.z, turn.w = TURN
    return message


@pytest.fixture
def tf2(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE / 'stand_ins'))
    import tf2_ros
    monkeypatch.setattr(tf2_ros.Buffer, 'poses', {
        ('base_link', FRAME): [pose('base_link')], ('odom', FRAME): [pose('odom', 10 ** 9)]})
    yield tf2_ros
    monkeypatch.undo()
    sys.modules.pop('tf2_ros', None)


@pytest.fixture
def rig():
    with ros_context() as context:
        rig = Rig(context)
        try:
            yield rig
        finally:
            rig.close()


def frame_at(stamp):
    return coded_image(plane_depth(CAMERA), stamp), camera_info(CAMERA, stamp)


def test_only_the_cloud_moves_and_only_its_frame_changes(rig, tf2):
    with node_here(rig.node.context, points__target_frame='base_link') as node:
        out = rig.ask(*frame_at(5))
        image, _ = frame_at(5)
        assert out['depth/points'].header.frame_id == 'base_link'
        assert out['depth/points'].header.stamp == image.header.stamp
        for topic in ('depth/image', 'depth/camera_info', 'depth/preview'):
            assert out[topic].header == image.header
        points = points_of(plane_depth(CAMERA), CAMERA).astype(np.float32)
        np.testing.assert_allclose(
            xyz_of(out['depth/points']), placed(points, PLACEMENT.matrix), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(
            depth_from(out['depth/image']), plane_depth(CAMERA), rtol=1e-5, atol=1e-5)
        # Heights are then z of that frame; and the frame of the image needs no transform at all.
        band = [Parameter('points.height_min', value=1.0)]
        assert node.set_parameters_atomically(band).successful
        heights = xyz_of(rig.ask(*frame_at(6))['depth/points'])[..., 2]
        assert np.nanmin(heights) >= 1 and np.isnan(heights).any()
        assert node.set_parameters_atomically([
            Parameter('points.height_min', value=-1000.0),
            Parameter('points.target_frame', value=FRAME)]).successful
        own = rig.ask(*frame_at(7))['depth/points']
        assert own.header.frame_id == FRAME
        np.testing.assert_allclose(xyz_of(own), points, rtol=1e-4, atol=1e-4)


def test_listening_begins_and_ends_with_the_parameter(rig, tf2):
    with node_here(rig.node.context) as node:
        rig.ask(*frame_at(5))
        before = len(tf2.TransformListener.made)
        for stamp, target in ((6, 'base_link'), (7, 'base_link'), (8, '')):
            assert node.set_parameters_atomically([
                Parameter('points.target_frame', value=target)]).successful
            rig.ask(*frame_at(stamp))
        listener, = tf2.TransformListener.made[before:]
        assert not listener.registered
        assert node.set_parameters_atomically([
            Parameter('points.target_frame', value='base_link')]).successful
        rig.ask(*frame_at(9))
        node.trigger_deactivate()
        assert not tf2.TransformListener.made[-1].registered


def test_without_a_transform_there_is_no_cloud_all_else_comes_and_the_reason_is_said(rig, tf2):
    with node_here(rig.node.context, points__target_frame='nowhere') as node:
        cloud = rig.got.pop('depth/points')
        rig.ask(*frame_at(5))
        rig.ask(*frame_at(6))
        assert not cloud
        assert wait_until(lambda: 'nowhere' in node.cameras[0].reporter.last_error)
        assert node.set_parameters_atomically([
            Parameter('points.target_frame', value='base_link')]).successful
        rig.ask(*frame_at(7))
        assert wait_until(lambda: 7 in cloud)
        # A frame that was never found is not waited for: that would slow every other topic.
        assert tf2.Buffer.made[-1].waits == [0.0, 0.0, 0.0]


def test_what_tf_remembers_is_forgotten_when_a_bag_begins_again(rig, tf2):
    with node_here(rig.node.context, points__target_frame='base_link'):
        for second, cleared in ((100, 0), (101, 0), (98, 0), (101, 0), (20, 1), (21, 1)):
            rig.got['depth/points'].clear()
            rig.ask(*frame_at(second * 10 ** 9))
            assert tf2.Buffer.made[-1].cleared == cleared


@pytest.mark.parametrize('timeout, comes', [(0.0, False), (1.0, True)])
def test_how_long_a_transform_that_lags_is_waited_for(rig, tf2, timeout, comes):
    with node_here(rig.node.context, points__target_frame='odom', points__tf_timeout=timeout):
        rig.ask(*frame_at(10 ** 9))
        cloud = rig.got.pop('depth/points')

        def later():
            assert wait_until(lambda: len(tf2.Buffer.made[-1].waits) > 1)
            time.sleep(0.1)
            tf2.Buffer.poses['odom', FRAME].append(pose('odom', 2 * 10 ** 9))

        thread = threading.Thread(target=later)
        thread.start()
        rig.ask(*frame_at(2 * 10 ** 9))
        thread.join()
        # The next one comes after whatever came of the last.
        tf2.Buffer.poses['odom', FRAME].append(pose('odom', 3 * 10 ** 9))
        rig.ask(*frame_at(3 * 10 ** 9))
        assert wait_until(lambda: 3 * 10 ** 9 in cloud)
        assert (2 * 10 ** 9 in cloud) == comes


@pytest.mark.skipif(find_spec('tf2_ros') is not None, reason='tf2_ros is installed here')
def test_without_tf2_a_target_frame_is_refused_with_the_reason(rig):
    with node_here(rig.node.context) as node:
        assert wait_until(lambda: node.state == 'active')
        result = node.set_parameters_atomically([
            Parameter('points.stride', value=2),
            Parameter('points.target_frame', value='base_link')])
        assert not result.successful and 'tf2_ros is not installed' in result.reason
        assert node.settings.points.stride == 1
    with pytest.raises(ConfigError, match='tf2_ros is not installed'):
        with node_here(rig.node.context, points__target_frame='base_link'):
            pass


def test_one_camera_has_a_target_frame_and_the_other_none(rig, tf2):
    context = rig.node.context
    topics = {'depth/points': PointCloud2}
    with node_here(context, '-p', 'front.points.target_frame:=base_link',
                   cameras=('front', 'left')) as node:
        rigs = [Rig(context, f'/{name}', topics) for name in ('front', 'left')]
        try:
            assert wait_until(lambda: node.state == 'active')
            before = len(tf2.TransformListener.made)
            for stamp in (5, 6):
                frames = [each.ask(*frame_at(stamp))['depth/points'].header.frame_id
                          for each in rigs]
                assert frames == ['base_link', FRAME]
            listener, = tf2.TransformListener.made[before:]
            assert listener.registered, 'the camera without one does not end it'
        finally:
            for each in rigs:
                each.close()
