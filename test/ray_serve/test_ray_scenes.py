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

"""Scenes over replicas: the network's views and a WebSocket session, equal to those here."""

from bridge_parts import picture
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.service import DepthService
import httpx
import pytest
from ray_parts import any_view, gateway, given, PATIENCE_S, png, replicas, settings_of
from ws_parts import created, gltf, model_of, talking

pytest.importorskip('ray')

MAPS = ('rgb', 'depth', 'intrinsics', 'extrinsics', 'confidence', 'sky')
CAMERA = Intrinsics(120.0, 121.0, 64.0, 48.0, 128, 96)


@pytest.fixture(scope='module')
def both(local_ray):
    """Yield services of one any-view network: replicas of it, and here."""
    with replicas(any_view, 2, settings=settings_of(
            model__queue_size=32, reconstruction__max_megapixels=0.05)) as there:
        here = DepthService(any_view(), queue_size=32, max_megapixels=0.05)
        yield there, here
        here.close()


def frames_of(count, width=128, height=96, **more):
    return [Frame(picture(seed, width, height), **more) for seed in range(count)]


@pytest.mark.parametrize('frames, options', [
    (frames_of(3), FrameOptions(process_res=98)),
    (frames_of(1, intrinsics=CAMERA), FrameOptions(process_res=98, maximum=2.0)),
    (frames_of(1, 96, 128) + frames_of(2), FrameOptions(
        process_res=70, process_res_method='lower_bound_crop', fov_deg=70.0)),
], ids=('three', 'one with its camera', 'two sizes'))
def test_views_are_those_of_the_network_here(both, frames, options):
    one, other = (service.views([lambda frame=frame: frame for frame in frames],
                                options).result(PATIENCE_S) for service in both)
    for name in MAPS:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine is None) == (theirs is None), name
        if mine is not None:
            assert mine.dtype == theirs.dtype and mine.tobytes() == theirs.tobytes(), name
    for name in ('scale_law', 'model', 'notes', 'kind'):
        assert getattr(one, name) == getattr(other, name), name


def test_single_images_of_a_network_that_predicts_its_camera(both):
    item = frames_of(1)[0]
    one, other = (service.estimate(item, FrameOptions(process_res=98), PATIENCE_S)
                  for service in both)
    assert one.depth.tobytes() == other.depth.tobytes()
    assert one.intrinsics == other.intrinsics and one.notes == other.notes


def test_what_is_too_large_is_refused_before_it_travels(both):
    for service in both:
        with pytest.raises(PayloadTooLarge, match='accepted: 0.1, so 7 of this size'):
            service.views([lambda frame=frame: frame for frame in frames_of(8)],
                          FrameOptions(process_res=98)).result(PATIENCE_S)


def test_an_engine_without_scenes_says_so(local_ray, tmp_path):
    with replicas(given(tmp_path), 1, 'without') as service:
        with pytest.raises(InvalidRequest, match='makes no reconstructions'):
            service.reconstruct(frames_of(1))


def test_a_websocket_session_gives_the_model_of_a_server_without_ray(both):
    models = []
    for service in both:
        with gateway(service) as address, httpx.Client(
                base_url=address, timeout=PATIENCE_S, trust_env=False) as client, \
                talking(client, created(client, process_res=98)) as talk:
            for seed in range(3):
                assert talk.image(png(seed))['type'] == 'ack'
            talk.say(type='generate')
            heard = talk.until('complete', 'error')
            assert heard[-1]['type'] == 'complete', heard[-1]
            models.append(gltf(model_of(heard[-1])))
    assert models[0][1] == models[1][1] and len(models[0][1]) > 100
