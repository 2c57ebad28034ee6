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

"""Sessions over HTTP: rules W1 to W7."""

import asyncio
import time
import uuid

from depth_anything_ros.reconstruction.sessions import SessionLimits
import numpy as np
import pytest
from ws_parts import created, pictures, png, serving, Talk, talking, unknown_views


@pytest.fixture(scope='module')
def client():
    with serving() as client:
        yield client


def test_w1_create_takes_query_parameters_and_says_what_holds(client):
    before = time.time()
    reply = client.post('/ws/session/create', params={'max_images': 50, 'process_res': 308})
    body = reply.json()
    assert reply.status_code == 200 and body['success'] is True
    assert str(uuid.UUID(body['session_id'], version=4)) == body['session_id']
    assert before - 1 < body['created_at'] < time.time() + 1 and body['max_images'] == 50
    assert body['config'] == {
        'process_res': 308, 'process_res_method': 'upper_bound_resize',
        'conf_thresh_percentile': 10.0, 'num_max_points': 10_000_000, 'show_cameras': True}
    assert client.post('/ws/session/create').json()['config']['process_res'] == 504


@pytest.mark.parametrize('parameter', [
    {'max_images': 'many'}, {'max_images': 0}, {'process_res': -1}, {'process_res': 100_000},
    {'process_res_method': 'squeeze'}, {'conf_thresh_percentile': 100}, {'num_max_points': 0},
    {'conf_thresh_percentile': 'nan'}, {'show_cameras': 'maybe'}])
def test_w1_a_bad_parameter_is_422(client, parameter):
    assert client.post('/ws/session/create', params=parameter).status_code == 422


def test_w2_get_shows_the_session_and_404_an_unknown_one(client):
    session = created(client, max_images=7)
    body = client.get(f'/ws/session/{session}').json()
    assert set(body) == {'session_id', 'created_at', 'last_activity', 'status', 'image_count',
                         'max_images', 'error_message'}
    assert (body['status'], body['image_count'], body['max_images']) == ('active', 0, 7)
    assert body['error_message'] is None
    later = client.get(f'/ws/session/{session}').json()
    assert later['last_activity'] >= body['last_activity']
    unknown = client.get('/ws/session/nobody')
    assert (unknown.status_code, unknown.json()['detail']) == (404, 'Session not found')


def test_w3_delete_forgets_the_session(client):
    session = created(client)
    reply = client.delete(f'/ws/session/{session}')
    assert (reply.status_code, reply.json()) == (
        200, {'success': True, 'message': f'Session {session} deleted'})
    assert client.delete(f'/ws/session/{session}').status_code == 404
    assert client.get(f'/ws/session/{session}').status_code == 404


def test_w4_the_list_has_stats_and_sessions(client):
    session = created(client)
    body = client.get('/ws/sessions').json()
    assert set(body['stats']) == {
        'total_sessions', 'active_sessions', 'processing_sessions', 'max_sessions',
        'total_images', 'session_timeout'}
    row = next(item for item in body['sessions'] if item['session_id'] == session)
    assert set(row) == {'session_id', 'created_at', 'last_activity', 'status', 'image_count'}
    assert body['stats']['total_sessions'] == len(body['sessions'])
    assert body['stats']['max_sessions'] == 100 and body['stats']['session_timeout'] == 3600


def test_w5_status_goes_with_the_work():
    with serving(unknown_views) as client:
        session = created(client)

        def status():
            return client.get(f'/ws/session/{session}').json()['status']

        with talking(client, session) as talk:
            talk.image(pictures(1)[0])
            talk.say(type='generate')
            talk.until('complete')
            assert status() == 'active'
            talk.say(type='finalize')
            talk.until('complete')
            assert status() == 'completed'
            assert talk.image(pictures(1)[0])['type'] == 'ack'
            talk.say(type='generate')
            talk.until('complete')


def test_w5_a_failure_is_remembered_until_the_next_try():
    fail = [True]

    def views(frames):
        if fail[0]:
            raise RuntimeError('no')
        return unknown_views(frames)

    with serving(views) as client:
        session = created(client)
        with talking(client, session) as talk:
            talk.image(pictures(1)[0])
            talk.say(type='generate')
            assert talk.until('error')[-1]['message'].startswith('Failed to generate point cloud')
            body = client.get(f'/ws/session/{session}').json()
            assert body['status'] == 'error' and body['error_message']
            fail[0] = False
            talk.say(type='generate')
            talk.until('complete')
            assert client.get(f'/ws/session/{session}').json()['error_message'] is None


def test_w6_a_full_server_says_503_and_keeps_sessions_that_are_in_use():
    with serving(sessions=SessionLimits(sessions=2, spare_s=3600)) as client:
        first, second = created(client), created(client)
        reply = client.post('/ws/session/create')
        assert reply.status_code == 503 and int(reply.headers['retry-after']) > 0
        assert reply.json()['detail'].startswith(
            'Failed to create session: Maximum number of sessions (2)')
        client.delete(f'/ws/session/{first}')
        created(client)
        assert client.get(f'/ws/session/{second}').status_code == 200


def test_w6_a_session_survives_a_dropped_socket(client):
    session = created(client)
    with talking(client, session) as talk:
        talk.image(pictures(1)[0])
        talk.socket.socket.close()  # no goodbye
    with Talk(client, session) as talk:
        greeting = talk.hear()
        assert greeting == {'type': 'connected', 'session_id': session, 'image_count': 1,
                            'max_images': 100}
        assert talk.image(pictures(2)[1])['image_count'] == 2


def test_w6_everything_is_deleted_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    with serving() as client:
        with talking(client) as talk:
            talk.image(pictures(1)[0])
            kept = [path for path in tmp_path.rglob('*') if path.is_file()]
            assert len(kept) == 1 and kept[0].name == '000000'
            assert (kept[0].parents[1].stat().st_mode & 0o077) == 0
    assert not [path for path in tmp_path.iterdir() if path.name.startswith('depth_anything_')]


def test_w7_a_page_of_another_port_may_post_without_asking_first(client):
    reply = client.post('/ws/session/create', headers={'Origin': 'http://localhost:8080'})
    assert reply.status_code == 200
    assert reply.headers['access-control-allow-origin'] in ('*', 'http://localhost:8080')


def test_w7_a_page_of_a_file_may_where_it_is_allowed():
    with serving(origins=('null',)) as client:
        reply = client.post('/ws/session/create', headers={'Origin': 'null'})
        assert reply.status_code == 200
        assert reply.headers['access-control-allow-origin'] in ('*', 'null')


def test_w17_the_suite_of_the_seed(client):
    assert client.get('/ws/session/none').status_code == 404
    session = created(client)
    body = client.get(f'/ws/session/{session}').json()
    assert body['status'] == 'active' and body['image_count'] == 0
    assert {'stats', 'sessions'} <= set(client.get('/ws/sessions').json())
    assert client.delete(f'/ws/session/{session}').status_code == 200
    assert client.get(f'/ws/session/{session}').status_code == 404


def test_100_sessions_at_once_lose_nothing_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    data = png(np.zeros((28, 42, 3), np.uint8))

    async def one(uri):
        import base64
        import json

        from websockets.asyncio.client import connect
        async with connect(uri, max_size=None, open_timeout=60, proxy=None) as socket:
            assert json.loads(await socket.recv())['type'] == 'connected'
            text = json.dumps({'type': 'image', 'data': base64.b64encode(data).decode()})
            for count in (1, 2, 3):
                await socket.send(text)
                reply = json.loads(await socket.recv())
                assert reply['image_count'] == count, reply

    async def all_of(sessions, base):
        await asyncio.gather(*(one(f'{base}/ws/reconstruct/{session}') for session in sessions))

    from depth_anything_ros.bridges.base import BridgeLimits
    with serving(limits=BridgeLimits(clients=256, in_flight=200)) as client:
        base = client.bridge.address.replace('http', 'ws', 1)

        def round_of_100():
            sessions = [created(client) for _ in range(100)]
            asyncio.run(all_of(sessions, base))
            stats = client.get('/ws/sessions').json()['stats']
            assert (stats['total_sessions'], stats['total_images']) == (100, 300)
            for session in sessions:
                assert client.delete(f'/ws/session/{session}').status_code == 200
            assert client.get('/ws/sessions').json()['stats']['total_images'] == 0

        round_of_100()  # pools, caches and buffers come to their size
        before = resident()
        round_of_100()
        assert resident() < 1.05 * before
    assert not [path for path in tmp_path.rglob('*') if path.is_file()]


def resident():
    """Return the resident memory of this process in KiB."""
    import gc
    gc.collect()
    with open('/proc/self/status', encoding='ascii') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS'))
