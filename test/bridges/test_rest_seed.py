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

"""The API of the seed: every rule R2 to R10, R12 and R13 by its number."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
import threading
import time

from bridge_parts import Gate, picture
import cv2
from depth_anything_ros.bridges.rest.seed_law import file_of, levels, seed_depth
from depth_anything_ros.clients import rest as functions
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.result import DepthResult, ScaleLaw
import httpx
import numpy as np
import pytest
from rest_parts import serving
from server_process import code_blocks, environment, ROOT, server, TINY
import yaml

CAMERA = {'fx': 70.0, 'fy': 72.0, 'cx': 40.0, 'cy': 30.0}
WIDTH, HEIGHT = 80, 60
IMAGE = picture(3, WIDTH, HEIGHT)
DEPTHS = np.linspace(0.5, 30.0, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)


def file_bytes(rgb=IMAGE, ending='.png'):
    return cv2.imencode(ending, rgb[..., ::-1])[1].tobytes()


PNG = base64.b64encode(file_bytes()).decode()
BODY = {'image': PNG, 'camera_intrinsics': CAMERA, 'max_depth': 20.0}


@pytest.fixture(scope='module')
def client():
    with serving(lambda frame: DEPTHS, kind=DepthKind.METRIC) as found:
        yield found


def ask(client, path, **changes):
    body = {**BODY, **changes}
    return client.post(path, json={
        name: value for name, value in body.items() if value is not ...})


def test_r2_r3_r7_metric_depth(client):
    reply = ask(client, '/metric_depth')
    assert reply.status_code == 200 and reply.headers['Content-Type'] == 'application/json'
    found = reply.json()
    assert found['shape'] == [HEIGHT, WIDTH] and found['depth_map'].startswith(
        'data:image/png;base64,')
    expected = np.clip(DEPTHS, 0, 20)
    assert found['min'] == 0.5 and found['max'] == 20.0
    pixels = functions.decode_depth_map(found['depth_map'])
    assert pixels.dtype == np.uint8 and pixels.shape == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(pixels, ((expected.astype(float) - 0.5) / 19.5 * 255).astype(
        np.uint8))
    back = found['min'] + pixels / 255 * (found['max'] - found['min'])
    step = 19.5 / 255
    assert (expected - back >= -1e-5).all() and (expected - back <= step + 1e-5).all()
    assert found['units'] == 'm' and found['model'] == 'given' and 'metres / 20' in found['law']
    assert found['intrinsics'] == {**CAMERA, 'width': WIDTH, 'height': HEIGHT}
    assert found['request_id'] == reply.headers['X-Request-Id'] and found['timings']


@pytest.mark.parametrize('form', [
    'data:image/png;base64,' + PNG, 'data:image/jpeg;base64,' + PNG,
    '\n'.join(PNG[at:at + 76] for at in range(0, len(PNG), 76)), ' ' + PNG + '\t*'])
def test_r3_base64_as_the_seed_takes_it(client, form):
    assert ask(client, '/rel_depth', image=form).status_code == 200
    assert file_of(form) == file_bytes()


def test_r3_image_wins_and_empty_counts_as_absent(client):
    assert ask(client, '/rel_depth', image_url='https://x.example/').status_code == 200
    reply = ask(client, '/rel_depth', image='', image_url='')
    assert reply.status_code == 400
    assert reply.json()['detail'] == 'Either image or image_url must be provided'


@pytest.mark.parametrize(('path', 'changes', 'status', 'detail'), [
    ('/pc', {'max_depth': ...}, 400, 'max_depth is required for pointcloud'),
    ('/pc', {'max_depth': None}, 400, 'max_depth is required for pointcloud'),
    ('/metric_depth', {'max_depth': 0}, 400, 'max_depth is required for metric depth'),
    ('/metric_depth', {'max_depth': -1}, 400, 'max_depth must be positive, seen -1'),
    ('/metric_depth', {'image': ...}, 400, 'Either image or image_url must be provided'),
    ('/pc', {'camera_intrinsics': ...}, 400, 'camera_intrinsics is required for pointcloud'),
    ('/pc', {'image': 'AAAA'}, 400, 'accepted: JPEG, PNG, WebP'),
    ('/pc', {'image': 'A'}, 400, 'image is no base64'),
    ('/rel_depth', {'image': ..., 'image_url': 'https://x.example/'}, 400, '--allow-image-url'),
])
def test_r4_r5_statuses_and_texts(client, path, changes, status, detail):
    reply = ask(client, path, **changes)
    assert reply.status_code == status and detail in reply.json()['detail']
    assert reply.json()['code'] and reply.json()['request_id']


@pytest.mark.parametrize('changes', [
    {'encoder': 'vit'}, {'dataset': 'kitti'}, {'model_input_size': 'big'},
    {'model_input_size': 10**9}, {'max_depth': 'far'}, {'image': 7},
    {'camera_intrinsics': {'fx': 1.0}}, {'camera_intrinsics': {**CAMERA, 'fx': 0}},
    {'camera_intrinsics': {**CAMERA, 'fx': -5}}, {'camera_intrinsics': [1, 2, 3, 4]},
])
def test_r4_schema_errors_are_fastapis(client, changes):
    reply = ask(client, '/metric_depth', **changes)
    assert reply.status_code == 422
    item = reply.json()['detail'][0]
    assert item['loc'][0] == 'body' and item['msg'] and item['type'] and 'input' not in item


@pytest.mark.parametrize('text', [
    b'', b'{', b'[]', b'7', b'{"max_depth": NaN}', b'{"max_depth": 1e999}', b'\xff\xfe',
    b'{"image": "x", "camera_intrinsics": {"fx": NaN, "fy": 1, "cx": 1, "cy": 1}}',
    b'{"image": "x", "camera_intrinsics": {"fx": 1, "fy": 1, "cx": Infinity, "cy": 1}}',
    b'[' * 100000, b'{"image": "\\ud800"}'])
def test_r4_json_that_is_none(client, text):
    reply = client.post('/metric_depth', content=text)
    assert reply.status_code in (400, 422) and reply.json()['detail']


def test_r5_intrinsics_are_optional_on_the_depth_routes(client):
    for path in ('/metric_depth', '/rel_depth'):
        found = ask(client, path, camera_intrinsics=...)
        assert found.status_code == 200
        assert any('60 degrees' in note for note in found.json()['notes'])


def test_r6_point_cloud(client):
    found = ask(client, '/pc').json()
    assert found['shape'] == found['pointcloud_shape'] == [HEIGHT * WIDTH, 3]
    points = functions.decode_pointcloud(found['pointcloud'], found['shape'])
    assert points.dtype == np.float32 and len(base64.b64decode(found['pointcloud'])) \
        == HEIGHT * WIDTH * 12
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    depth = np.clip(DEPTHS, 0, 20)
    expected = np.stack([(u - 40) / 70 * depth, (v - 30) / 72 * depth, depth], axis=-1)
    np.testing.assert_allclose(points, expected.reshape(-1, 3), rtol=1e-5, atol=1e-5)


def test_r7_a_constant_map_gives_zeros():
    assert (levels(np.full((2, 2), 3, np.float32), 255) == 0).all()
    with serving(lambda frame: np.full((6, 8), 3, np.float32), kind=DepthKind.METRIC) as client:
        found = ask(client, '/metric_depth').json()
        assert found['min'] == found['max'] == 3.0
        assert not functions.decode_depth_map(found['depth_map']).any()


def test_r8_other_forms_on_request(client):
    truth = np.clip(DEPTHS, 0, 20)
    found = ask(client, '/metric_depth', depth_format='png16').json()
    pixels = functions.decode_depth_map(found['depth_map'])
    assert pixels.dtype == np.uint16
    np.testing.assert_allclose(0.5 + pixels / 65535 * 19.5, truth, atol=19.5 / 65535 + 1e-5)
    found = ask(client, '/metric_depth', depth_format='float32').json()
    values = np.frombuffer(base64.b64decode(found['depth_map']), '<f4')
    np.testing.assert_array_equal(values.reshape(found['depth_shape']), truth)
    import io
    found = ask(client, '/metric_depth', depth_format='npy').json()
    values = np.load(io.BytesIO(base64.b64decode(found['depth_map'])), allow_pickle=False)
    np.testing.assert_array_equal(values, truth)
    assert ask(client, '/metric_depth', depth_format='exr').status_code == 422


def test_r9_health_and_model_keys():
    with serving(lambda frame: DEPTHS, kind=DepthKind.METRIC) as client:
        assert client.get('/health').json() == {
            'status': 'healthy', 'device': 'cpu', 'models_loaded': []}
        ask(client, '/rel_depth')
        ask(client, '/metric_depth', encoder='vits', dataset='vkitti', model_input_size=14,
            max_depth=80)
        ask(client, '/rel_depth')
        ask(client, '/metric_depth', max_depth=0)
        assert client.get('/health').json()['models_loaded'] == [
            'vitl_hypersim_518_1.0', 'vits_vkitti_14_80.0']


@pytest.mark.parametrize(('dataset', 'reach'), [('hypersim', 20.0), ('vkitti', 80.0)])
def test_r10_linear_in_max_depth_and_metric_at_the_range(client, dataset, reach):
    maps = {}
    for top in (1.0, 2.0, reach):
        found = ask(client, '/metric_depth', dataset=dataset, max_depth=top,
                    depth_format='float32').json()
        maps[top] = np.frombuffer(base64.b64decode(found['depth_map']), '<f4').reshape(
            HEIGHT, WIDTH)
        assert 0 <= maps[top].min() and maps[top].max() <= top
        assert found['units'] == ('m' if top == reach else 'scaled')
    np.testing.assert_allclose(maps[2.0], 2 * maps[1.0], rtol=1e-6)
    np.testing.assert_array_equal(maps[reach], np.clip(DEPTHS, 0, reach))
    relative = ask(client, '/rel_depth', dataset=dataset, depth_format='float32').json()
    values = np.frombuffer(base64.b64decode(relative['depth_map']), '<f4').reshape(HEIGHT, WIDTH)
    np.testing.assert_array_equal(values, maps[1.0])


def result_of(depth, kind):
    rgb = np.zeros((*depth.shape, 3), np.uint8)
    return DepthResult(Frame(rgb), depth, ScaleLaw(kind), 'given', Intrinsics.from_fov(
        60, *depth.shape[::-1]))


def test_r10_invalid_is_farthest_and_relative_says_so():
    holes = np.array([[1, np.nan], [np.inf, 40]], np.float32)
    depth, law = seed_depth(result_of(holes, DepthKind.METRIC), 'hypersim', 10.0)
    np.testing.assert_allclose(depth, [[0.5, 10], [10, 10]])
    depth, law = seed_depth(result_of(holes, DepthKind.RELATIVE), 'hypersim', 10.0)
    np.testing.assert_allclose(depth, [[0.25, 10], [10, 10]])
    assert 'relative' in law
    empty = np.full((2, 2), np.nan, np.float32)
    for kind in (DepthKind.METRIC, DepthKind.RELATIVE):
        assert (seed_depth(result_of(empty, kind), 'vkitti', 2.0)[0] == 2).all()


def test_r10_the_shorter_side_is_bounded(client):
    strip = file_bytes(picture(0, 8000, 8))
    reply = ask(client, '/rel_depth', image=base64.b64encode(strip).decode())
    assert reply.status_code == 400 and 'would be processed at' in reply.json()['detail']


def test_r14_r15_health_answers_while_the_device_is_busy():
    gate = Gate()
    with serving(gate) as client:
        thread = threading.Thread(target=lambda: ask(client, '/rel_depth'))
        thread.start()
        assert gate.entered.wait(30)
        with httpx.Client(base_url=client.base_url, trust_env=False) as other:
            assert other.get('/health').status_code == 200
            assert other.get('/livez').status_code == 200
        gate.opened.set()
        thread.join()


# The seed's own program and texts, against a real server process.

@pytest.fixture(scope='module')
def address():
    with server('depth_anything_ros.cli.main', 'rest', '--port', '0', *TINY, names=1) as found:
        yield found['rest']


@pytest.fixture
def seed_folder(monkeypatch):
    folder = ROOT / 'compat' / 'depth_anything_v2'
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in [name for name in sys.modules if name.split('.')[0] == 'client']:
        del sys.modules[name]


def test_r12_the_seeds_client_code_runs_as_it_is(address, tmp_path, seed_folder):
    blocks = [block for block in code_blocks('rest-server.txt') or () if 'depth_client' in block]
    if not blocks:
        pytest.skip('the text of the seed is not on this machine')
    photo = tmp_path / 'image.jpg'
    photo.write_bytes(file_bytes(picture(0, 160, 120), '.jpg'))
    names = {'cam_int': CAMERA, 'image_base64': functions.encode_image(photo)}
    ran = 0
    for block in blocks:
        code = block.replace('path/to/image.jpg', str(photo))
        code = re.sub(r'http://[\w.-]+:8000', address, code)
        if 'base_url' not in code:
            # 'All functions' rely on the default address, that of this machine.
            code = code.replace('max_depth=1.0)', f'max_depth=1.0, base_url="{address}")').replace(
                'camera_intrinsics=cam_int)', f'camera_intrinsics=cam_int, base_url="{address}")')
        exec(code, names)
        ran += 1
    assert ran == len(blocks) >= 2
    assert names['pointcloud'].shape == (160 * 120, 3)
    assert names['pointcloud'].dtype == np.float32
    assert names['metric_result']['shape'] == [120, 160]
    assert names['health']['status'] == 'healthy' and names['health']['device'] == 'cpu'
    assert names['health']['models_loaded'][0] == 'vitl_hypersim_518_1.0'


def test_r12_functions(address, tmp_path):
    with pytest.raises(ValueError, match='Either image or image_url must be provided'):
        functions.predict_pointcloud(base_url='http://127.0.0.1:1')
    with pytest.raises(httpx.HTTPStatusError):
        functions.predict_metric_depth(image='AAAA', base_url=address)
    bare = functions.decode_depth_map(base64.b64encode(cv2.imencode(
        '.png', np.arange(6, dtype=np.uint8).reshape(2, 3))[1].tobytes()).decode())
    assert bare.tolist() == [[0, 1, 2], [3, 4, 5]]
    for name, last in (('predict_pointcloud', 'api_key'), ('predict_relative_depth', 'api_key')):
        import inspect
        parameters = list(inspect.signature(getattr(functions, name)).parameters)
        assert parameters[:4] == ['image', 'image_url', 'camera_intrinsics', 'base_url']
        assert parameters[-1] == last


def test_r13_servers_and_the_test_script(address, tmp_path, seed_folder, capsys, monkeypatch):
    servers = yaml.safe_load((ROOT / 'config' / 'servers.yaml').read_text())
    for entry in servers.values():
        assert {'base_url', 'api_key', 'model'} <= set(entry)
    import runpy
    photo = tmp_path / 'photo.png'
    photo.write_bytes(file_bytes())
    script = runpy.run_path(str(seed_folder / 'test_api_client.py'))
    assert (seed_folder / 'config' / 'servers.yaml').resolve().is_file()
    servers['depth-anything-3-local']['base_url'] = address
    monkeypatch.setattr(yaml, 'safe_load', lambda text: servers)
    monkeypatch.chdir(tmp_path)
    script['main'](str(photo))
    said = capsys.readouterr().out
    assert 'healthy' in said and 'points (4800, 3)' in said and 'relative [60, 80]' in said


SCRIPT = ROOT / 'compat' / 'depth_anything_v2' / 'run_api_server.py'


def test_r1_g4_the_seeds_start_script_with_its_flags():
    done = subprocess.run(
        [sys.executable, SCRIPT, '--host', '0.0.0.0', '--port', '8000', '--reload'],
        capture_output=True, text=True, timeout=120, env=environment())
    assert done.returncode == 2 and '--allow-anonymous' in done.stderr


def test_r1_reload_starts_again_when_a_source_changes():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, SCRIPT, '--port', str(port), '--reload', *TINY],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    watchdog = threading.Timer(240, process.kill)
    watchdog.start()

    def began():
        """Return when the server that answers now began; it does so before it has a model."""
        while process.poll() is None:
            try:
                reply = httpx.get(f'http://127.0.0.1:{port}/livez', trust_env=False)
                return time.time() - reply.json()['uptime_s']
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError('the program has ended')

    try:
        first, again = began(), 0.0
        while began() < first + 0.5:
            # Again where nothing came of it: the first time nobody may have been looking yet.
            if time.monotonic() > again:
                os.utime(
                    ROOT / 'depth_anything_ros' / 'bridges' / 'rest' / 'routes' / '__init__.py')
                again = time.monotonic() + 10
            time.sleep(0.05)
        process.terminate()
        assert process.wait(120) == 0
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
