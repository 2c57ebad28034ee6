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

"""REST inside the node: a camera of the robot is seen over HTTP, also when no topic is read."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
import io
import json
import signal

import cv2
from depth_anything_ros.bridges.from_settings import bridges_of
from depth_anything_ros.core.camera import Intrinsics
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    coded_image,
    exact_service,
    node_here,
    Process,
    Rig,
    ros_context,
    wait_until,
)
from sensor_msgs.msg import Image

httpx = pytest.importorskip('httpx')
pytest.importorskip('fastapi')
pytestmark = pytest.mark.ros

CAMERA = Intrinsics(40.0, 40.0, 19.5, 14.5, 40, 30)
DEPTH = np.linspace(1, 9, 1200, dtype=np.float32).reshape(30, 40)
REST = {'bridges__rest__enabled': True, 'bridges__rest__port': 0}


@contextmanager
def rigged(topics=()):
    with ros_context() as context:
        rig = Rig(context, topics=dict.fromkeys(topics, Image))
        try:
            yield rig
        finally:
            rig.close()


def follow(rig, client, **query):
    """Send images until a frame comes back over HTTP."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(client.get, '/v1/stream/camera', params={'frames': 1, **query})
        stamp = 10 ** 9
        while not future.done():
            stamp += 10 ** 8
            rig.send(coded_image(DEPTH, stamp=stamp), camera_info(CAMERA, stamp))
            wait_until(future.done, 0.1)
        return future.result()


def test_a_camera_is_watched_over_http_and_left_in_peace_otherwise():
    with rigged() as rig, node_here(
            rig.node.context, service=exact_service, companions=bridges_of, **REST) as node:
        assert wait_until(lambda: node.state == 'active')
        camera, = node.cameras
        with httpx.Client(base_url=node.addresses()['rest'], timeout=60,
                          trust_env=False) as client:
            assert not camera.input.topics.subscribed
            assert client.get('/v1/streams').json()['streams'][0]['name'] == 'camera'
            reply = follow(rig, client, format='npy')
            assert reply.status_code == 200 and reply.headers['X-Depth-Units'] == 'm'
            np.testing.assert_array_equal(np.load(io.BytesIO(reply.content)).shape, (30, 40))
            preview = follow(rig, client)
            assert cv2.imdecode(
                np.frombuffer(preview.content, np.uint8), cv2.IMREAD_COLOR).shape == (30, 40, 3)
            # Nobody reads any more: the camera is left again, and every image accounted for.
            assert wait_until(lambda: not camera.input.topics.subscribed)
            assert wait_until(lambda: not node.counts().waiting)
            counts = node.counts()
            assert counts.published >= 2 and counts.failed == 0
            text = client.get('/metrics').text
            assert 'depth_anything_stream_frames_total{outcome="done",stream="camera"}' in text


def test_watching_and_reading_a_topic_give_the_same_numbers():
    with rigged(['depth/image']) as rig, node_here(
            rig.node.context, service=exact_service, companions=bridges_of, **REST) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        with httpx.Client(base_url=node.addresses()['rest'], timeout=60,
                          trust_env=False) as client:
            reply = follow(rig, client, format='raw')
            stamp = json.loads(reply.headers['X-Depth-Result'])['stamp_ns']
            assert wait_until(lambda: stamp in rig.got['depth/image'])
            message = rig.got['depth/image'][stamp]
            assert bytes(message.data) == reply.content


def test_the_program_serves_what_its_parameters_say():
    with Process('-m', 'depth_anything_ros.ros.node', '--ros-args', '-p',
                 'model.name:=da3-tiny', '-p', 'model.device:=cpu', '-p',
                 'bridges.rest.enabled:=true', '-p', 'bridges.rest.port:=0') as node:
        assert node.says('serving rest at http://127.0.0.1:', 120)
        line, = [line for line in node.lines if 'serving rest at' in line]
        address = line.partition('serving rest at ')[2].split()[0]
        assert httpx.get(f'{address}/readyz', trust_env=False).status_code == 200
        assert node.end(signal.SIGTERM, timeout=30) == 0
