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

"""Several models in one server: requests choose by model, those of the older API by encoder."""

from __future__ import annotations

import base64

from bridge_parts import picture
import cv2
from depth_anything_ros.bridges.rest.seed_law import model_for
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
import httpx
import numpy as np
import pytest
from rest_parts import serving
from server_process import program, server, TINY

PNG = cv2.imencode('.png', picture())[1].tobytes()
BODY = {'image': base64.b64encode(PNG).decode(), 'max_depth': 20.0, 'depth_format': 'float32'}
METRES = {'da3metric-large': 2.0, 'da3-small': 3.0, 'da3-base': 4.0}


@pytest.fixture(scope='module')
def client():
    services = [
        DepthService(GivenDepthEngine(
            lambda frame, metres=metres: np.full(frame.rgb.shape[:2], metres, np.float32),
            model=name))
        for name, metres in METRES.items()]
    with serving() as found:
        found.bridge.start(*services)
        yield found
    for service in services:
        service.close()


def answer_of(client, encoder):
    reply = client.post('/metric_depth', json={**BODY, 'encoder': encoder}).json()
    depth = np.frombuffer(base64.b64decode(reply['depth_map']), '<f4')
    return reply['model'], float(depth[0]), reply['notes']


@pytest.mark.parametrize(('encoder', 'model'), [
    ('vits', 'da3-small'), ('vitb', 'da3-base'), ('vitl', 'da3metric-large')])
def test_r10_encoder_chooses_the_model(client, encoder, model):
    name, metres, notes = answer_of(client, encoder)
    assert (name, metres) == (model, METRES[model])
    assert not any('encoder' in note for note in notes)


def test_r10_an_encoder_that_no_model_stands_for(client):
    name, metres, notes = answer_of(client, 'vitg')
    assert (name, metres) == ('da3metric-large', 2.0)
    assert any('vitg stands for a giant model; none is loaded' in note for note in notes)


@pytest.mark.parametrize(('models', 'expected'), [
    (['da3metric-large', 'da3-large'], 'da3metric-large'),
    (['da3-small', 'da3-large'], 'da3-large'),
    (['da3-tiny', 'da3nested-giant-large'], 'da3nested-giant-large'), (['da3-tiny'], 'da3-tiny')])
def test_r10_the_first_of_the_right_size(models, expected):
    name, note = model_for('vitl', models)
    assert name == expected and bool(note) == ('large' not in expected)


def test_v1_and_v2_choose_by_model(client):
    assert [row['id'] for row in client.get('/v1/models').json()['models']] == list(METRES)
    found = client.get('/v1/status').json()
    assert found['also_loaded'] == ['da3-small', 'da3-base']
    assert len(found['requests']['waiting']) == 3
    # Every model's requests count.
    assert client.post('/v1/depth', params={'model': 'da3-base'}, content=PNG).status_code == 200
    after = client.get('/v1/status').json()['requests']
    assert after['done'] == found['requests']['done'] + 1
    for name, metres in METRES.items():
        reply = client.post('/v1/depth', content=PNG, params={'model': name})
        assert reply.headers['X-Depth-Model'] == name
        assert np.frombuffer(reply.content, '<f4')[0] == metres
        assert client.get(f'/v2/models/{name}').json()['name'] == name
    assert client.post('/v1/depth', content=PNG).headers['X-Depth-Model'] == 'da3metric-large'
    reply = client.post('/v1/depth', content=PNG, params={'model': 'da3-giant'})
    assert reply.status_code == 400 and reply.json()['code'] == 'unknown_model'
    assert 'here is da3metric-large, da3-small, da3-base' in reply.json()['detail']
    reply = client.get('/v2/models/da3-giant')
    assert reply.status_code == 404 and 'da3-small' in reply.json()['error']


def test_metrics_of_each_model(client):
    before = counted(client)
    client.post('/v1/depth', content=PNG, params={'model': 'da3-base'})
    assert counted(client) - before == 1


def counted(client):
    text = client.get('/metrics').text
    start = 'depth_anything_model_requests_total{model="da3-base",outcome="done"} '
    return next(float(line[len(start):]) for line in text.splitlines() if line.startswith(start))


def test_also_model_of_the_program(tmp_path):
    """Two real networks in a real process; the second has random weights."""
    models = pytest.importorskip('depth_anything_ros.engine.models')
    from depth_anything_ros.engine.network import build_random
    from safetensors.torch import save_model
    (tmp_path / 'config.json').write_text('{"model_name": "da3-small"}')
    save_model(build_random(models.find('da3-small'), 1), tmp_path / 'model.safetensors')
    with server('depth_anything_ros.cli.main', 'rest', '--port', '0', *TINY,
                '--also-model', str(tmp_path), names=1) as found, \
            httpx.Client(base_url=found['rest'], trust_env=False, timeout=60) as client:
        names = [row['id'] for row in client.get('/v1/models').json()['models']]
        assert names == ['da3-tiny', 'da3-small']
        for encoder, name in (('vits', 'da3-small'), ('vitb', 'da3-tiny')):
            reply = client.post('/metric_depth', json={
                **BODY, 'encoder': encoder, 'model_input_size': 42}).json()
            assert reply['model'] == name


@pytest.mark.parametrize('model', [('rest', '--model'), ('ws', '--model-dir')])
def test_also_model_twice(model):
    verb, flag = model
    ended = program('depth_anything_ros.cli.main', verb, '--port', '0', flag, 'da3-tiny',
                    '--device', 'cpu', '--also-model', 'da3-tiny')
    assert ended.returncode == 2 and 'da3-tiny is named twice' in ended.stderr


def test_also_model_needs_http():
    ended = program('depth_anything_ros.cli.main', 'serve', '--zmq', *TINY,
                    '--also-model', 'da3-small')
    assert ended.returncode == 2 and '--also-model needs --rest' in ended.stderr
