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

"""Settings of the model, through the one function that makes a service of them."""

from pathlib import Path
import shutil
import threading

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.errors import (
    Busy,
    ConfigError,
    MissingDependency,
    ModelLoadFailed,
    UnknownModel,
)
from depth_anything_ros.frame_options import options_of
from depth_anything_ros.service import open_service
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest

TINY = {'model.name': 'da3-tiny', 'model.device': 'cpu'}
MODELS = Path(__file__).parents[1] / 'depth_anything_ros' / 'models'
RGB = np.random.default_rng(0).integers(0, 256, (90, 160, 3), dtype=np.uint8)
PATIENCE_S = 60.0


def served(**given):
    """Return a service of da3-tiny with some settings changed, given with __ for dots."""
    return open_service(changed(Settings(), {
        **TINY, **{name.replace('__', '.'): value for name, value in given.items()}}))


@pytest.fixture(scope='module')
def tiny():
    """Return a service that nobody changes."""
    service = served(model__precision='fp32')
    yield service
    service.close()


def test_the_name_says_which_model_answers(tiny):
    assert tiny.info.model == 'da3-tiny'
    with pytest.raises(UnknownModel, match="did you mean 'da3-tiny'"):
        served(model__name='da3-tinny')


def test_the_architecture_makes_a_lone_file_a_model(tmp_path):
    lone = tmp_path / 'mine.safetensors'
    shutil.copy(MODELS / 'da3-tiny' / 'model.safetensors', lone)
    with pytest.raises(ModelLoadFailed, match='architecture'):
        served(model__name=str(lone))
    service = served(model__name=str(lone), model__architecture='da3-tiny')
    service.close()
    assert service.info.model == 'da3-tiny'


def test_only_a_download_asks_the_hub(tmp_path, monkeypatch):
    pytest.importorskip('torch')
    monkeypatch.setenv('HF_HUB_CACHE', str(tmp_path))
    with pytest.raises(ModelLoadFailed, match='set model.download'):
        served(model__name='da3-small')
    try:
        import huggingface_hub  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(MissingDependency, match=r'depth_anything_ros\[hub\]'):
            served(model__name='da3-small', model__download=True)


def test_the_device_is_taken_or_refused(tiny):
    assert tiny.info.device == 'cpu'
    with pytest.raises(ConfigError, match="'gpu' is unknown"):
        served(model__device='gpu')


def test_the_precision_is_taken_or_refused(tiny):
    assert tiny.info.precision == 'fp32'
    with pytest.raises(ConfigError, match='accepted: auto, fp32'):
        served(model__precision='bf16')


@pytest.mark.parametrize(('method', 'size', 'shape'), [
    ('upper_bound_resize', 140, (84, 140)), ('upper_bound_resize', 70, (42, 70)),
    ('upper_bound_crop', 140, (70, 140)), ('lower_bound_resize', 56, (56, 98)),
    ('lower_bound_crop', 56, (56, 98))])
def test_the_processed_size(tiny, method, size, shape):
    settings = changed(Settings(), {
        'depth.process_res': size, 'depth.process_res_method': method,
        'depth.output_size': 'model', 'camera.fov_deg': 60.0})
    result = tiny.estimate(Frame(RGB), options_of(settings, frozenset()), PATIENCE_S)
    assert result.depth.shape == result.color.shape[:2] == shape


def part_of_requests(share, images=40):
    """Return which part of the network's work is requests' while frames and requests wait."""
    service = served(model__request_share=share)
    options = FrameOptions(process_res=56, fov_deg=60.0)
    served_requests, total = [], threading.Semaphore(0)
    stream = service.stream('camera', lambda result: total.release(), lambda error: None)
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            try:
                future = service.submit(lambda: Frame(RGB), options)
            except Busy:
                stop.wait(0.001)
                continue
            future.add_done_callback(lambda done: served_requests.append(1) or total.release())

    def look():
        while not stop.is_set():
            stream.submit(lambda: Frame(RGB), options)
            stop.wait(0.002)

    threads = [threading.Thread(target=ask), threading.Thread(target=look)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(images):
            assert total.acquire(timeout=PATIENCE_S)
        return len(served_requests) / images
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        service.close()


def test_the_share_of_requests_reaches_the_queue():
    assert part_of_requests(0.02) < part_of_requests(0.9) / 2
