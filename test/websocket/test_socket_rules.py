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

"""What is said on a socket: rules W8 to W15."""

import base64
import json
import time

import cv2
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.errors import InvalidImage
from depth_anything_ros.reconstruction.sessions import SessionLimits
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from ws_parts import (
    as_seen,
    created,
    gltf,
    model_of,
    pictures,
    png,
    serving,
    Talk,
    talking,
    unknown_views,
)


@pytest.fixture(scope='module')
def client():
    with serving() as client:
        yield client


@pytest.fixture
def talk(client):
    with talking(client) as talk:
        yield talk


def upload(talk, count=4):
    for data in pictures(count):
        assert talk.image(data)['type'] == 'ack'


def test_an_unknown_session_is_accepted_told_and_closed_normally(client):
    with Talk(client, 'nobody') as talk:
        heard = talk.hear()
        assert (heard['type'], heard['message']) == ('error', 'Session nobody not found')
        with pytest.raises(ConnectionClosed):
            talk.hear()
        assert talk.socket.close_code == 1000


def test_an_image_is_acknowledged_with_a_name_and_no_path(client):
    session = created(client)
    with talking(client, session) as talk:
        data = pictures(1)[0]
        assert talk.image(data) == {
            'type': 'ack', 'image_count': 1, 'session_id': session,
            'image_path': 'image_0000.png'}
        assert talk.image(data, filename='hall.png')['image_path'] == 'hall.png'
        assert talk.image(data)['image_path'] == 'image_0002.png'
        assert talk.ask(type='ping') == {'type': 'pong', 'session_id': session}


def test_anything_else_is_an_error_and_the_socket_stays(talk):
    assert talk.ask(type='dance')['message'] == 'Unknown message type: dance'
    assert talk.ask(kind='ping')['message'] == 'Unknown message type: None'
    assert talk.ask(type='ping')['type'] == 'pong'


def test_w8_progress_in_the_stages_of_the_seed_never_falls(talk):
    upload(talk)
    talk.say(type='generate')
    *steps, last = talk.until('complete')
    assert [(step['stage'], step['progress'], step['message']) for step in steps] == [
        ('loading_model', 0.1, 'Loading model...'),
        ('inference', 0.3, 'Processing 4 images...'),
        ('exporting', 0.7, 'Generating 3D model...')]
    talk.say(type='finalize')
    *steps, last = talk.until('complete')
    assert (steps[0]['stage'], steps[0]['progress'], steps[0]['message']) == (
        'finalizing', 0.1, 'Generating final 3D model...')
    shares = [step['progress'] for step in steps]
    assert shares == sorted(shares)


def test_w9_the_model_comes_with_what_describes_it(client):
    session = created(client)
    with talking(client, session) as talk:
        upload(talk)
        talk.say(type='generate')
        last = talk.until('complete')[-1]
    glb, metadata = model_of(last), last['metadata']
    assert last['image_count'] == metadata['num_frames'] == 4
    assert metadata['session_id'] == session and metadata['glb_size_bytes'] == len(glb)
    assert np.shape(metadata['intrinsics']) == (4, 3, 3)
    assert np.shape(metadata['extrinsics']) == (4, 3, 4)
    poses = np.array(metadata['camera_to_world'])
    assert poses.shape == (4, 4, 4)
    to_camera = np.tile(np.eye(4), (4, 1, 1))
    to_camera[:, :3] = metadata['extrinsics']
    np.testing.assert_allclose(poses @ to_camera, np.tile(np.eye(4), (4, 1, 1)), atol=1e-9)
    assert 0 < metadata['depth_min'] < metadata['depth_max']
    assert metadata['num_points'] == 2000 < metadata['total_points']


def test_w10_a_delta_carries_the_whole_model(talk):
    for count, data in enumerate(pictures(3), start=1):
        talk.image(data)
        talk.say(type='generate', incremental=True)
        last = talk.until('delta')[-1]
        assert last['metadata']['num_frames'] == count
        document, _ = gltf(model_of(last))
        assert len(document['meshes']) == 1 + count


def test_w10_earlier_work_is_reused():
    calls = []

    def views(frames):
        calls.append(len(frames))
        return as_seen(frames)

    with serving(views) as client, talking(client) as talk:
        for count, data in enumerate(pictures(8), start=1):
            talk.image(data)
            talk.say(type='generate', incremental=True)
            heard = talk.until('delta')
            shares = [step['progress'] for step in heard[:-1]]
            assert shares == sorted(shares) and heard[-2]['stage'] == 'exporting'
            assert heard[-1]['metadata']['num_frames'] == count
        assert calls == [1, 2, 3, 4, 5, 5, 5, 5], 'up to four earlier images each time'
        talk.say(type='finalize')
        full = talk.until('complete')[-1]['metadata']
        assert calls[-1] == 8 and full['notes'] == []
        np.testing.assert_allclose(
            full['extrinsics'], heard[-1]['metadata']['extrinsics'], atol=1e-4)


def test_w10_what_cannot_be_added_is_made_at_once_and_said():
    with serving(mixed_sizes) as client, talking(client) as talk:
        talk.image(pictures(1)[0])
        talk.say(type='generate', incremental=True)
        talk.until('delta')
        fail.append(True)
        talk.image(pictures(2)[1])
        talk.say(type='generate', incremental=True)
        notes = talk.until('delta')[-1]['metadata']['notes']
        assert any('at once' in note for note in notes), notes


fail = []


def mixed_sizes(frames):
    """Refuse the first call that is asked to fail, as networks do for what cannot be joined."""
    if fail:
        fail.pop()
        raise InvalidImage('no surface in common')
    return as_seen(frames)


def test_w11_the_texts_of_errors(talk):
    talk.socket.send('{"type": ')
    assert talk.hear()['message'].startswith('Invalid message format: ')
    talk.socket.send('[1, 2]')
    assert talk.hear()['message'].startswith('Invalid message format: ')
    assert talk.ask(type='image')['message'] == "Failed to process image: Missing 'data' field"
    assert talk.ask(type='generate')['message'] == 'No images in session'
    assert talk.ask(type='finalize')['message'] in ('No images in session',)
    garbage = base64.b64encode(b'no image').decode()
    for data in (garbage, '%%%', '=', 'ab', base64.b64encode(pictures(1)[0][:200]).decode()):
        text = talk.ask(type='image', data=data)['message']
        assert text.startswith('Failed to process image: Invalid image data: '), text
    for data in (5, ['x'], {'a': 1}, True):
        assert talk.ask(type='image', data=data)['message'].startswith(
            'Failed to process image: Invalid image data: ')
    assert talk.image(pictures(1)[0])['type'] == 'ack'


def test_w11_a_full_session_says_how_many_it_takes(client):
    with talking(client, created(client, max_images=1)) as talk:
        talk.image(pictures(1)[0])
        assert talk.image(pictures(1)[0])['message'] == (
            'Failed to process image: Session has reached maximum image limit (1)')


def test_w11_a_failed_reconstruction_says_so_and_the_socket_stays():
    def views(frames):
        raise RuntimeError('/secret/path')

    with serving(views) as client, talking(client) as talk:
        talk.image(pictures(1)[0])
        talk.say(type='generate')
        text = talk.until('error')[-1]['message']
        assert text.startswith('Failed to generate point cloud: ') and 'secret' not in text
        talk.say(type='finalize')
        assert talk.until('error')[-1]['message'].startswith('Failed to finalize: ')
        assert talk.ask(type='ping')['type'] == 'pong'


def test_w12_what_is_sent_without_waiting_is_answered_in_order(talk):
    for index, data in enumerate(pictures(4)):
        talk.say(type='image', data=base64.b64encode(data).decode(), filename=f'{index}.png')
    talk.say(type='ping')
    talk.say(type='generate')
    talk.say(type='ping')
    acks = [talk.hear() for _ in range(4)]
    assert [ack['image_path'] for ack in acks] == ['0.png', '1.png', '2.png', '3.png']
    assert [ack['image_count'] for ack in acks] == [1, 2, 3, 4]
    assert talk.hear()['type'] == 'pong'
    heard = talk.until('complete')
    assert heard[-1]['metadata']['num_frames'] == 4
    # While a model is made a ping is answered at once (trap W-c), else in its turn.
    pongs = [message for message in heard if message['type'] == 'pong']
    assert pongs or talk.hear()['type'] == 'pong'


def test_w13_what_the_origin_fails_on_is_taken():
    with serving(unknown_views) as client, talking(client) as talk:
        data = base64.b64encode(pictures(1)[0]).decode()
        assert talk.ask(type='image', data=f'data:image/png;base64,{data}')['type'] == 'ack'
        assert talk.ask(type='image', data=data, filename='noname')['image_path'] == 'noname'
        alpha = cv2.imencode('.png', np.full((84, 112, 4), 200, np.uint8))[1].tobytes()
        assert talk.image(alpha, filename='alpha.jpg')['type'] == 'ack'
        talk.socket.send(pictures(1)[0])
        assert talk.hear()['image_count'] == 4
        talk.say(type='generate')
        assert talk.until('complete')[-1]['metadata']['num_frames'] == 4


def test_w14_the_model_is_a_cloud_and_a_frustum_for_each_camera(client):
    def model(**parameters):
        with talking(client, created(client, **parameters)) as talk:
            upload(talk)
            talk.say(type='generate')
            return model_of(talk.until('complete')[-1])

    first = model()
    document, _ = gltf(first)
    modes = [mesh['primitives'][0]['mode'] for mesh in document['meshes']]
    assert modes == [0, 1, 1, 1, 1]
    assert np.shape(document['scenes'][0]['extras']['hf_alignment']) == (4, 4)
    assert first == model(), 'the same images give the same bytes'
    bare, _ = gltf(model(show_cameras=False, num_max_points=100))
    assert len(bare['meshes']) == 1 and bare['accessors'][0]['count'] == 100


def test_w15_a_model_for_single_images_takes_one_and_refuses_more():
    with serving(multi_view=False, kind=DepthKind.CANONICAL) as client, talking(client) as talk:
        upload(talk, 1)
        talk.say(type='generate')
        last = talk.until('complete', 'error')[-1]
        assert last['type'] == 'complete', last
        assert any('field of view' in note for note in last['metadata']['notes'])
        upload(talk, 1)
        talk.say(type='generate')
        text = talk.until('error')[-1]['message']
        assert text.startswith('Failed to generate point cloud: ') and 'one image' in text


def test_generate_by_itself_after_some_images(client):
    with talking(client, created(client, auto_generate_after=2)) as talk:
        for data in pictures(2):
            talk.say(type='image', data=base64.b64encode(data).decode())
        assert talk.until('delta')[-1]['metadata']['num_frames'] == 2


def test_a_model_compressed_on_request(talk):
    import zstandard
    upload(talk, 2)
    talk.say(type='generate')
    plain = model_of(talk.until('complete')[-1])
    talk.say(type='generate', zstd=True, binary=True)
    last = talk.until('complete')[-1]
    packed = talk.hear()
    assert last['metadata']['glb_encoding'] == 'zstd'
    assert last['metadata']['glb_size_bytes'] == len(plain) > len(packed)
    assert zstandard.ZstdDecompressor().decompress(packed) == plain


def test_more_images_a_second_than_allowed_wait_and_none_is_lost():
    limits = SessionLimits(images_per_s=20, images=200)
    with serving(unknown_views, sessions=limits) as client, talking(
            client, created(client, max_images=200)) as talk:
        data = base64.b64encode(png(np.zeros((14, 14, 3), np.uint8))).decode()
        begin = time.monotonic()
        for _ in range(100):
            talk.say(type='image', data=data)
        assert [talk.hear()['image_count'] for _ in range(100)] == list(range(1, 101))
        # 80 of them are the burst of four seconds.
        assert time.monotonic() - begin > 0.9


def test_messages_never_hold_what_json_does_not_know(talk):
    upload(talk, 1)
    talk.say(type='generate')

    def refuse(name):
        raise AssertionError(name)

    while True:
        message = json.loads(talk.socket.recv(60), parse_constant=refuse)
        if message['type'] == 'complete':
            break
