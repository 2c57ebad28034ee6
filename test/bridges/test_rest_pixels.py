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

"""``/v1`` with pixels as its body, where no file has to be made or read."""

import dataclasses

from bridge_parts import picture
import cv2
from depth_anything_ros.bridges.rest.options import REST_LIMITS
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.wire.limits import Limits
import numpy as np
import pytest
from rest_parts import serving

WIDTH, HEIGHT = 80, 60
CAMERA = '70,72,40,30'
IMAGE = picture(3, WIDTH, HEIGHT)
PNG = cv2.imencode('.png', IMAGE[..., ::-1])[1].tobytes()
DEPTHS = np.linspace(0.5, 30.0, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)


@pytest.fixture(scope='module')
def client():
    with serving(lambda frame: DEPTHS, kind=DepthKind.METRIC) as found:
        yield found


def test_1_7_pixels_are_the_same_as_a_file():
    seen = []
    grey = IMAGE[..., 0]
    rgba = np.dstack([IMAGE, np.full_like(grey, 9)])
    with serving(lambda frame: seen.append(frame.rgb) or DEPTHS, kind=DepthKind.METRIC) as client:
        for path in ('/v1/depth', '/v1/pointcloud'):
            for pixels, shown in ((IMAGE, IMAGE), (grey, np.dstack([grey] * 3)), (rgba, IMAGE),
                                  (grey[..., None], np.dstack([grey] * 3))):
                reply = client.post(path, content=pixels.tobytes(), params={
                    'camera_intrinsics': CAMERA}, headers={
                        'Content-Type': 'application/octet-stream',
                        'X-Image-Shape': ','.join(str(side) for side in pixels.shape)})
                assert reply.status_code == 200, reply.text
                np.testing.assert_array_equal(seen.pop(), shown)
        file = client.post('/v1/depth', content=PNG, params={'camera_intrinsics': CAMERA})
        np.testing.assert_array_equal(seen.pop(), IMAGE)
        assert file.content == DEPTHS.tobytes()


@pytest.mark.parametrize(('shape', 'kind', 'status', 'text'), [
    ('60,80,3', 'image/png', 415, 'X-Image-Shape'),
    ('60,80,2', 'application/octet-stream', 400, 'needs 9600 bytes, 14400'),
    ('3,60,80', 'application/octet-stream', 400, 'accepted: uint8 arrays'),
    ('60,80', 'application/octet-stream', 400, 'needs 4800 bytes'),
    ('', 'application/octet-stream', 400, 'height,width,3'),
    ('60,80,3,1', 'application/octet-stream', 400, 'height,width,3'),
    ('60,-80,3', 'application/octet-stream', 400, 'height,width,3'),
    ('60,80,3.0', 'application/octet-stream', 400, 'height,width,3'),
    ('999999999,999999999,3', 'application/octet-stream', 400, 'bytes, 14400 are there'),
    ('0,80,3', 'application/octet-stream', 400, 'bytes'),
])
def test_1_7_pixels_that_do_not_fit(client, shape, kind, status, text):
    reply = client.post('/v1/depth', content=IMAGE.tobytes(), headers={
        'Content-Type': kind, 'X-Image-Shape': shape})
    assert reply.status_code == status and text in reply.json()['detail'], reply.text


def test_p4_pixels_over_the_limit():
    limits = dataclasses.replace(REST_LIMITS, message=Limits(pixels=1000))
    with serving(limits=limits) as client:
        reply = client.post('/v1/depth', content=IMAGE.tobytes(), headers={
            'Content-Type': 'application/octet-stream', 'X-Image-Shape': '60,80,3'})
        assert reply.status_code == 413 and reply.json()['code'] == 'payload_too_large'
