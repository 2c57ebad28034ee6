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

"""Our client of the reconstruction, and the verb that is built on it (rule W16)."""

import threading

import cv2
from depth_anything_ros.cli import video_views
from depth_anything_ros.cli.main import main
from depth_anything_ros.clients import ReconstructionClient
from depth_anything_ros.errors import Cancelled, InferenceFailed, InvalidRequest, LimitExceeded
import numpy as np
import pytest
from ws_parts import gltf, pictures, serving, unknown_views


@pytest.fixture(scope='module')
def http():
    with serving() as client:
        yield client


def test_a_session_from_images_to_a_model_of_any_size(http):
    said = []
    with ReconstructionClient(http.bridge.address, num_max_points=70_000,
                              conf_thresh_percentile=0, delete=True) as client:
        for count, data in enumerate(pictures(8), start=1):
            assert client.add(data, f'{count}.png') == count
        delta = client.generate(incremental=True)
        model = client.finalize(progress=lambda *step: said.append(step))
    assert delta.image_count == model.image_count == 8
    assert len(model.glb) == model.metadata['glb_size_bytes'] > 2**20
    gltf(model.glb)
    assert said and said == sorted(said)
    assert http.get(f'/ws/session/{client.session_id}').status_code == 404


def test_an_error_is_raised_as_it_was_and_the_session_goes_on(http):
    with ReconstructionClient(http.bridge.address, max_images=1) as client:
        with pytest.raises(InvalidRequest, match='No images in session'):
            client.generate()
        with pytest.raises(InvalidRequest, match='Invalid image data'):
            client.add(b'no picture')
        assert client.add(pictures(1)[0]) == 1
        with pytest.raises(LimitExceeded, match='maximum image limit'):
            client.add(pictures(1)[0])
        name = client.session_id
    with ReconstructionClient(http.bridge.address, session_id=name) as again:
        assert again.image_count == 1


def test_what_is_no_server_is_said(http):
    with pytest.raises(InferenceFailed, match='no connection to http://127.0.0.1:9'):
        ReconstructionClient('http://127.0.0.1:9', timeout=5)
    with pytest.raises(InvalidRequest, match='max_images'):
        ReconstructionClient(http.bridge.address, max_images=0)


def test_w16_intermediate_models_and_a_final_one(http, tmp_path, capsys):
    paths = []
    for index, data in enumerate(pictures(3)):
        paths.append(tmp_path / f'{index}.png')
        paths[-1].write_bytes(data)
    output = tmp_path / 'room.glb'
    code = main(['client', 'ws', '--images', *map(str, paths), '--output', str(output),
                 '--incremental', '--base-url', http.bridge.address, '--delete-session'])
    assert code == 0
    assert sorted(path.name for path in tmp_path.glob('*.glb')) == [
        'room.glb', 'room_intermediate_1.glb', 'room_intermediate_2.glb']
    assert len(gltf(output.read_bytes())[0]['meshes']) == 4
    assert 'images      3' in capsys.readouterr().out


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--images', 'missing.png'], 'cannot read missing.png'),
    (['--video', 'missing.mp4'], 'not a video'),
    (['--video', 'missing.mp4', '--num-frames', '0'], 'must be 1 or more'),
    (['--images', 'x.png', '--output', 'no/such/folder/x.glb'], 'no such folder'),
])
def test_w16_wrong_arguments_are_said(arguments, text, capsys):
    assert main(['client', 'ws', *arguments]) == 2
    assert text in capsys.readouterr().err


def test_of_a_video_sharp_frames_of_different_places_are_taken(tmp_path):
    rng = np.random.default_rng(0)
    wall = cv2.GaussianBlur(rng.integers(0, 256, (240, 1400, 3), dtype=np.uint8), (0, 0), 2)
    wall = cv2.normalize(wall, None, 0, 255, cv2.NORM_MINMAX)
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 30, (320, 240))
    # It stands still for 30 frames, then walks, and every second frame of the walk is blurred.
    places = [0] * 30 + list(range(0, 1000, 20))
    for number, left in enumerate(places):
        frame = wall[:, left:left + 320]
        writer.write(cv2.blur(frame, (9, 9)) if number >= 30 and number % 2 else frame)
    writer.release()
    sharpness, motion = video_views.measure(path)
    taken = video_views.chosen(sharpness, motion, 5)
    assert len(taken) == 5 and sum(number < 40 for number in taken) == 1
    assert all(number % 2 == 0 for number in taken if number > 30)
    steps = np.diff([places[number] for number in taken])
    assert steps.min() > 40 and steps.sum() > 700
    views = video_views.video_views(path, 5)
    assert [name for name, _ in views] == [f'frame_{number:06d}.png' for number in taken]


def test_frames_of_a_still_camera_are_spread_in_time():
    assert video_views.chosen([1.0] * 10, [0.0] * 10, 2) == [0, 5]
    assert video_views.chosen([1.0] * 3, [0.0] * 3, 5) == [0, 1, 2]


def test_cancel_from_another_thread_ends_the_wait():
    entered, opened = threading.Event(), threading.Event()

    def views(frames):
        entered.set()
        assert opened.wait(60)
        return unknown_views(frames)

    with serving(views) as http, ReconstructionClient(http.bridge.address) as client:
        client.add(pictures(1)[0])

        def withdraw():
            assert entered.wait(60)
            client.cancel()

        threading.Thread(target=withdraw).start()
        # The network's call is not interrupted; what follows it is not begun.
        threading.Timer(1.0, opened.set).start()
        with pytest.raises(Cancelled, match='cancelled'):
            client.generate()
