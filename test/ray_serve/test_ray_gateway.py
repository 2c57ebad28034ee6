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

"""``depth-anything serve --ray``: the routes of every server, with replicas behind them."""

import base64

from bridge_parts import picture
import cv2
import httpx
import pytest
from server_process import program, server, TINY

pytest.importorskip('ray')

MAIN = 'depth_anything_ros.cli.main'
PATIENCE_S = 60.0
PNG = cv2.imencode('.png', picture(3, 320, 200)[..., ::-1])[1].tobytes()
OF_A_REPLY = ('timings', 'request_id', 'processing_time')


@pytest.fixture(scope='module')
def both():
    """Yield clients of a gateway with two replicas of a model, and of the model's own server."""
    with server(MAIN, 'serve', '--ray', '--replicas', '2', '--port', '0', *TINY,
                names=1) as there, \
            server(MAIN, 'serve', '--rest', '--port', '0', *TINY, names=1) as here, \
            httpx.Client(base_url=there['rest'], timeout=PATIENCE_S, trust_env=False) as gateway, \
            httpx.Client(base_url=here['rest'], timeout=PATIENCE_S, trust_env=False) as plain:
        yield gateway, plain


@pytest.mark.parametrize('accept', ['application/x-npy', 'image/tiff'])
def test_v1_depth_is_the_same_to_the_byte(both, accept):
    one, other = (client.post('/v1/depth?fov_deg=60', content=PNG, headers={
        'Content-Type': 'image/png', 'Accept': accept}) for client in both)
    assert one.status_code == other.status_code == 200, one.text
    assert one.content == other.content


@pytest.mark.parametrize('path', ['/metric_depth', '/rel_depth', '/pc'])
def test_the_older_api_is_the_same(both, path):
    body = {'image': base64.b64encode(PNG).decode(), 'max_depth': 20.0,
            'camera_intrinsics': {'fx': 300.0, 'fy': 310.0, 'cx': 160.0, 'cy': 100.0}}
    one, other = (client.post(path, json=body) for client in both)
    assert one.status_code == other.status_code == 200, one.text
    assert {name: value for name, value in one.json().items() if name not in OF_A_REPLY} == {
        name: value for name, value in other.json().items() if name not in OF_A_REPLY}


def test_errors_are_the_same(both):
    for content in (b'no picture', b''):
        one, other = (client.post('/v1/depth', content=content, headers={
            'Content-Type': 'image/png'}) for client in both)
        assert one.status_code == other.status_code == 400
        assert one.json()['detail'] == other.json()['detail']


def test_one_page_has_every_replicas_numbers(both):
    gateway, _ = both
    for _ in range(8):
        assert gateway.post('/v1/depth?fov_deg=60', content=PNG, headers={
            'Content-Type': 'image/png'}).status_code == 200
    page = gateway.get('/metrics').text
    names = {line.split('"')[1] for line in page.splitlines()
             if line.startswith('depth_anything_device_images_total{')}
    assert 1 <= len(names) <= 2
    for name in names:
        assert f'depth_anything_device_up{{device="{name}"}} 1.0' in page
        assert f'depth_anything_device_busy_seconds_total{{device="{name}"}}' in page
    assert 'depth_anything_batches_total{size="1"}' in page


@pytest.mark.parametrize('words, text', [
    (('--ray', '--ray-address', '127.0.0.1:9'), 'no Ray at 127.0.0.1:9'),
    (('--ray', '--ray-address', 'auto', '--replicas', '2'), '--replicas is 1 or more'),
    (('--ray', '--replicas', '0'), '--replicas is 1 or more'),
    (('--ray', '--engine-url', 'http://h'), 'neither --engine-url nor --devices'),
    (('--rest', '--replicas', '2'), 'need --ray')])
def test_what_cannot_be_meant_is_said(words, text):
    done = program(MAIN, 'serve', '--port', '0', *TINY, *words)
    assert done.returncode == 2 and text in done.stderr and 'Traceback' not in done.stderr, (
        done.stderr)
