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

"""``/v1/depth``: every form says the same and says what it is; scheduling of requests."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import socket
import struct
import threading
import time
import zlib

from bridge_parts import Gate, PATIENCE_S, picture
import cv2
from depth_anything_ros.bridges.rest.options import REST_LIMITS
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.wire.depth_files import FORMS
from depth_anything_ros.wire.limits import Limits
import msgpack
import numpy as np
import pytest
from rest_parts import client_of, raw, serving
import zstandard

WIDTH, HEIGHT = 80, 60
CAMERA = '70,72,40,30'
IMAGE = picture(3, WIDTH, HEIGHT)
DEPTHS = np.linspace(0.5, 30.0, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)
DEPTHS[:4, :4] = np.nan


def encoded(rgb=IMAGE, ending='.png'):
    return cv2.imencode(ending, rgb[..., ::-1])[1].tobytes()


PNG = encoded()


@pytest.fixture(scope='module')
def client():
    with serving(lambda frame: DEPTHS, kind=DepthKind.METRIC) as found:
        yield found


def post(client, *, accept='*/*', content=PNG, headers=None, **query):
    return client.post('/v1/depth', content=content, params=query, headers={
        'Accept': accept, 'Content-Type': 'image/png', 'Accept-Encoding': 'identity',
        **(headers or {})})


def array_of(form, body):
    if form == 'raw':
        return np.frombuffer(body, '<f4').reshape(HEIGHT, WIDTH)
    if form == 'npy':
        return np.load(io.BytesIO(body), allow_pickle=False)
    if form == 'npz':
        return np.load(io.BytesIO(body), allow_pickle=False)['depth']
    if form == 'tiff':
        return cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    if form == 'png':
        levels = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
        assert levels.dtype == np.uint16
        return np.where(levels == 0, np.nan, levels * png_text(body)['png_scale'])
    found = msgpack.unpackb(body) if form == 'msgpack' else json.loads(body)
    entry = found['arrays']['depth']
    data = entry['data'] if form == 'msgpack' else base64.b64decode(entry['data'])
    return np.frombuffer(data, entry['dtype']).reshape(entry['shape'])


def png_text(body):
    at = 8
    while at < len(body):
        size, kind = struct.unpack('>I4s', body[at:at + 8])
        if kind == b'tEXt':
            assert zlib.crc32(body[at + 4:at + 8 + size]) == struct.unpack(
                '>I', body[at + 8 + size:at + 12 + size])[0]
            name, _, text = body[at + 8:at + 8 + size].partition(b'\0')
            assert name == b'depth_result'
            return json.loads(text)
        at += 12 + size
    raise AssertionError('no text chunk')


@pytest.mark.parametrize('form', FORMS)
def test_1_7_every_form_holds_the_same_and_says_what_it_is(client, form):
    kind = FORMS[form][0]
    reply = post(client, accept=kind, camera_intrinsics=CAMERA,
                 headers={'X-Request-Id': 'mine'})
    assert reply.status_code == 200 and reply.headers['Content-Type'].startswith(kind)
    tolerance = 0.000503 if form == 'png' else 0
    np.testing.assert_allclose(array_of(form, reply.content), DEPTHS, rtol=0, atol=tolerance)
    headers = reply.headers
    assert headers['X-Depth-Shape'] == f'{HEIGHT},{WIDTH}'
    assert headers['X-Depth-Dtype'] == 'float32' and headers['X-Depth-Units'] == 'm'
    assert headers['X-Depth-Kind'] == 'metric' and headers['X-Depth-Model'] == 'given'
    assert headers['X-Depth-Scale-Law'] == 'metric: metres as predicted by the model'
    assert json.loads(headers['X-Depth-Intrinsics']) == {
        'fx': 70.0, 'fy': 72.0, 'cx': 40.0, 'cy': 30.0, 'width': WIDTH, 'height': HEIGHT}
    assert json.loads(headers['X-Depth-Timing'])['infer'] >= 0
    assert headers['X-Request-Id'] == 'mine'
    assert json.loads(headers['X-Depth-Result'])['request_id'] == 'mine'
    if form == 'png':
        assert float(headers['X-Depth-Scale']) == png_text(reply.content)['png_scale'] == 0.001
    named = post(client, accept='image/webp', format=form, camera_intrinsics=CAMERA)
    np.testing.assert_array_equal(
        array_of(form, named.content), array_of(form, reply.content))


@pytest.mark.parametrize(('accept', 'kind'), [
    ('*/*', 'application/octet-stream'), ('image/*', 'image/png'),
    ('text/html, application/json;q=0.9', 'application/json'),
    ('image/tiff;q=0.2, image/png;q=0.1', 'image/tiff'),
    ('*/*;q=0.1, application/msgpack', 'application/msgpack'),
    ('application/octet-stream;q=0, */*', 'application/x-npy'), ('IMAGE/PNG', 'image/png'),
])
def test_1_7_the_accept_header_decides(client, accept, kind):
    assert post(client, accept=accept).headers['Content-Type'].startswith(kind)


def test_1_7_nothing_acceptable(client):
    for accept in ('text/html', 'image/png;q=0', 'image/png;q=x'):
        reply = post(client, accept=accept)
        assert reply.status_code == 406 and 'application/x-npy' in reply.json()['detail']
    assert post(client, format='exr').status_code == 400


def test_1_7_compression_where_it_pays(client):
    reply = client.post('/v1/depth', content=PNG, headers={'Accept-Encoding': 'gzip, zstd'})
    assert reply.headers['Content-Encoding'] == 'zstd'
    assert 'Accept-Encoding' in reply.headers['Vary']
    np.testing.assert_array_equal(array_of('raw', reply.content), DEPTHS)
    plain = zstandard.ZstdDecompressor().decompress(b''.join(_raw_bytes(
        client, {'Accept-Encoding': 'zstd'})), max_output_size=10**6)
    assert len(plain) == DEPTHS.nbytes
    reply = client.post('/v1/depth', content=PNG, headers={
        'Accept-Encoding': 'gzip', 'Accept': 'application/json'})
    assert reply.headers['Content-Encoding'] == 'gzip' and reply.json()['units'] == 'm'
    for headers in ({'Accept-Encoding': 'gzip'}, {'Accept-Encoding': 'zstd;q=0'},
                    {'Accept-Encoding': 'zstd', 'Accept': 'image/png'}):
        reply = client.post('/v1/depth', content=PNG, headers=headers)
        assert 'Content-Encoding' not in reply.headers


def _raw_bytes(client, headers):
    with client.stream('POST', '/v1/depth', content=PNG, headers=headers) as reply:
        yield from reply.iter_raw()


def test_multipart_with_fields(client):
    reply = client.post('/v1/depth', files={'image': ('a.png', PNG)}, data={
        'camera_intrinsics': json.dumps({'fx': 70, 'fy': 72, 'cx': 40, 'cy': 30}),
        'output_size': '40x30'}, params={'output_size': '8x6'})
    assert reply.headers['X-Depth-Shape'] == '30,40'
    assert json.loads(reply.headers['X-Depth-Intrinsics'])['fx'] == 35.0
    np.testing.assert_allclose(
        np.frombuffer(reply.content, '<f4').reshape(30, 40)[10:], DEPTHS[20::2, ::2] + 0.25,
        atol=0.3)


@pytest.mark.parametrize(('query', 'text'), [
    ({'camera_intrinsics': '0,72,40,30'}, 'positive'),
    ({'camera_intrinsics': '-70,72,40,30'}, 'positive'),
    ({'camera_intrinsics': 'nan,72,40,30'}, 'not finite'),
    ({'camera_intrinsics': '70,inf,40,30'}, 'not finite'),
    ({'camera_intrinsics': '70,72'}, 'accepted: "fx,fy,cx,cy"'),
    ({'camera_intrinsics': '{"fx": 1}'}, 'accepted: "fx,fy,cx,cy"'),
    ({'camera_intrinsics': '[[1,2],[3,4]]'}, 'accepted: "fx,fy,cx,cy"'),
    ({'camera_intrinsics': '[' * 5000}, 'accepted: "fx,fy,cx,cy"'),
    ({'camera_intrinsics': '[[NaN,0,1],[0,1,1],[0,0,1]]'}, 'not finite'),
    ({'process_res': '13'}, '14 to 2016'), ({'process_res': '99999'}, '14 to 2016'),
    ({'process_res': '1e2'}, '14 to 2016'), ({'process_res': '²'}, '14 to 2016'),
    ({'fov_deg': '180'}, 'up to 179'), ({'fov_deg': '1e-322'}, 'must be'),
    ({'fov_deg': 'nan'}, 'finite'),
    ({'focal_length': '-1'}, 'finite number from 0'), ({'minimum': 'inf'}, 'finite'),
    ({'minimum': '3', 'maximum': '2'}, 'minimum < maximum'),
    ({'model': 'da3-giant'}, 'not loaded; here is given'),
    ({'output_size': '0x5'}, 'WIDTHxHEIGHT'), ({'output_size': '99999x1'}, 'WIDTHxHEIGHT'),
    ({'outputs': 'sky'}, 'raw holds depth alone'), ({'outputs': 'soul'}, "'soul'"),
    ({'exif_orient': 'maybe'}, 'true or false'),
])
def test_wrong_options_are_refused(client, query, text):
    reply = post(client, **query)
    assert reply.status_code == 400 and text in reply.json()['detail'], reply.text


def test_options_change_the_reply():
    def rotated(rgb):
        data = bytearray(cv2.imencode('.jpg', rgb[..., ::-1])[1].tobytes())
        exif = (b'Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0')
        return bytes(data[:2]) + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + bytes(
            data[2:])

    with serving(kind=DepthKind.CANONICAL) as client:
        big = post(client, camera_intrinsics=CAMERA)
        assert 'camera_info' in big.headers['X-Depth-Scale-Law']
        assert 'fov' in post(client, fov_deg='60').headers['X-Depth-Scale-Law']
        assert 'focal_length' in post(client, focal_length='70').headers['X-Depth-Scale-Law']
        assert post(client).status_code == 400
        depth = np.frombuffer(big.content, '<f4')
        middle = float(np.nanmedian(depth))
        for name in ('minimum', 'maximum'):
            cut = np.frombuffer(post(client, camera_intrinsics=CAMERA, **{
                name: repr(middle)}).content, '<f4')
            assert 0 < np.isfinite(cut).sum() < np.isfinite(depth).sum()
        turned = post(client, content=rotated(IMAGE), fov_deg='60', exif_orient='true')
        assert turned.headers['X-Depth-Shape'] == f'{WIDTH},{HEIGHT}'
        still = post(client, content=rotated(IMAGE), fov_deg='60')
        assert still.headers['X-Depth-Shape'] == f'{HEIGHT},{WIDTH}'


@pytest.mark.parametrize(('content', 'kind', 'status'), [
    (b'', 'image/png', 400), (b'GIF89a', 'image/gif', 400), (PNG[:90], 'image/png', 400),
    (PNG, 'text/html', 415), (PNG, 'multipart/form-data', 400),
    (b'--x\r\n\r\n--x--\r\n', 'multipart/form-data; boundary=x', 400),
    (PNG, 'multipart/form-data; boundary=x', 400),
])
def test_bodies_that_are_none(client, content, kind, status):
    reply = client.post('/v1/depth', content=content, headers={'Content-Type': kind})
    assert reply.status_code == status and reply.json()['code'], reply.text


def test_bodies_that_are_compressed_or_too_many(client):
    reply = client.post('/v1/depth', content=PNG, headers={'Content-Encoding': 'gzip'})
    assert reply.status_code == 415
    reply = client.post('/v1/depth', files=[('image', PNG), ('image', PNG)])
    assert reply.status_code == 400
    reply = client.post('/v1/depth', files={'image': PNG}, data={
        f'field{number}': 'x' for number in range(100)})
    assert reply.status_code == 400


# Scheduling.

def later(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_full_queue_says_when_to_come_back():
    gate = Gate()
    with serving(gate, kind=DepthKind.METRIC, queue_size=1) as client:
        found = []
        thread = later(lambda: found.append(post(client)))
        assert gate.entered.wait(PATIENCE_S)
        with client_of(client.bridge) as other:
            reply = post(other)
            assert reply.status_code == 503 and reply.json()['code'] == 'busy'
            assert reply.headers['Retry-After'] == '1'
            assert b'depth_anything_requests_total{outcome="refused"} 1.0' in other.get(
                '/metrics').content
        gate.opened.set()
        thread.join()
        assert found[0].status_code == 200


def test_a_deadline_cancels_what_waits():
    gate = Gate()
    with serving(gate, kind=DepthKind.METRIC) as client:
        thread = later(lambda: post(client))
        assert gate.entered.wait(PATIENCE_S)
        service = client.bridge.context.service()
        with client_of(client.bridge) as other:
            reply = post(other, headers={'X-Deadline-Ms': '50'})
            assert reply.status_code == 504 and reply.json()['code'] == 'deadline_exceeded'
        until(lambda: service.statistics().under_way == 1)
        gate.opened.set()
        thread.join()
        seen = service.statistics()
        assert seen.done == 1 and seen.cancelled + seen.expired == 1


def test_a_client_that_is_gone_is_not_worked_for():
    gate = Gate()
    with serving(gate, kind=DepthKind.METRIC) as client:
        thread = later(lambda: post(client))
        assert gate.entered.wait(PATIENCE_S)
        service = client.bridge.context.service()
        with socket.create_connection(('127.0.0.1', client.bridge.port)) as connection:
            connection.sendall(
                b'POST /v1/depth HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b'
                % (len(PNG), PNG))
            until(lambda: service.statistics().under_way == 2)
        until(lambda: service.statistics().cancelled == 1)
        gate.opened.set()
        thread.join()
        assert service.statistics().done == 1


def test_what_is_under_way_is_finished_when_the_server_ends():
    gate = Gate()
    with serving(gate, kind=DepthKind.METRIC) as client:
        found = []
        asking = later(lambda: found.append(post(client)))
        assert gate.entered.wait(PATIENCE_S)
        ending = later(client.bridge.stop)
        until(lambda: client.bridge.context.stage == 'closing')
        gate.opened.set()
        asking.join()
        ending.join()
        assert found[0].status_code == 200
        with pytest.raises(OSError):
            socket.create_connection(('127.0.0.1', client.bridge.port)).close()


def test_a_client_has_its_share():
    gate = Gate()
    with serving(gate, kind=DepthKind.METRIC,
                 limits=dataclasses.replace(REST_LIMITS, in_flight=1)) as client:
        thread = later(lambda: post(client))
        assert gate.entered.wait(PATIENCE_S)
        with client_of(client.bridge) as other:
            assert post(other).status_code == 429
        gate.opened.set()
        thread.join()
        assert post(client).status_code == 200


def test_a_body_too_large_is_refused_while_it_comes():
    limits = dataclasses.replace(REST_LIMITS, message=Limits(message_bytes=1000, pixels=5000))
    with serving(limits=limits, kind=DepthKind.METRIC) as client:
        head = b'POST /v1/depth HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n'
        assert b' 413 ' in raw(client.bridge, head + b'Content-Length: 1001\r\n\r\n' + b'x' * 1001)
        chunks = b'Transfer-Encoding: chunked\r\n\r\n' + b'190\r\n' + b'x' * 400 + b'\r\n'
        with socket.create_connection(('127.0.0.1', client.bridge.port), PATIENCE_S) as stream:
            stream.sendall(head + chunks + (b'190\r\n' + b'x' * 400 + b'\r\n') * 2)
            assert b' 413 ' in stream.recv(4096)
        small = post(client, content=encoded(np.zeros((70, 80, 3), np.uint8)))
        assert small.status_code == 413 and '80x70' in small.json()['detail']
        until(lambda: client.bridge.context.held == 0)


def test_metrics_count_what_was_done(client):
    post(client)
    client.get('/no/such/path')
    client.request('PROPFIND', '/v1/depth')
    text = client.get('/metrics').text
    for name in ('http_requests_total{method="POST",route="/v1/depth",status="200"}',
                 'http_requests_total{method="GET",route="other",status="404"}',
                 'http_requests_total{method="other",',
                 'stage_seconds_bucket{le="0.0005",stage="decode"}', 'queue_size 32.0',
                 'stage_seconds_count{stage="infer"}', 'stage_seconds_count{stage="encode"}',
                 'stage_seconds_count{stage="queue"}', 'batches_total{size="1"}', 'ready 1.0',
                 'queue_waiting{stage="infer"} 0.0', 'infer_busy_seconds_total'):
        assert f'depth_anything_{name}' in text, name
