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

"""What upstream's clients of a server rely on: rules U1 to U6."""

import io
import time

from depth_anything_ros.bridges.backend.exports import ExportRoots
from depth_anything_ros.bridges.backend.gallery import Gallery
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.rest.program import add_rest_arguments, options_of
from depth_anything_ros.errors import ConfigError
import numpy as np
import pytest
from ws_parts import gltf, pictures, serving


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp('backend')
    for name in ('in', 'out', 'other', 'gallery'):
        (base / name).mkdir()
    for index, data in enumerate(pictures(3)):
        (base / 'in' / f'{index}.png').write_bytes(data)
    (base / 'other' / 'secret.png').write_bytes(pictures(1)[0])
    (base / 'in' / 'link.png').symlink_to(base / 'other' / 'secret.png')
    (base / 'out' / 'link').symlink_to(base / 'other')
    scene = base / 'gallery' / 'house <b>' / 'kitchen & hall'
    (scene / 'depth_vis').mkdir(parents=True)
    (scene / 'scene.glb').write_bytes(b'glTF')
    (scene / 'scene.jpg').write_bytes(b'jpg')
    (scene / 'depth_vis' / '0000.jpg').write_bytes(b'depth')
    (scene / 'notes.txt').write_text('private')
    (scene / 'out.jpg').symlink_to(base / 'other' / 'secret.png')
    return base


@pytest.fixture(scope='module')
def client(folders):
    with serving(roots=ImageRoots([folders / 'in']), exports=ExportRoots([folders / 'out']),
                 gallery=folders / 'gallery') as client:
        yield client


def ask(client, folders, out='run', **more):
    paths = [str(folders / 'in' / f'{index}.png') for index in range(3)]
    return client.post('/inference', json={
        'image_paths': paths, 'export_dir': str(folders / 'out' / out),
        # Sent by upstream's command and ignored by its server.
        'use_ray_pose': True, 'ref_view_strategy': 'first', **more})


def ended(client, name):
    for _ in range(600):
        task = client.get(f'/task/{name}').json()
        if task['completed_at'] is not None:
            return task
        time.sleep(0.05)
    raise AssertionError(task)


def test_u1_a_port_of_upstream_can_be_chosen():
    import argparse
    parser = argparse.ArgumentParser()
    add_rest_arguments(parser)
    assert parser.parse_args(['--port', '8008']).port == 8008
    options = options_of(parser.parse_args([]))
    assert options.gallery is None
    with pytest.raises(ConfigError, match='not a folder'):
        options_of(parser.parse_args(['--export-root', '/no/such/folder']))


def test_u2_a_task_writes_upstreams_files(client, folders):
    reply = ask(client, folders, export_format='mini_npz-npz-glb-ply')
    body = reply.json()
    assert reply.status_code == 200, body
    assert (body['success'], body['message'], body['processing_time']) == (
        True, 'Task submitted successfully', None)
    task = ended(client, body['task_id'])
    assert task['status'] == 'completed', task
    out = folders / 'out' / 'run'
    assert sorted(str(path.relative_to(out)) for path in out.rglob('*') if path.is_file()) == [
        'depth_vis/0000.jpg', 'depth_vis/0001.jpg', 'depth_vis/0002.jpg',
        'exports/mini_npz/results.npz', 'exports/npz/results.npz', 'scene.glb', 'scene.jpg',
        'scene.ply']
    assert len(gltf((out / 'scene.glb').read_bytes())[0]['meshes']) == 4
    with np.load(io.BytesIO((out / 'exports/npz/results.npz').read_bytes())) as results:
        assert results['image'].shape == (3, 84, 112, 3)
        assert results['depth'].shape == (3, 84, 112) and results['depth'].dtype == np.float32
        assert results['extrinsics'].shape == (3, 3, 4)
        assert results['intrinsics'].shape == (3, 3, 3)


def test_u3_tasks_are_shown_listed_and_forgotten(client, folders):
    name = ask(client, folders, out='shown', export_format='mini_npz').json()['task_id']
    task = ended(client, name)
    assert set(task) == {
        'task_id', 'status', 'message', 'progress', 'created_at', 'started_at', 'completed_at',
        'export_dir', 'request', 'num_images', 'export_format', 'process_res_method',
        'video_path'}
    assert (task['num_images'], task['progress'], task['request']['process_res']) == (3, 1.0, 504)
    listed = client.get('/tasks').json()
    assert set(listed) == {
        'tasks', 'active_tasks', 'completed_tasks', 'active_count', 'total_count'}
    assert name in [item['task_id'] for item in listed['completed_tasks']]
    assert client.delete(f'/task/{name}').status_code == 200
    for method in (client.get, client.delete):
        reply = method(f'/task/{name}')
        assert (reply.status_code, reply.json()['detail']) == (404, 'Task not found')


def test_u3_a_task_that_has_not_ended_is_not_deleted(folders):
    import threading

    from ws_parts import as_seen
    entered, opened = threading.Event(), threading.Event()

    def views(frames):
        entered.set()
        assert opened.wait(60)
        return as_seen(frames)

    with serving(views, roots=ImageRoots([folders / 'in']),
                 exports=ExportRoots([folders / 'out'])) as client:
        name = ask(client, folders, out='held').json()['task_id']
        assert entered.wait(60)
        reply = client.delete(f'/task/{name}')
        assert (reply.status_code, reply.json()['detail']) == (
            400, 'Cannot delete running or pending tasks')
        assert client.get(f'/task/{name}').json()['status'] == 'running'
        replies = [ask(client, folders, out='held') for _ in range(16)]
        assert [reply.status_code for reply in replies] == [200] * 15 + [503]
        opened.set()
        ended(client, name)


def test_u3_status_and_memory(client):
    body = client.get('/status').json()
    assert set(body) == {'model_loaded', 'model_dir', 'device', 'load_time', 'last_used', 'uptime',
                         'gpu_memory'}
    assert body['model_loaded'] is True and body['gpu_memory'] is None
    assert client.get('/gpu-memory').json() == {'available': False, 'status': 'healthy'}


def test_u3_the_gallery_shows_a_folder_escaped(client):
    assert client.get('/gallery/manifest.json').json() == {
        'groups': [{'id': 'house <b>', 'title': 'house <b>'}]}
    group = client.get('/gallery/manifest/house <b>.json').json()
    item = group['items'][0]
    assert set(item) == {'id', 'title', 'model', 'thumbnail', 'depth_images'}
    assert client.get(item['model']).content == b'glTF'
    assert client.get(item['thumbnail']).headers['content-type'] == 'image/jpeg'
    assert client.get(item['depth_images'][0]).content == b'depth'
    page = client.get('/gallery/')
    assert 'house &lt;b&gt;' in page.text and '<b>' not in page.text
    assert "default-src 'none'" in page.headers['content-security-policy']


@pytest.mark.parametrize('path', [
    'house%20%3Cb%3E/kitchen%20&%20hall/notes.txt', 'house%20%3Cb%3E/kitchen%20&%20hall/out.jpg',
    '..%2Fother%2Fsecret.png', '%2e%2e/other/secret.png', '%2Fetc%2Fpasswd', 'nothing.glb',
    '%00.jpg'])
def test_u5_the_gallery_hands_out_nothing_else(client, path):
    assert client.get(f'/gallery/{path}').status_code == 404


@pytest.mark.parametrize(('change', 'status'), [
    ({'image_paths': ['/etc/passwd']}, 200), ({'image_paths': []}, 422),
    ({'export_dir': '/tmp'}, 403), ({'export_dir': None}, 400),
    ({'export_format': 'glb-colmap'}, 400),
    ({'export_format': 'glb; rm -rf /'}, 400), ({'process_res': 5}, 422),
    ({'intrinsics': [[[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]]}, 400)])
def test_u5_a_request_reaches_only_what_was_allowed(client, folders, change, status):
    reply = ask(client, folders, **change)
    assert reply.status_code == status, reply.text
    if status == 200:
        task = ended(client, reply.json()['task_id'])
        assert task['status'] == 'failed' and 'no readable picture' in task['message']


def test_u5_links_lead_nowhere(client, folders):
    link = str(folders / 'in' / 'link.png')
    task = ended(client, ask(client, folders, image_paths=[link]).json()['task_id'])
    assert task['status'] == 'failed'
    for out in ('link/x', '../other/x'):
        assert ask(client, folders, out=out).status_code == 403
    assert [path.name for path in (folders / 'other').iterdir()] == ['secret.png']


def test_u6_without_the_flags_nothing_is_read_or_written(folders):
    with serving() as client:
        assert ask(client, folders).status_code == 403
        assert client.get('/gallery/').status_code == 404


def test_w7_the_first_call_of_the_seeds_suite(client):
    assert client.get('/status').status_code == 200
    for page in ('/', '/dashboard', '/docs'):
        assert 'html' in client.get(page).headers['content-type']


def test_a_gallery_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match='not a folder'):
        Gallery(tmp_path / 'missing')
