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

"""The service ~/save_snapshot: what the node publishes, as files that others read."""

import os
from pathlib import Path

import cv2
from depth_anything_ros.ros.services.save_snapshot import save
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    coded_image,
    node_here,
    plane_depth,
    points_of,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)
from std_srvs.srv import Trigger
import yaml

pytestmark = pytest.mark.ros
CAMERA = small_camera(32, 24)
DEPTH = plane_depth(CAMERA)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('snapshots')


@pytest.fixture(scope='module')
def parts(folder):
    with ros_context() as context, node_here(
            context, snapshot__directory=str(folder), snapshot__timeout=15.0,
            snapshot__max_count=1) as node:
        rig = Rig(context, topics={})
        try:
            assert wait_until(lambda: node.state == 'active')
            yield node, rig
        finally:
            rig.close()


def call(rig, feed=lambda: None):
    client = rig.node.create_client(Trigger, '/depth_anything/save_snapshot')
    try:
        assert client.wait_for_service(20)
        future = client.call_async(Trigger.Request())

        def answered():
            feed()
            return wait_until(future.done, 0.2)
        assert wait_until(answered, 60)
        return future.result()
    finally:
        rig.node.destroy_client(client)


def test_the_files_hold_the_frame(parts, folder):
    node, rig = parts
    assert not node.cameras[0].input.topics.subscribed, 'nobody reads'
    stamp = 7 * 10 ** 9 + 5
    image = coded_image(DEPTH, stamp)
    answer = call(rig, lambda: rig.send(image, camera_info(CAMERA, stamp)))
    assert answer.success, answer.message
    path = folder / '7.000000005'
    assert str(path) in answer.message
    depth = np.load(path / 'depth.npy')
    np.testing.assert_allclose(depth, DEPTH, atol=1e-5)
    raw = cv2.imread(str(path / 'depth.png'), cv2.IMREAD_UNCHANGED)
    assert raw.dtype == np.uint16 and np.array_equal(raw, np.rint(depth * 1000))
    rgb = cv2.cvtColor(cv2.imread(str(path / 'color.png')), cv2.COLOR_BGR2RGB)
    assert rgb.tobytes() == bytes(image.data)
    info = yaml.safe_load((path / 'camera_info.yaml').read_text())
    assert (info['image_width'], info['image_height']) == (32, 24)
    assert np.reshape(info['camera_matrix']['data'], (3, 3)) == pytest.approx(CAMERA.matrix())
    head, _, body = (path / 'cloud.ply').read_bytes().partition(b'end_header\n')
    assert b'unit metres' in head
    points = np.frombuffer(body, np.dtype([('xyz', '<f4', 3), ('rgb', 'u1', 3)]))
    np.testing.assert_allclose(
        points['xyz'], points_of(DEPTH, CAMERA).reshape(-1, 3), atol=1e-4)
    assert points['rgb'].tobytes() == rgb.tobytes()
    full = call(rig, lambda: rig.send(image, camera_info(CAMERA, stamp)))
    assert not full.success and 'holds 1 entries already (snapshot.max_count)' in full.message
    # Nobody watches any more, so the camera is left alone again.
    assert wait_until(lambda: not node.cameras[0].input.topics.subscribed)


def test_refusals_say_why(parts):
    node, rig = parts
    node.enable(False)
    answer = call(rig)
    assert not answer.success and '~/enable' in answer.message
    node.enable(True)
    node.trigger_deactivate()
    answer = call(rig)
    assert not answer.success and 'not active' in answer.message
    node.trigger_activate()


def test_without_a_folder_it_is_off():
    with ros_context() as context, node_here(context, node__autostart=False):
        rig = Rig(context, topics={})
        try:
            answer = call(rig)
            assert not answer.success and 'snapshot.directory is empty' in answer.message
        finally:
            rig.close()


def test_a_camera_without_images_is_named(tmp_path):
    from concurrent.futures import Future
    settings = changed(Settings(), {
        'snapshot.directory': str(tmp_path), 'snapshot.timeout': 0.1})
    assert save([('left', Future(), None)], settings) == ([], ['left: no frame within 0.1 s'])
    assert not os.listdir(Path(tmp_path))
