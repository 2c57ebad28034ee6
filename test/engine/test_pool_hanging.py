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

"""A device that does not answer: what it had to do is done elsewhere, and it may come back."""

import threading
import time

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine import workers
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.engine.pool import Pool
from depth_anything_ros.errors import InferenceFailed
from depth_anything_ros.service import open_service
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest

OPTIONS = FrameOptions()
PATIENCE_S = 30.0
TIMEOUT_S = 0.3
IMAGE = np.zeros((4, 6, 3), np.uint8)


class Hanging(GivenDepthEngine):
    """Answers until it is told to hang, in a step of its own choice, and when it is let go."""

    def __init__(self, step='infer'):
        super().__init__(lambda item: np.ones(item.rgb.shape[:2], np.float32), delay=0.002)
        self.step, self.go = step, threading.Event()
        self.go.set()
        self.seen = []

    def _wait(self, step):
        if step == self.step:
            assert self.go.wait(PATIENCE_S)

    def infer(self, batch):
        self.seen += [item.frame.stamp_ns for item in batch]
        self._wait('infer')
        return super().infer(batch)

    def finish(self, inferred):
        self._wait('finish')
        return super().finish(inferred)


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(workers, 'FIRST_PAUSE_S', 0.05)


def frame(stamp):
    return Frame(IMAGE, stamp_ns=stamp)


def ask(runner, count):
    """Return the futures of so many requests."""
    return [runner.submit(lambda stamp=stamp: frame(stamp), OPTIONS) for stamp in range(count)]


@pytest.mark.parametrize('step', ['infer', 'finish'])
def test_requests_of_a_device_that_hangs_are_done_elsewhere(step):
    devices = [Hanging(step), Hanging(step)]
    runner = Pool(devices, queue_size=64, device_timeout=TIMEOUT_S)
    devices[0].go.clear()
    for stamp, future in enumerate(ask(runner, 20)):
        assert future.result(PATIENCE_S).frame.stamp_ns == stamp
    bad, good = runner.devices()
    assert good.serving and not bad.serving and bad.error == 'no answer for 0.3 s'
    seen = runner.statistics()
    assert (seen.received, seen.done, seen.failed, seen.under_way) == (20, 20, 0, 0)
    # Nothing more is given to it; let go, it says what nobody waits for, and serves again.
    given = len(devices[0].seen)
    for future in ask(runner, 10):
        future.result(PATIENCE_S)
    assert len(devices[0].seen) == given and not runner.devices()[0].serving
    devices[0].go.set()
    wait_until(lambda: runner.devices()[0].serving)
    for future in ask(runner, 10):
        future.result(PATIENCE_S)
    assert len(devices[0].seen) > given
    seen = runner.statistics()
    assert (seen.received, seen.done, seen.failed, seen.under_way) == (40, 40, 0, 0)
    assert runner.close()


def test_cameras_go_on_in_order_and_every_frame_is_counted():
    devices = [Hanging(), Hanging()]
    runner = Pool(devices, queue_size=8, device_timeout=TIMEOUT_S)
    stamps, errors = {name: [] for name in 'abcd'}, []
    streams = {name: runner.stream(
        name, lambda result, name=name: stamps[name].append(result.frame.stamp_ns),
        errors.append) for name in stamps}
    count = 0

    def send(seconds):
        nonlocal count
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for stream in streams.values():
                stream.submit(lambda stamp=count: frame(stamp), OPTIONS)
            count += 1
            time.sleep(0.005)

    send(0.2)
    devices[1].go.clear()
    send(2 * TIMEOUT_S)
    wait_until(lambda: not runner.devices()[1].serving)
    before = {name: len(found) for name, found in stamps.items()}
    send(0.2)
    assert all(len(stamps[name]) > before[name] for name in stamps)
    wait_until(lambda: all(stream.counts().waiting == 0 for stream in streams.values()))
    devices[1].go.set()
    wait_until(lambda: runner.devices()[1].serving)
    send(0.2)
    wait_until(lambda: all(stream.counts().waiting == 0 for stream in streams.values()))
    for name, stream in streams.items():
        counts = stream.counts()
        assert stamps[name] == sorted(set(stamps[name])) and stamps[name][-1] == count - 1
        assert (counts.received, counts.failed) == (count, 0), errors
        assert counts.done + counts.dropped == count and counts.done == len(stamps[name])
    assert runner.close()


def test_what_hangs_on_two_devices_is_answered_and_the_last_device_stays():
    devices = [Hanging(), Hanging(), Hanging()]
    runner = Pool(devices, device_timeout=TIMEOUT_S)
    for device in devices:
        device.go.clear()
    with pytest.raises(InferenceFailed, match='no answer for 0.3 s'):
        runner.submit(lambda: frame(7), OPTIONS).result(PATIENCE_S)
    last = runner.submit(lambda: frame(8), OPTIONS)
    time.sleep(3 * TIMEOUT_S)
    assert [each.serving for each in runner.devices()].count(True) == 1 and not last.done()
    for device in devices:
        device.go.set()
    assert last.result(PATIENCE_S).frame.stamp_ns == 8
    wait_until(lambda: all(each.serving for each in runner.devices()))
    assert runner.statistics().under_way == 0
    assert runner.close()


def test_functions_take_as_long_as_they_take():
    devices = [Hanging(), Hanging()]
    runner = Pool(devices, device_timeout=0.05)
    assert runner.call(lambda engine: time.sleep(0.4) or engine).result(PATIENCE_S) in devices
    assert all(each.serving for each in runner.devices())
    assert runner.close()


def test_a_cancelled_request_is_given_to_nobody():
    devices = [Hanging(), Hanging()]
    runner = Pool(devices, queue_size=8, device_timeout=0.0)
    for device in devices:
        device.go.clear()
    futures = ask(runner, 6)
    wait_until(lambda: sum(len(device.seen) for device in devices) == 2)
    gone = [future for future in futures if future.cancel()]
    assert len(gone) == 4
    for device in devices:
        device.go.set()
    wait_until(lambda: runner.statistics().under_way == 0)
    seen = runner.statistics()
    assert (seen.done, seen.cancelled) == (2, 4)
    assert sum(len(device.seen) for device in devices) == 2
    assert runner.close()


def test_the_setting_is_that_of_the_pool():
    pytest.importorskip('torch')
    service = open_service(changed(Settings(), {
        'model.name': 'da3-tiny', 'model.devices': ('cpu', 'cpu'), 'model.device_timeout': 7.5}))
    try:
        assert service._runner._timeout == 7.5
    finally:
        service.close()
