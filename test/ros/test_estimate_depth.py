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

import signal

from depth_anything_ros.srv import EstimateDepth
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    coded_image,
    depth_from,
    HERE,
    plane_depth,
    points_of,
    Process,
    Rig,
    ros_context,
    small_camera,
    wait_until,
    xyz_of,
)

pytestmark = pytest.mark.ros
CAMERA = small_camera(48, 36)
DEPTH = plane_depth(CAMERA)
DELAY = 0.4
QUEUE = 3


class Client:

    def __init__(self, rig):
        self.rig = rig
        self.client = rig.node.create_client(EstimateDepth, '/depth_anything/estimate_depth')
        assert wait_until(self.client.service_is_ready)

    def start(self, image, info=None, **options):
        request = EstimateDepth.Request(image=image, **options)
        if info is not None:
            request.camera_info = info
        return self.client.call_async(request)

    def call(self, *arguments, **options):
        future = self.start(*arguments, **options)
        assert wait_until(future.done)
        return future.result()


@pytest.fixture(scope='module')
def client():
    # Another process, canonical: only with a focal length are there metres.
    options = ('--kind', 'canonical', '--focal-per-width', '0.925', '--delay', str(DELAY),
               '--ros-args', '-p', f'model.queue_size:={QUEUE}',
               # No timer wakes the executor meanwhile: an answer must do so by itself.
               '-p', 'diagnostic_updater.period:=3600.0')
    with ros_context() as context, Process(str(HERE / 'exact_node.py'), *options) as node:
        rig = Rig(context)
        try:
            assert node.says('active:'), node.lines
            assert wait_until(rig.connected)
            yield Client(rig)
        finally:
            rig.close()
        assert node.end(signal.SIGINT) == 0, node.lines


def test_depth_and_cloud(client):
    image = coded_image(DEPTH, 77)
    answer = client.call(image, camera_info(CAMERA, 77), with_cloud=True, with_confidence=True)
    assert (answer.success, answer.code, answer.model) == (True, 'ok', 'exact')
    assert answer.scale_law.startswith('canonical: metres') and 'camera_info' in answer.scale_law
    assert np.allclose(depth_from(answer.depth), DEPTH, rtol=1e-4)
    assert np.allclose(xyz_of(answer.cloud), points_of(DEPTH, CAMERA), rtol=1e-4, atol=1e-4)
    assert answer.camera_info.k[0] == CAMERA.fx
    assert answer.depth.header == answer.cloud.header == answer.camera_info.header == image.header
    assert len(answer.confidence.data) == 0, 'this engine has no confidence'


def test_only_what_was_asked_for(client):
    answer = client.call(coded_image(DEPTH, 78), camera_info(CAMERA, 78))
    assert answer.success and len(answer.depth.data) and not len(answer.cloud.data)


def test_a_field_of_view(client):
    answer = client.call(coded_image(DEPTH, 79), fov_deg=90.0)
    assert answer.success and 'fov' in answer.scale_law
    assert answer.camera_info.k[0] == pytest.approx(24)


@pytest.mark.parametrize('change, code, words', [
    (lambda r: setattr(r, 'step', 1), 'invalid_image', 'step is 1 bytes'),
    (lambda r: setattr(r, 'width', 0), 'invalid_image', '0x36'),
    (lambda r: setattr(r, 'encoding', '32FC1'), 'unsupported_encoding', 'accepted: rgb8')])
def test_a_bad_image(client, change, code, words):
    image = coded_image(DEPTH, 80)
    change(image)
    answer = client.call(image, camera_info(CAMERA, 80))
    assert (answer.success, answer.code) == (False, code) and words in answer.message
    assert not len(answer.depth.data)


def test_no_focal_length(client):
    answer = client.call(coded_image(DEPTH, 81))
    assert (answer.success, answer.code) == (False, 'invalid_intrinsics')
    assert 'fov_deg' in answer.message


@pytest.mark.parametrize('options', [{'process_res': -14}, {'fov_deg': 200.0}])
def test_options_that_cannot_be_meant(client, options):
    answer = client.call(coded_image(DEPTH, 82), camera_info(CAMERA, 82), **options)
    assert (answer.success, answer.code) == (False, 'malformed_message')


def test_too_many_at_once_are_busy_and_topics_go_on(client):
    rig = client.rig
    futures = [client.start(coded_image(DEPTH, number), camera_info(CAMERA, number))
               for number in range(QUEUE + 2)]
    rig.ask(coded_image(DEPTH, 900), camera_info(CAMERA, 900))
    assert wait_until(lambda: all(future.done() for future in futures))
    codes = [future.result().code for future in futures]
    assert codes.count('ok') >= QUEUE and set(codes) <= {'ok', 'busy'} and 'busy' in codes


def test_not_active():
    options = ('--ros-args', '-p', 'node.autostart:=false', '-r', '__node:=idle_depth')
    with ros_context() as context, Process(str(HERE / 'exact_node.py'), *options) as node:
        rig = Rig(context, topics={})
        try:
            client = rig.node.create_client(EstimateDepth, '/idle_depth/estimate_depth')
            assert wait_until(client.service_is_ready), node.lines
            future = client.call_async(EstimateDepth.Request())
            assert wait_until(future.done)
            assert (future.result().success, future.result().code) == (False, 'not_ready')
        finally:
            rig.close()
