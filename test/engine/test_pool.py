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

"""Several devices: their rate adds up, one that fails costs no request, cameras stay in order."""

import threading
import time

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine import workers
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.engine.pool import Pool
from depth_anything_ros.engine.tally import Lately
from depth_anything_ros.errors import Busy, ConfigError, InferenceFailed
from depth_anything_ros.service import DepthService, devices_of, open_service
from depth_anything_ros.settings import changed, ModelSettings, Settings
import numpy as np
import pytest

OPTIONS = FrameOptions()
PATIENCE_S = 30.0
IMAGE = np.zeros((4, 6, 3), np.uint8)


class Device(GivenDepthEngine):
    """Takes a constant time, fails while it is told to, and keeps what it has seen."""

    def __init__(self, delay=0.0):
        super().__init__(lambda item: np.ones(item.rgb.shape[:2], np.float32), delay=delay)
        self.broken = self.closed = False
        self.seen = []

    def infer(self, batch):
        self.seen += [item.frame.stamp_ns for item in batch]
        if self.broken:
            raise InferenceFailed('the device is gone')
        return super().infer(batch)

    def warm_up(self, width, height):
        if self.broken:
            raise InferenceFailed('the device is still gone')

    def close(self):
        self.closed = True


def frame(stamp):
    return Frame(IMAGE, stamp_ns=stamp)


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(workers, 'FIRST_PAUSE_S', 0.05)


def ask(runner, count):
    """Return the futures of so many requests."""
    return [runner.submit(lambda stamp=stamp: frame(stamp), OPTIONS) for stamp in range(count)]


def seconds_of(workers, count, delay):
    runner = Pool([Device(delay) for _ in range(workers)], queue_size=count)
    start = time.monotonic()
    for future in ask(runner, count):
        future.result(PATIENCE_S)
    seconds = time.monotonic() - start
    assert runner.statistics().rate == pytest.approx(count / seconds, rel=0.5)
    assert all(each.images for each in runner.devices())
    assert runner.close()
    return seconds


def test_four_devices_have_three_and_a_half_times_the_rate_of_one():
    ratios = []
    for _ in range(3):  # other processes spoil single rounds
        ratios.append(seconds_of(1, 24, 0.06) / seconds_of(4, 24, 0.06))
        if ratios[-1] >= 3.5:
            return
    raise AssertionError(ratios)


def test_a_device_that_fails_loses_no_request_and_comes_back():
    devices = [Device(0.01) for _ in range(3)]
    runner = Pool(devices, queue_size=64)
    futures = ask(runner, 20)
    wait_until(lambda: devices[1].seen)
    devices[1].broken = True
    futures += ask(runner, 40)
    for stamp, future in zip([*range(20), *range(40)], futures):
        assert future.result(PATIENCE_S).frame.stamp_ns == stamp
    wait_until(lambda: not runner.devices()[1].serving)
    assert [each.name for each in runner.devices()] == ['cpu', 'cpu#2', 'cpu#3']
    assert 'gone' in runner.devices()[1].error
    wait_until(lambda: 'still gone' in runner.devices()[1].error)
    seen = runner.statistics()
    assert (seen.received, seen.done, seen.failed, seen.under_way) == (60, 60, 0, 0)
    devices[1].broken = False
    wait_until(lambda: runner.devices()[1].serving)
    before = len(devices[1].seen)
    for future in ask(runner, 12):
        future.result(PATIENCE_S)
    assert len(devices[1].seen) > before
    assert runner.close()


def test_what_fails_everywhere_is_answered_and_the_last_device_stays():
    devices = [Device(), Device()]
    runner = Pool(devices)
    for device in devices:
        device.broken = True
    with pytest.raises(InferenceFailed):
        runner.submit(lambda: frame(1), OPTIONS).result(PATIENCE_S)
    with pytest.raises(InferenceFailed):
        runner.submit(lambda: frame(2), OPTIONS).result(PATIENCE_S)
    assert sum(each.serving for each in runner.devices()) == 1
    assert sum(len(device.seen) for device in devices) == 3
    assert runner.close()


def test_cameras_stay_in_order_while_a_device_fails_and_comes_back():
    devices = [Device(0.003) for _ in range(3)]
    runner = Pool(devices, queue_size=8)
    stamps = {name: [] for name in 'abcde'}
    streams = {name: runner.stream(
        name, lambda result, name=name: stamps[name].append(result.frame.stamp_ns),
        lambda error: None) for name in stamps}
    for stamp in range(400):
        for stream in streams.values():
            stream.submit(lambda stamp=stamp: frame(stamp), OPTIONS)
        devices[0].broken = 100 <= stamp < 200
        time.sleep(0.002)
    wait_until(lambda: all(stream.counts().waiting == 0 for stream in streams.values()))
    wait_until(lambda: runner.devices()[0].serving)
    for name, stream in streams.items():
        counts = stream.counts()
        assert stamps[name] == sorted(set(stamps[name])) and stamps[name][-1] == 399
        assert counts.received == 400 == counts.done + counts.failed + counts.dropped
    assert all(each.images for each in runner.devices())
    assert runner.close()


def test_the_queue_is_one_and_functions_get_the_engine_that_runs_them():
    devices = [Device(), Device()]
    gate = threading.Event()
    service = DepthService(*devices, queue_size=2)
    engines = [service.call(lambda engine: (engine, gate.wait(PATIENCE_S))) for _ in range(2)]
    with pytest.raises(Busy):
        service.call(lambda engine: engine)
    gate.set()
    assert {id(each.result(PATIENCE_S)[0]) for each in engines} == {id(each) for each in devices}
    service.close()
    assert all(device.closed for device in devices)


def test_a_device_that_is_out_is_a_warning_and_in_the_metrics():
    metrics = pytest.importorskip('depth_anything_ros.bridges.rest.metrics')
    prometheus = pytest.importorskip('prometheus_client')
    devices = [Device(), Device()]
    service = DepthService(*devices, queue_size=8)
    devices[0].broken = True
    service.submit(lambda: frame(1), OPTIONS).result(PATIENCE_S)
    wait_until(lambda: service.warnings()[0].startswith('degraded: cpu is taken out'))
    page = prometheus.generate_latest(metrics.Metrics(lambda: [service]).registry).decode()
    assert 'depth_anything_device_up{device="cpu"} 0.0' in page
    assert 'depth_anything_device_up{device="cpu#2"} 1.0' in page
    assert 'depth_anything_device_images_total{device="cpu#2"} 1.0' in page
    service.close()


def test_the_rate_is_that_of_the_last_seconds():
    now = 100.0
    lately = Lately(lambda: now)
    lately.add(4)
    now += 2
    assert lately.rate() == 2.0
    now += 6
    lately.add(1)
    assert lately.rate() == 5 / 8
    now += 4
    assert lately.rate() == 0.1
    now += 10
    assert lately.rate() == 0.0


def test_the_setting_devices_loads_the_model_on_each():
    pytest.importorskip('torch')
    service = open_service(changed(Settings(), {
        'model.name': 'da3-tiny', 'model.devices': ('cpu', 'cpu')}))
    try:
        assert [each.name for each in service.devices()] == ['cpu', 'cpu#2']
        results = [service.submit(lambda: Frame(np.zeros((48, 64, 3), np.uint8)),
                                  FrameOptions(fov_deg=60.0)) for _ in range(2)]
        first, second = (each.result(PATIENCE_S).depth for each in results)
        np.testing.assert_array_equal(first, second)
        wait_until(lambda: all(each.images for each in service.devices()))
    finally:
        service.close()
    with pytest.raises(ConfigError, match='all stands alone'):
        devices_of(ModelSettings(devices=('all', 'cpu')))
