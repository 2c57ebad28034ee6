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

"""The traps of the origin (W-a to W-f), each kept from our server by a test."""

import base64
import threading

from depth_anything_ros.reconstruction.sessions import display_name
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from ws_parts import (
    created,
    gltf,
    pictures,
    png,
    serving,
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


def test_trap_w_a_a_model_in_parts_fits_into_a_client_that_takes_1_mib(client):
    session = created(client, num_max_points=60_000, conf_thresh_percentile=0)
    with talking(client, session, max_size=2**20) as talk:
        upload(talk, 8)
        talk.say(type='generate', chunked=True)
        heard = talk.until('complete')
        parts = [part for part in heard if part['type'] == 'part']
        last = heard[-1]
        assert len(parts) == last['glb_parts'] > 1 and last['glb_base64'] is None
        glb = b''.join(base64.b64decode(part['data']) for part in parts)
        assert len(glb) == last['metadata']['glb_size_bytes'] > 2**20 * 3 / 4
        gltf(glb)
        talk.say(type='generate', chunked=True, binary=True)
        last = talk.until('complete')[-1]
        assert b''.join(talk.hear() for _ in range(last['glb_binary'])) == glb
        talk.say(type='generate')
        with pytest.raises(ConnectionClosed) as refused:
            talk.until('complete')
        assert refused.value.sent.code == 1009


def test_trap_w_a_the_client_of_the_seed_takes_40000_points(client):
    session = created(client, num_max_points=40_000)
    with talking(client, session, max_size=2**20) as talk:
        upload(talk, 8)
        talk.say(type='generate')
        assert talk.until('complete')[-1]['metadata']['num_points'] == 40_000


def test_trap_w_b_an_image_of_20_mb_comes_through():
    rng = np.random.default_rng(1)
    data = png(rng.integers(0, 256, (2600, 2600, 3), dtype=np.uint8))
    assert len(data) > 20e6
    with serving() as client, talking(client) as talk:
        assert talk.image(data)['type'] == 'ack'


class Gate:

    def __init__(self):
        self.entered, self.opened = threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self, frames):
        self.calls += 1
        self.entered.set()
        assert self.opened.wait(60)
        return unknown_views(frames)


def test_trap_w_c_others_are_served_while_a_model_is_made():
    gate = Gate()
    with serving(gate) as client, talking(client) as busy, talking(client) as other:
        busy.image(pictures(1)[0])
        busy.say(type='generate')
        assert gate.entered.wait(60)
        assert other.ask(type='ping')['type'] == 'pong'
        busy.say(type='ping')
        busy.until('pong')
        assert other.image(pictures(1)[0])['type'] == 'ack'
        assert client.get('/livez').status_code == 200
        assert client.get('/ws/sessions').json()['stats']['processing_sessions'] == 1
        gate.opened.set()
        busy.until('complete')


def test_trap_w_c_cancel_stops_before_the_next_stage():
    gate = Gate()
    with serving(gate) as client:
        session = created(client)
        with talking(client, session) as talk:
            assert talk.ask(type='cancel')['message'] == 'Nothing to cancel'
            talk.image(pictures(1)[0])
            talk.say(type='generate')
            assert gate.entered.wait(60)
            talk.say(type='cancel')
            heard = talk.until('cancelling')
            gate.opened.set()
            heard += talk.until('error')
            assert 'cancelled' in heard[-1]['message'] and heard[-1]['code'] == 'cancelled'
            assert 'exporting' not in [step.get('stage') for step in heard]
            assert talk.ask(type='ping')['type'] == 'pong'
            assert client.get(f'/ws/session/{session}').json()['status'] == 'active'
            talk.say(type='generate')
            talk.until('complete')


def test_trap_w_c_a_client_that_leaves_stops_its_work():
    gate = Gate()
    with serving(gate) as client:
        session = created(client)
        with talking(client, session) as talk:
            talk.image(pictures(1)[0])
            talk.say(type='generate')
            assert gate.entered.wait(60)
        gate.opened.set()
        for _ in range(600):
            if client.get(f'/ws/session/{session}').json()['status'] == 'active':
                break
            threading.Event().wait(0.1)
        assert client.get(f'/ws/session/{session}').json()['status'] == 'active'
        with talking(client, session) as talk:
            talk.say(type='generate')
            talk.until('complete')
        assert gate.calls == 2


def test_trap_w_d_after_an_incremental_generate_comes_one_delta_and_no_complete(talk):
    upload(talk, 2)
    talk.say(type='generate', incremental=True)
    talk.until('delta')
    assert talk.ask(type='ping')['type'] == 'pong'
    talk.say(type='finalize')
    talk.until('complete')


@pytest.mark.parametrize('name', [
    '../../etc/passwd', '/etc/passwd', 'C:\\x\\y.png', 'a\x00b\x1b[31m.png', '..', '.', '',
    'x' * 5000])
def test_trap_w_f_a_file_name_is_for_display_alone(client, name):
    with talking(client) as talk:
        shown = talk.image(pictures(1)[0], filename=name)['image_path']
        assert shown and '/' not in shown and '\\' not in shown and shown.isprintable()
        assert len(shown) <= 120 and shown not in ('.', '..')
        assert shown == (display_name(name) or 'image_0000.png')


def test_a_running_session_takes_no_second_job_from_another_socket():
    gate = Gate()
    with serving(gate) as client:
        session = created(client)
        with talking(client, session) as one, talking(client, session) as two:
            one.image(pictures(1)[0])
            one.say(type='generate')
            assert gate.entered.wait(60)
            assert two.image(pictures(1)[0])['message'].startswith(
                'Failed to process image: the session is being reconstructed')
            assert 'already' in two.ask(type='generate')['message']
            gate.opened.set()
            one.until('complete')
