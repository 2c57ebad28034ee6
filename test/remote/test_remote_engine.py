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

"""An engine whose network is that of another process: equal results, and a server that goes."""

import logging
import threading
import time

from bridge_parts import depth_of, Gate, picture, running
from depth_anything_ros.bridges.rest.options import RestOptions
from depth_anything_ros.bridges.rest.server import RestBridge
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize, PER_PIXEL, SkyMode
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import (
    ConfigError,
    DeadlineExceeded,
    InvalidIntrinsics,
    InvalidRequest,
    ModelLoadFailed,
    NotReady,
)
from depth_anything_ros.remote.network import RemoteNetwork
from depth_anything_ros.service import DepthService, open_service
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from remote_parts import given_server
from server_process import server, TINY

PATIENCE_S = 60.0
SCENE = picture(3, 320, 200)
CAMERA = Intrinsics(300.0, 310.0, 159.5, 99.5, 320, 200)


def remote(address, **given):
    settings = {'engine.url': address, 'engine.wait': 0.0, 'engine.timeout': PATIENCE_S}
    return open_service(changed(Settings(), {
        **settings, **{name.replace('__', '.'): value for name, value in given.items()}}))


@pytest.fixture(scope='module')
def both():
    """Yield services of one network: in a server's process, and in this one."""
    with server('depth_anything_ros.cli.main', 'serve', '--rest', '--port', '0', *TINY,
                names=1) as addresses:
        there = remote(addresses['rest'])
        here = open_service(changed(Settings(), {
            'model.name': 'da3-tiny', 'model.device': 'cpu'}))
        yield there, here
        there.close()
        here.close()


def same(there, here):
    for name in ('depth', 'confidence', 'sky', 'cloud', 'preview', 'processed'):
        one, other = getattr(there, name), getattr(here, name)
        assert (one is None) == (other is None), name
        if one is not None:
            # As bytes: a NaN is equal to itself here, and -0 not to 0.
            assert one.dtype == other.dtype and one.shape == other.shape, name
            assert one.tobytes() == other.tobytes(), name
    for name in ('scale_law', 'intrinsics', 'model', 'kind', 'notes', 'raw', 'estimated'):
        assert getattr(there, name) == getattr(here, name), name


@pytest.mark.parametrize('options', [
    FrameOptions(outputs=frozenset(PER_PIXEL)),
    FrameOptions(outputs=frozenset({Output.DEPTH, Output.POINTS}), output_size=OutputSize.MODEL),
    FrameOptions(process_res=112, process_res_method='lower_bound_crop', minimum=0.5, maximum=3.0,
                 outputs=frozenset({Output.DEPTH, Output.POINTS}), sky_mode=SkyMode.FAR),
    FrameOptions(raw=True)], ids=('all', 'model size', 'cropped', 'raw'))
def test_results_are_those_of_the_same_network_here(both, options):
    there, here = both
    frame = Frame(SCENE, stamp_ns=5, frame_id='camera', intrinsics=CAMERA)
    found = there.estimate(frame, options, PATIENCE_S)
    same(found, here.estimate(frame, options, PATIENCE_S))
    assert found.frame is frame and found.timings['infer'] > 0


def test_the_server_says_what_its_network_is(both):
    there, here = both
    for name in ('model', 'kind', 'licence', 'precision', 'process_res', 'has_confidence',
                 'has_sky', 'predicts_intrinsics', 'warnings'):
        assert getattr(there.info, name) == getattr(here.info, name)
    assert there.info.device.startswith('http://127.0.0.1:')
    assert there.info.device.endswith(' (cpu)')
    assert not there.info.degraded and there.device_memory() is None


def test_a_scene_needs_the_network_here(both):
    with pytest.raises(InvalidRequest, match='makes no reconstructions'):
        both[0].reconstruct([Frame(SCENE)])


@pytest.mark.parametrize('kind', ['canonical', 'relative'])
def test_other_kinds_of_depth_keep_their_law(kind):
    with running(RestBridge(port=0), kind=DepthKind(kind)) as bridge:
        service = remote(bridge.address)
        try:
            assert service.info.kind is DepthKind(kind)
            found = service.estimate(
                Frame(picture(), intrinsics=Intrinsics(50.0, 50.0, 40.0, 30.0, 80, 60)),
                FrameOptions(), PATIENCE_S)
            assert found.scale_law.kind is DepthKind(kind)
            if kind == 'canonical':
                assert found.scale_law.factor != 1.0
                with pytest.raises(InvalidIntrinsics):
                    service.estimate(Frame(picture()), FrameOptions(), PATIENCE_S)
        finally:
            service.close()


def ask(service):
    return service.estimate(Frame(picture()), FrameOptions(), PATIENCE_S)


def test_a_server_that_is_killed_comes_back_by_itself(caplog):
    caplog.set_level(logging.INFO)
    with given_server() as (port, process):
        service = remote(f'http://127.0.0.1:{port}')
        first = ask(service)
        process.kill()
        process.wait()
        for _ in range(3):
            with pytest.raises(NotReady, match='no answer from the engine'):
                ask(service)
        assert f'127.0.0.1:{port}' in service.info.degraded
    with given_server(port):
        assert ask(service).depth.tobytes() == first.depth.tobytes()
        assert service.info.degraded == ''
    said = [record.getMessage() for record in caplog.records if 'remote' in record.name]
    assert sum('degraded' in line for line in said) == 1
    assert sum('is back' in line for line in said) == 1
    with given_server(port, 'another'):
        with pytest.raises(NotReady, match='now runs another'):
            ask(service)
        assert 'configure anew' in service.info.degraded
    service.close()


def test_an_image_has_its_time_and_no_more():
    gate = Gate()
    with running(RestBridge(port=0), gate, DepthKind.METRIC) as bridge:
        service = remote(bridge.address, engine__timeout=0.3)
        try:
            with pytest.raises((NotReady, DeadlineExceeded)):
                ask(service)
            assert gate.entered.is_set() and service.info.degraded
        finally:
            gate.opened.set()
            service.close()


def test_a_server_is_waited_for_as_long_as_said():
    bridge = RestBridge(port=0)
    bridge.listen()
    found = []
    try:
        with pytest.raises(ModelLoadFailed, match='the server is loading'):
            remote(bridge.address)
        thread = threading.Thread(target=lambda: found.append(
            remote(bridge.address, engine__wait=PATIENCE_S)))
        thread.start()
        time.sleep(0.2)
        assert not found
        service = DepthService(GivenDepthEngine(lambda frame: depth_of(frame.rgb)))
        bridge.start(service)
        thread.join(PATIENCE_S)
        assert found and ask(found[0]).model == 'given'
        found[0].close()
        service.close()
    finally:
        bridge.stop(1)


def test_a_port_without_a_server_is_an_error_at_start():
    with given_server() as (port, process):
        process.kill()
        process.wait()
    with pytest.raises(ModelLoadFailed, match='no answer from the engine'):
        remote(f'http://127.0.0.1:{port}')


@pytest.mark.parametrize('url', ['host:8000', 'ftp://host', 'http://', 'http://h:x', 'http://h?a'])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(ConfigError, match='engine.url is'):
        RemoteNetwork(url, 1.0)


def test_one_of_several_models_is_chosen_by_its_name():
    bridge = RestBridge(port=0)
    near, far = (DepthService(GivenDepthEngine(
        lambda frame, depth=depth: np.full(frame.rgb.shape[:2], depth, np.float32), model=model))
        for model, depth in (('near', 1.0), ('far', 9.0)))
    bridge.listen()
    bridge.start(near, far)
    try:
        for name, depth in (('near', 1.0), ('far', 9.0)):
            service = remote(bridge.address, model__name=name)
            found = ask(service)
            assert (service.info.model, found.model, found.depth.max()) == (name, name, depth)
            service.close()
        first, chosen = remote(bridge.address), remote(bridge.address, model__name='far')
        assert first.info.model == 'near'
        bridge.start(near)
        for _ in range(2):
            with pytest.raises(NotReady, match="'far' is not loaded.*configure anew"):
                ask(chosen)
        assert 'configure anew' in chosen.info.degraded
        assert ask(first).model == 'near' and not first.info.degraded
        first.close()
        chosen.close()
    finally:
        bridge.stop(1)
        near.close()
        far.close()


def test_another_model_than_the_one_asked_for_is_said():
    with running(RestBridge(port=0)) as bridge:
        with pytest.raises(ConfigError, match='runs given, and model.name asks for da3-small'):
            remote(bridge.address, model__name='da3-small')


def test_devices_of_this_machine_are_said_to_be_unused(caplog):
    with running(RestBridge(port=0), kind=DepthKind.METRIC) as bridge:
        remote(bridge.address, model__devices=('cpu', 'cpu')).close()
    assert "model.devices is ['cpu', 'cpu'] and not used" in caplog.text


def test_the_key_comes_from_the_environment(monkeypatch):
    from depth_anything_ros.bridges.access import Access
    with running(
            RestBridge(RestOptions(Access(key='secret')), 0), kind=DepthKind.METRIC) as bridge:
        with pytest.raises(ModelLoadFailed, match='API key'):
            remote(bridge.address)
        monkeypatch.setenv('DEPTH_ANYTHING_ENGINE_KEY', 'secret')
        service = remote(bridge.address)
        ask(service)
        service.close()


@pytest.mark.parametrize('body', [
    b'', b'no message', b'DAR1\xff\xff\x00\x00', b'DAR1\x3a\x00\x00\x00' + b'{}'.ljust(58)])
def test_what_is_no_image_is_refused(body):
    import httpx
    with running(RestBridge(port=0)) as bridge:
        reply = httpx.post(f'{bridge.address}/v1/network', content=body, trust_env=False)
        assert reply.status_code == 400 and reply.json()['code']
