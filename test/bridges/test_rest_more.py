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

"""``/v1/pointcloud``, ``/v1/batch`` and ``/v1/stream``."""

from __future__ import annotations

import base64
import json
import struct
import threading

from bridge_parts import picture
import cv2
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.watching import Watchers
import msgpack
import numpy as np
import pytest
from rest_parts import serving

WIDTH, HEIGHT = 80, 60
IMAGE = picture(3, WIDTH, HEIGHT)
DEPTHS = np.linspace(0.5, 30.0, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)
DEPTHS[:4, :4] = np.nan
CAMERA = Intrinsics(70, 72, 40, 30, WIDTH, HEIGHT)
POINTS = unproject(DEPTHS, CAMERA)
VALID = np.isfinite(DEPTHS)


def encoded(rgb=IMAGE):
    return cv2.imencode('.png', rgb[..., ::-1])[1].tobytes()


@pytest.fixture(scope='module')
def client():
    with serving(lambda frame: DEPTHS, kind=DepthKind.METRIC) as found:
        yield found


def cloud(client, **query):
    reply = client.post('/v1/pointcloud', content=encoded(), params={
        'camera_intrinsics': '70,72,40,30', **query}, headers={'Accept-Encoding': 'identity'})
    assert reply.status_code == 200, reply.text
    return reply


def raw_points(reply):
    return np.frombuffer(reply.content, np.float32).reshape(-1, 4)


def test_a_cloud_as_raw_points(client):
    reply = cloud(client, format='raw')
    points = raw_points(reply)
    np.testing.assert_allclose(points[:, :3], POINTS[VALID], rtol=1e-5, atol=1e-6)
    packed = points.view(np.uint32)[:, 3]
    colours = np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1)
    np.testing.assert_array_equal(colours, IMAGE[VALID])
    assert reply.headers['X-Cloud-Fields'] == 'x,y,z,rgb'
    assert reply.headers['X-Cloud-Points'] == str(VALID.sum())
    assert reply.headers['X-Depth-Units'] == 'm' and reply.headers['X-Depth-Model'] == 'given'
    organised = cloud(client, format='raw', dense='false')
    assert organised.headers['X-Depth-Shape'] == f'{HEIGHT},{WIDTH},4'
    assert np.isnan(raw_points(organised)[0, 0])


def test_a_cloud_as_ply(client):
    reply = cloud(client)
    assert reply.headers['Content-Type'] == 'application/x-ply'
    head, _, data = reply.content.partition(b'end_header\n')
    assert b'comment units m\n' in head and b'comment model given\n' in head
    assert f'element vertex {VALID.sum()}\n'.encode() in head
    vertices = np.frombuffer(data, [('xyz', '<f4', 3), ('rgb', 'u1', 3)])
    np.testing.assert_allclose(vertices['xyz'], POINTS[VALID], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(vertices['rgb'], IMAGE[VALID])


def test_a_cloud_as_pcd(client):
    reply = cloud(client, format='pcd', dense='false')
    head, _, data = reply.content.partition(b'DATA binary\n')
    lines = dict(line.split(' ', 1) for line in head.decode().splitlines()
                 if not line.startswith('#'))
    assert (lines['WIDTH'], lines['HEIGHT']) == (str(WIDTH), str(HEIGHT))
    assert lines['FIELDS'] == 'x y z rgb' and lines['POINTS'] == str(WIDTH * HEIGHT)
    points = np.frombuffer(data, np.float32).reshape(HEIGHT, WIDTH, 4)
    np.testing.assert_allclose(points[..., :3], POINTS, rtol=1e-5, atol=1e-6)


def test_a_cloud_as_glb(client):
    data = cloud(client, format='glb').content
    magic, version, size = struct.unpack('<4sII', data[:12])
    assert (magic, version, size) == (b'glTF', 2, len(data)) and len(data) % 4 == 0
    length, kind = struct.unpack('<I4s', data[12:20])
    assert kind == b'JSON'
    document = json.loads(data[20:20 + length])
    start = 20 + length + 8
    primitive = document['meshes'][0]['primitives'][0]
    assert primitive['mode'] == 0
    where, colour = (document['bufferViews'][primitive['attributes'][name]]
                     for name in ('POSITION', 'COLOR_0'))
    assert document['accessors'][0]['count'] == VALID.sum()
    xyz = np.frombuffer(data, np.float32, VALID.sum() * 3, start + where['byteOffset'])
    np.testing.assert_allclose(xyz.reshape(-1, 3), POINTS[VALID] * [1, -1, -1], rtol=1e-5,
                               atol=1e-6)
    rgba = np.frombuffer(data, np.uint8, VALID.sum() * 4, start + colour['byteOffset'])
    np.testing.assert_array_equal(rgba.reshape(-1, 4)[:, :3], IMAGE[VALID])


@pytest.mark.parametrize(('query', 'keep'), [
    ({'nearest': 5, 'farthest': 9}, lambda p: (np.linalg.norm(p, axis=-1) >= 5) & (
        np.linalg.norm(p, axis=-1) <= 9)),
    ({'lowest': -1, 'highest': 1}, lambda p: (p[..., 1] >= -1) & (p[..., 1] <= 1)),
    ({'lowest': 0, 'highest': 2, 'mount_height': 1},
     lambda p: (1 - p[..., 1] >= 0) & (1 - p[..., 1] <= 2)),
    ({'maximum': 8}, lambda p: p[..., 2] <= 8),
])
def test_filters_as_in_the_node(client, query, keep):
    with np.errstate(invalid='ignore'):
        expected = POINTS[keep(POINTS)]
    assert 0 < len(expected) < VALID.sum()
    np.testing.assert_allclose(
        raw_points(cloud(client, format='raw', **query))[:, :3], expected, rtol=1e-5, atol=1e-5)


def test_thinning(client):
    strided = raw_points(cloud(client, format='raw', stride=4))
    assert len(strided) == VALID[::4, ::4].sum()
    assert len(raw_points(cloud(client, format='raw', voxel_size=1.0))) < VALID.sum() / 2
    nothing = cloud(client, format='glb', nearest=500)
    assert nothing.headers['X-Cloud-Points'] == '0' and nothing.content[:4] == b'glTF'


@pytest.mark.parametrize('query', [
    {'stride': 0}, {'voxel_size': -1}, {'nearest': 3, 'farthest': 2}, {'lowest': 'nan'},
    {'mount_pitch_deg': 91}, {'confidence_percentile': 100}, {'dense': 'perhaps'},
    {'camera_intrinsics': ''}, {'format': 'las'}])
def test_clouds_that_cannot_be_made(client, query):
    reply = client.post('/v1/pointcloud', content=encoded(), params={
        'camera_intrinsics': '70,72,40,30', **query})
    assert reply.status_code == 400 and reply.json()['detail']


def test_a_relative_model_has_no_cloud_in_metres():
    with serving(kind=DepthKind.RELATIVE) as client:
        reply = client.post('/v1/pointcloud', content=encoded(), params={'fov_deg': 60})
        assert reply.status_code == 400 and 'no unit' in reply.json()['detail']


# Batches.

@pytest.mark.parametrize('form', ['msgpack', 'json'])
def test_a_batch_with_one_bad_picture(form):
    with serving(kind=DepthKind.METRIC) as client:
        images = [picture(seed, WIDTH, HEIGHT) for seed in range(3)]
        files = [('files', (f'{index}.png', encoded(image)))
                 for index, image in enumerate(images)]
        files.insert(1, ('files', ('bad.png', b'GIF89a')))
        reply = client.post('/v1/batch', files=files, params={'format': form},
                            headers={'X-Request-Id': 'seven'})
        assert reply.status_code == 200
        found = msgpack.unpackb(reply.content) if form == 'msgpack' else reply.json()
        assert found['request_id'] == 'seven'
        assert [item['file'] for item in found['results']] == [
            '0.png', 'bad.png', '1.png', '2.png']
        assert [item['status'] for item in found['results']] == [200, 400, 200, 200]
        assert found['results'][1]['code'] == 'unsupported_encoding'
        single = client.post('/v1/depth', content=encoded(images[2]))
        entry = found['results'][3]['arrays']['depth']
        data = entry['data'] if form == 'msgpack' else base64.b64decode(entry['data'])
        assert data == single.content and entry['shape'] == [HEIGHT, WIDTH]
        assert found['results'][3]['units'] == 'm' and found['results'][3]['model'] == 'given'


def test_a_batch_too_many(client):
    files = [('files', (f'{index}.png', encoded())) for index in range(33)]
    assert client.post('/v1/batch', files=files).status_code == 400
    assert client.post('/v1/batch', content=b'').status_code == 400


# Streams.

class Camera:
    """A camera's stream of the service, fed by hand."""

    def __init__(self, service, name='front'):
        self.published = []
        self.watchers = service.watchers
        self.stream = service.stream(name, self.published.append, self.published.append)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._feed)
        self.thread.start()

    def _feed(self):
        stamp = 0
        while not self.stop.wait(0.01):
            stamp += 1
            frame = Frame(IMAGE, stamp_ns=stamp, intrinsics=CAMERA)
            self.stream.submit(lambda frame=frame: frame, FrameOptions())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop.set()
        self.thread.join()
        self.stream.close()


@pytest.fixture
def camera(client):
    with Camera(client.bridge.context.service()) as found:
        yield found


def parts(reply, count, chunks=None):
    boundary = reply.headers['Content-Type'].partition('boundary=')[2]
    data = b''
    found = []
    chunks = chunks or reply.iter_raw()
    while len(found) < count:
        while True:
            head, mark, rest = data.partition(b'\r\n\r\n')
            if mark:
                lines = head.decode().split('\r\n')
                headers = dict(line.split(': ', 1) for line in lines[1:])
                size = int(headers['Content-Length'])
                if len(rest) >= size + 2:
                    assert lines[0] == f'--{boundary}'
                    found.append((headers, rest[:size]))
                    data = rest[size + 2:]
                    break
            data += next(chunks)
    return found


def test_a_preview_as_a_browser_shows_it(client, camera):
    with client.stream('GET', '/v1/stream/front') as reply:
        assert reply.headers['Content-Type'].startswith('multipart/x-mixed-replace')
        found = parts(reply, 3)
    for headers, body in found:
        assert headers['Content-Type'] == 'image/jpeg' and headers['X-Depth-Units'] == 'm'
        assert cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR).shape == (
            HEIGHT, WIDTH, 3)
    stamps = [json.loads(headers['X-Depth-Result'])['stamp_ns'] for headers, _ in found]
    assert stamps == sorted(set(stamps))
    for _ in range(500):
        if not camera.watchers.watched('front'):
            break
        camera.stop.wait(0.02)
    assert not camera.watchers.watched('front')


def test_binary_frames_and_how_many(client, camera):
    with client.stream('GET', '/v1/stream/front/', params={
            'format': 'raw', 'frames': 2, 'rate': 20}) as reply:
        chunks = reply.iter_raw()
        found = parts(reply, 2, chunks)
        rest = b''.join(chunks)
    assert rest.endswith(b'--\r\n') or b'--frame--' in rest
    for headers, body in found:
        np.testing.assert_array_equal(
            np.frombuffer(body, np.float32).reshape(HEIGHT, WIDTH), DEPTHS)
        assert headers['X-Depth-Shape'] == f'{HEIGHT},{WIDTH}'


def test_one_frame_and_the_list(client, camera):
    reply = client.get('/v1/stream/front', params={'frames': 1, 'format': 'npy'})
    assert reply.status_code == 200 and reply.headers['Cache-Control'] == 'no-store'
    assert reply.headers['X-Depth-Model'] == 'given'
    color = client.get('/v1/stream/front', params={'frames': 1, 'format': 'color'})
    rgb = cv2.imdecode(np.frombuffer(color.content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(rgb.astype(int) - IMAGE).mean() < 60
    entry, = client.get('/v1/streams').json()['streams']
    assert entry['name'] == 'front' and entry['received'] > 0
    text = client.get('/metrics').text
    assert 'depth_anything_stream_frames_total{outcome="done",stream="front"}' in text


def test_cameras_that_are_not_there_or_send_nothing(client):
    reply = client.get('/v1/stream/back')
    assert reply.status_code == 404 and reply.json()['code'] == 'not_found'
    service = client.bridge.context.service()
    stream = service.stream('silent', lambda result: None, lambda error: None)
    reply = client.get('/v1/stream/silent', params={'frames': 1},
                       headers={'X-Deadline-Ms': '50'})
    assert reply.status_code == 504
    assert client.get('/v1/stream/silent', params={'frames': -1}).status_code == 400
    stream.close()


def test_the_stream_ends_with_the_server():
    with serving(lambda frame: DEPTHS, kind=DepthKind.METRIC) as client:
        with Camera(client.bridge.context.service()):
            with client.stream('GET', '/v1/stream/front') as reply:
                chunks = reply.iter_raw()
                parts(reply, 1, chunks)
                client.bridge.stop(5)
                assert b''.join(chunks).endswith(b'--frame--\r\n')


def test_watchers_cost_nothing_when_there_is_none_and_do_not_disturb():
    watchers, seen, got, changes = Watchers(), [], [], []
    receive = watchers.tapped('a/', seen.append)
    end = watchers.on_change('a', lambda: changes.append(watchers.watched('a')))

    class Result:
        depth = np.zeros(3)

    receive(Result)
    assert seen == [Result]

    def broken(result):
        raise RuntimeError('watcher')

    from depth_anything_ros.core.result import DepthResult, ScaleLaw
    result = DepthResult(Frame(IMAGE), DEPTHS, ScaleLaw(DepthKind.METRIC), 'given')
    bad, good = watchers.watch('/a', broken), watchers.watch('a', got.append)
    receive(result)
    assert seen[-1] is result and got[0].depth is not result.depth
    np.testing.assert_array_equal(got[0].depth, DEPTHS)
    bad.close()
    good.close()
    good.close()
    end()
    watchers.watch('a', got.append).close()
    assert changes == [True, False]
