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

"""KServe v2: Triton's own client against a real server with da3-tiny, and raw requests."""

from __future__ import annotations

from dataclasses import replace
import json
import math
from pathlib import Path
import subprocess
import sys
import zlib

from bridge_parts import Gate, PATIENCE_S, running
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.rest.options import REST_LIMITS, RestOptions
from depth_anything_ros.bridges.rest.server import RestBridge
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.service import load_engine
from depth_anything_ros.settings import Settings
from depth_anything_ros.settings.model import ModelSettings
from depth_anything_ros.wire.kserve import HEADER_LENGTH, JSON_BYTES, JSON_VALUES
from depth_anything_ros.wire.limits import Limits
import numpy as np
import pytest
from rest_parts import client_of, serving

PROGRAM = Path(__file__).with_name('triton_program.py')

INFER = '/v2/models/given/infer'

SMALL = {'name': 'image', 'datatype': 'UINT8', 'shape': [2, 2, 3], 'data': list(range(12))}


def images(count=1, height=56, width=84):
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def expected(engine, rgb, options=FrameOptions(outputs=frozenset({  # noqa: B008
        Output.DEPTH, Output.SKY})), camera=True):
    height, width = rgb.shape[:2]
    frame = Frame(rgb, intrinsics=Intrinsics(70, 72, 42, 28, width, height) if camera else None)
    return engine.finish(engine.infer([engine.prepare(frame, options)])[0])


@pytest.fixture(scope='module')
def engine():
    pytest.importorskip('depth_anything_3')
    return load_engine(Settings(model=ModelSettings(name='da3-tiny', device='cpu')))


@pytest.fixture(scope='module')
def seen(engine, tmp_path_factory):
    """Return what tritonclient got: what was said, and arrays."""
    pytest.importorskip('tritonclient')
    file = tmp_path_factory.mktemp('triton') / 'seen.npz'
    with running(RestBridge(RestOptions(), 0), engine=engine) as bridge:
        address = bridge.address.removeprefix('http://')
        done = subprocess.run(
            [sys.executable, str(PROGRAM), address, str(file), 'da3-tiny'],
            capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        engine.expected = {
            'one': expected(engine, images()[0]),
            'batch': [expected(engine, rgb) for rgb in images(3)],
            'angle': expected(engine, images()[0], FrameOptions(fov_deg=60, maximum=4), False)}
    with np.load(file, allow_pickle=False) as found:
        arrays = dict(found)
    return json.loads(str(arrays.pop('said'))), arrays


def test_tritonclient_finds_the_server_and_its_model(seen):
    said, _ = seen
    assert said['live'] and said['ready'] and said['model ready'] and said['version ready']
    assert not said['other ready'] and not said['other version ready']
    assert said['server']['name'] == 'depth_anything_ros'
    assert 'binary_tensor_data' in said['server']['extensions']
    assert said['metadata']['name'] == 'da3-tiny' and said['metadata']['versions'] == ['1']
    assert said['metadata']['inputs'] == [
        {'name': 'image', 'datatype': 'UINT8', 'shape': [-1, -1, -1, 3]},
        {'name': 'intrinsics', 'datatype': 'FP32', 'shape': [-1, 3, 3]}]
    outputs = {row['name']: row['datatype'] for row in said['metadata']['outputs']}
    assert outputs['depth'] == 'FP32' and outputs['sky'] == 'BOOL'
    assert said['config']['max_batch_size'] == 8
    assert said['config']['input'][0] == {
        'name': 'image', 'data_type': 'TYPE_UINT8', 'dims': [-1, -1, 3], 'optional': False}
    assert said['config']['parameters']['units'] == {'string_value': 'm'}


def test_tritonclient_gets_the_engines_depth_in_every_form(seen, engine):
    said, arrays = seen
    depth = engine.expected['one'].depth
    assert np.isfinite(depth).any()
    for form in ('binary', 'plain', 'gzip', 'deflate'):
        assert arrays[form].dtype == np.float32, form
        np.testing.assert_array_equal(arrays[form], depth, form)
    np.testing.assert_array_equal(arrays['raw of both'], depth)
    np.testing.assert_array_equal(arrays['json of both'], engine.expected['one'].sky)
    for each in arrays['async']:
        np.testing.assert_array_equal(each, depth)
    stacked = np.stack([each.depth for each in engine.expected['batch']])
    np.testing.assert_array_equal(arrays['batch'], stacked)
    np.testing.assert_array_equal(arrays['four numbers'], stacked)
    assert arrays['sky'].dtype == np.bool_ and arrays['sky'].shape == stacked.shape
    np.testing.assert_array_equal(arrays['angle'], engine.expected['angle'].depth)
    assert [row['name'] for row in said['batch']['outputs']] == ['sky', 'depth'], 'as asked'


def test_replies_say_units_kind_and_scale_law(seen, engine):
    said, _ = seen
    law = engine.expected['one'].scale_law
    for reply in (said['binary'], said['plain'], said['batch']):
        assert reply['model_name'] == 'da3-tiny' and reply['model_version'] == '1'
        found = reply['parameters']
        assert (found['units'], found['kind']) == ('m', 'metric')
        assert found['scale_law'] == str(law)
        assert math.isclose(found['scale_factor'], law.factor)
        assert found['intrinsics'] == '70,72,42,28'
    assert said['binary']['id'] == 'seven' and 'id' not in said['plain']
    assert said['angle']['parameters']['focal_source'] == 'fov'
    assert said['angle']['parameters']['unused_parameters'] == 'priority'


def test_tritonclient_understands_every_error(seen):
    said, _ = seen
    status = {name: int(found[0]) for name, found in said['errors'].items()}
    assert status == {
        'model': 404, 'version': 404, 'type': 400, 'shape': 400, 'many': 413, 'input': 400,
        'no image': 400, 'camera': 400, 'output': 400, 'classes': 400, 'parameter': 400,
        'late': 504, 'metadata': 404, 'statistics': 404}
    text = {name: found[1] for name, found in said['errors'].items()}
    assert text['model'] == "model 'resnet' is not here; accepted: da3-tiny"
    assert 'process_rez' in text['parameter'] and 'process_res' in text['parameter']
    assert 'accepted: UINT8' in text['type'] and 'accepted: UINT8 [H, W, 3]' in text['shape']
    assert not any('exception occurred in the client' in each for each in text.values()), text


@pytest.fixture(scope='module')
def client():
    with serving(lambda frame: np.full(frame.rgb.shape[:2], np.nan, np.float32)) as found:
        yield found


def binary(row, raw, **document):
    head = json.dumps({'inputs': [row], **document}).encode()
    return {'content': head + raw, 'headers': {HEADER_LENGTH: str(len(head))}}


def row(size, shape=(2, 2, 3), **more):
    return {'name': 'image', 'datatype': 'UINT8', 'shape': list(shape),
            'parameters': {'binary_data_size': size}, **more}


PARAMETERS = {'fov_deg': 60}


def test_the_bytes_of_a_request_and_its_reply(client):
    given = binary(row(12), bytes(range(12)), parameters=PARAMETERS, id='7', outputs=[
        {'name': 'depth', 'parameters': {'binary_data': True}}])
    reply = client.post(INFER, **given)
    assert reply.status_code == 200, reply.text
    length = int(reply.headers[HEADER_LENGTH])
    document = json.loads(reply.content[:length])
    assert document['outputs'] == [{
        'name': 'depth', 'datatype': 'FP32', 'shape': [2, 2],
        'parameters': {'binary_data_size': 16}}]
    assert document['id'] == '7' and reply.headers['content-type'] == 'application/octet-stream'
    assert reply.content[length:] == b'\0\0\xc0\x7f' * 4, 'NaN, little-endian'


def test_json_has_null_where_there_is_no_number(client):
    reply = client.post(INFER, json={'inputs': [SMALL], 'parameters': PARAMETERS})
    assert reply.status_code == 200 and reply.headers['content-type'] == 'application/json'
    assert HEADER_LENGTH not in reply.headers
    assert reply.json()['outputs'] == [
        {'name': 'depth', 'datatype': 'FP32', 'shape': [2, 2], 'data': [None] * 4}]
    nested = {**SMALL, 'data': np.arange(12).reshape(2, 2, 3).tolist()}
    assert client.post(
        INFER, json={'inputs': [nested], 'parameters': PARAMETERS}).json() == reply.json()


@pytest.mark.parametrize('given, text', [
    ({'content': b'{'}, 'the body is no JSON'),
    ({'content': b'[' * 100_000}, 'the body is no JSON'),
    ({'json': []}, 'accepted: an object'),
    ({'json': {}}, 'inputs have to be a list'),
    ({'json': {'inputs': []}}, 'inputs have to be a list'),
    ({'json': {'inputs': [SMALL, SMALL]}}, 'unknown or there twice'),
    ({'json': {'inputs': [3]}}, 'an object with a name'),
    ({'json': {'inputs': [SMALL], 'parameters': 3}}, 'parameters is a JSON int'),
    ({'json': {'inputs': [SMALL], 'id': 'x' * 300}}, 'id has 300 characters'),
    ({'json': {'inputs': [{**SMALL, 'data': [256] * 12}]}}, '12 numbers that are UINT8'),
    ({'json': {'inputs': [{**SMALL, 'data': [0.5] * 12}]}}, '12 numbers that are UINT8'),
    ({'json': {'inputs': [{**SMALL, 'data': [10**30] * 12}]}}, '12 numbers that are UINT8'),
    ({'json': {'inputs': [{**SMALL, 'data': [[1], [1, 2]]}]}}, '12 numbers that are UINT8'),
    ({'json': {'inputs': [{**SMALL, 'data': [1] * 11}]}}, '12 numbers that are UINT8'),
    ({'json': {'inputs': [{**SMALL, 'data': 'pixels'}]}}, 'has no data'),
    ({'json': {'inputs': [{**SMALL, 'shape': [2, 2, True]}]}}, '1 to 4 positive integers'),
    ({'json': {'inputs': [{**SMALL, 'shape': [-1, 2, 3]}]}}, '1 to 4 positive integers'),
    ({'json': {'inputs': [{**SMALL, 'parameters': {'shared_memory_region': 'a'}}]}},
     'no shared memory'),
    (binary(row(12), bytes(11)), '11 bytes are there'),
    (binary(row(12), bytes(13)), '1 bytes follow that belong to no tensor'),
    (binary(row(12, (2**30, 2**30, 3)), bytes(12)), 'shape [1073741824, 1073741824, 3]'),
    (binary(row(12, data=[1]), bytes(12)), 'without data beside it'),
    (binary(row('12'), bytes(12)), 'has to be a number of bytes'),
    ({'content': b'{}', 'headers': {HEADER_LENGTH: '3'}}, 'accepted: 1 to the 2 bytes'),
    ({'content': b'{}', 'headers': {HEADER_LENGTH: '-1'}}, 'accepted: 1 to the 2 bytes'),
    ({'content': b'{}', 'headers': {'Content-Encoding': 'gzip'}}, 'not in the coding'),
    ({'content': zlib.compress(b'{}')[:-1], 'headers': {'Content-Encoding': 'deflate'}},
     'cut off'),
])
def test_bad_requests_are_refused_in_the_form_of_the_protocol(client, given, text):
    reply = client.post(INFER, **given)
    assert reply.status_code == 400, reply.text
    assert list(reply.json()) == ['error'] and text in reply.json()['error'], reply.text


CAMERA = {'name': 'intrinsics', 'datatype': 'FP32', 'shape': [4], 'data': [2, 2, 1, 1]}


def with_camera(**changed):
    return {'json': {'inputs': [SMALL, {**CAMERA, **changed}]}}


def asking(**document):
    return {'json': {'inputs': [SMALL, CAMERA], **document}}


@pytest.mark.parametrize('given, text', [
    *(({'json': {'inputs': [{**SMALL, 'datatype': each}, CAMERA]}},
       f"input image is '{each}'; accepted: UINT8") for each in (
           'FP16', 'BYTES', 'INT8', 'uint8', 'None', '')),
    *((with_camera(datatype=each), 'accepted: FP32') for each in ('FP16', 'BF16', 'FP64', 4)),
    (with_camera(data=[2, 2, 1]), '4 numbers that are FP32'),
    (with_camera(data=['2'] * 4), '4 numbers that are FP32'),
    (with_camera(data=[True] * 4), '4 numbers that are FP32'),
    (with_camera(data=[None] * 4), '4 numbers that are FP32'),
    (with_camera(data=[0, 0, 1, 1]), 'focal'),
    (with_camera(shape=[2, 2]), 'fx, fy, cx, cy as [4]'),
    (with_camera(shape=[4.0]), '1 to 4 positive integers'),
    (with_camera(shape=[1, 1, 1, 1, 4]), '1 to 4 positive integers'),
    (with_camera(shape=4), '1 to 4 positive integers'),
    (with_camera(name='camera'), "input 'camera' is unknown"),
    (with_camera(parameters=[]), 'parameters is a JSON list'),
    ({'content': json.dumps({'inputs': [SMALL, {**CAMERA, 'data': [math.nan] * 4}]})},
     'not finite'),
    ({'content': b'\xff\xfe{}'}, 'the body is no JSON'),
    ({'content': b'{} {}'}, 'the body is no JSON'),
    ({'content': b''}, 'the body is no JSON'),
    ({'json': {'inputs': {'image': SMALL}}}, 'inputs have to be a list'),
    (asking(outputs={'depth': 1}), 'outputs is a JSON dict'),
    (asking(outputs=['depth']), 'every output has to be an object with a name'),
    (asking(outputs=[{'name': 'depth'}] * 2), "'depth' is unknown or there twice"),
    (asking(outputs=[{'name': 'confidence'}]), 'accepted: depth'),
    (asking(outputs=[{'name': 'depth', 'parameters': {'binary_data': 1}}]), 'true or false'),
    (asking(parameters={'binary_data_output': 'yes'}), 'true or false'),
    (asking(parameters={'fov_deg': 'wide'}), "fov_deg is 'wide'"),
    (asking(parameters={'maximum': [1]}), "maximum is '[1]'"),
    (asking(parameters={'timeout': -1}), 'timeout is'),
    (asking(parameters=None), 'parameters is a JSON null'),
    (asking(id=7), 'id is a JSON int'),
    *(({'content': b'{}', 'headers': {HEADER_LENGTH: each}}, 'accepted: 1 to the 2 bytes')
      for each in ('0', '2.0', '+2', '0x2', 'all', '2, 2', '9' * 30)),
    ({'content': b'{"inputs": []}rest', 'headers': {HEADER_LENGTH: '16'}}, 'the body is no JSON'),
])
def test_every_edge_has_a_clear_error(client, given, text):
    reply = client.post(INFER, **given)
    assert reply.status_code == 400, reply.text
    assert list(reply.json()) == ['error'] and text in reply.json()['error'], reply.text


def test_json_and_raw_tensors_mix_in_any_order(client):
    raw = np.array([[2, 0, 1], [0, 2, 1], [0, 0, 1]], '<f4').tobytes()
    k = {'name': 'intrinsics', 'datatype': 'FP32', 'shape': [3, 3],
         'parameters': {'binary_data_size': 36}}
    bodies = []
    pixels = bytes(range(12))
    for rows, data in (([SMALL, k], raw), ([k, SMALL], raw), ([k, row(12)], raw + pixels),
                       ([row(12), k], pixels + raw)):
        head = json.dumps({'inputs': rows, 'parameters': {'binary_data_output': True}}).encode()
        reply = client.post(
            INFER, content=head + data, headers={HEADER_LENGTH: str(len(head))})
        assert reply.status_code == 200, reply.text
        bodies.append(reply.content)
    assert bodies[0].endswith(b'\0\0\xc0\x7f' * 4) and len(set(bodies)) == 1
    said = json.loads(bodies[0][:-16])
    assert said['parameters']['intrinsics'] == '2,2,1,1'


@pytest.mark.parametrize('method, path, status', [
    ('GET', '/v2/models/other', 404), ('GET', '/v2/models/other/ready', 404),
    ('GET', '/v2/models/given/versions/2', 404), ('GET', '/v2/models/given/versions/1/stats', 404),
    ('POST', '/v2/models/other/infer', 404), ('POST', '/v2/models/given/versions/9/infer', 404),
    ('POST', '/v2/models/given/versions/latest/infer', 404), ('GET', INFER, 405),
    ('POST', '/v2/repository/index', 404), ('POST', '/v2/repository/models/given/load', 404),
    ('POST', '/v2/systemsharedmemory/region/a/register', 404),
    ('DELETE', '/v2/models/given', 405)])
def test_what_is_not_here_is_said_in_the_form_of_the_protocol(client, method, path, status):
    reply = client.request(method, path, json={'inputs': [SMALL]})
    assert reply.status_code == status and list(reply.json()) == ['error'], reply.text


def test_limits_are_checked_before_memory_is_taken():
    most = 64 * 2**10
    limits = replace(REST_LIMITS, message=Limits(message_bytes=most, pixels=1000))
    with serving(limits=limits) as small:
        bomb = {'content': zlib.compress(bytes(2**26), 9),
                'headers': {'Content-Encoding': 'deflate'}}
        assert len(bomb['content']) < most
        pixels = binary(row(3 * 1024, (32, 32, 3)), bytes(3 * 1024))
        for given, text in ((bomb, f'more than {most} bytes'), (pixels, 'at most 1000 pixels'),
                            ({'content': bytes(most + 1)}, f'more than {most} bytes')):
            reply = small.post(INFER, **given)
            assert (reply.status_code, list(reply.json())) == (413, ['error']), reply.text
            assert text in reply.text
        context = small.bridge.context
        assert context.held == 0, 'all that was held is counted off'


def test_json_is_bounded_in_and_out(client):
    reply = client.post(INFER, content=b' ' * (JSON_BYTES + 1))
    assert reply.status_code == 413 and 'binary' in reply.json()['error']
    height, width = 2048, JSON_VALUES // 2048 + 1
    large = binary(row(height * width * 3, (height, width, 3)), bytes(height * width * 3),
                   parameters=PARAMETERS)
    reply = client.post(INFER, **large)
    assert reply.status_code == 413 and 'binary_data' in reply.json()['error']


def test_key_rate_and_unknown_coding_answer_in_the_form_of_the_protocol():
    with serving(access=Access(key='secret'), rate=0.01) as keyed:
        assert keyed.get('/v2/health/live').status_code == 200
        assert keyed.get('/v2/health/ready').status_code == 200
        for path in ('/v2', '/v2/models/given'):
            reply = keyed.get(path)
            assert (reply.status_code, reply.json()) == (401, {'error': 'API key required'})
        keyed.headers['Authorization'] = 'Bearer secret'
        replies = [keyed.get('/v2') for _ in range(200)]
        refused = [reply for reply in replies if reply.status_code == 429]
        assert refused and list(refused[0].json()) == ['error']
        assert 'retry-after' in refused[0].headers
    with serving() as found:
        reply = found.post(INFER, content=b'x', headers={'Content-Encoding': 'br'})
        assert reply.status_code == 415 and 'gzip' in reply.json()['error']
        assert found.get('/v2/nothing').json() == {'error': 'Not Found'}
        assert list(found.put('/v2').json()) == ['error']
        assert set(found.get('/version2').json()) == {'detail', 'code', 'request_id'}


def test_not_ready_is_a_4xx_until_there_is_a_model():
    bridge = RestBridge(RestOptions(), 0)
    bridge.listen()
    try:
        with client_of(bridge) as client:
            assert client.get('/v2/health/live').status_code == 200
            for path in ('/v2/health/ready', '/v2/models/given/ready'):
                reply = client.get(path)
                assert reply.status_code == 400 and 'loading' in reply.json()['error']
            reply = client.post(INFER, json={'inputs': [SMALL]})
            assert reply.status_code == 503 and 'loading' in reply.json()['error']
    finally:
        bridge.stop()


def test_one_image_that_fails_gives_the_rest_of_the_batch_back():
    gate = Gate()
    with serving(gate, queue_size=1) as full:
        body = binary(row(8 * 12, (8, 2, 2, 3)), bytes(96), parameters=PARAMETERS)
        reply = full.post(INFER, **body, timeout=PATIENCE_S)
        assert reply.status_code == 503 and 'error' in reply.json()
        gate.opened.set()
        single = full.post(INFER, **binary(row(12), bytes(12), parameters=PARAMETERS))
        assert single.status_code == 200, single.text
