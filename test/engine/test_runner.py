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

"""The runner: newest frame wins, requests are kept, every frame is accounted for."""

import threading
import time

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.errors import Busy, InvalidImage, NotReady
import numpy as np
import pytest

OPTIONS = FrameOptions()


def frame(stamp: int) -> Frame:
    return Frame(np.zeros((4, 6, 3), np.uint8), stamp_ns=stamp)


def flat(item: Frame) -> np.ndarray:
    return np.full(item.rgb.shape[:2], 2.0, np.float32)


class GatedEngine(GivenDepthEngine):
    """Holds every frame in ``infer`` until the test opens the gate."""

    def __init__(self):
        super().__init__(flat)
        self.gate = threading.Semaphore(0)
        self.seen = []

    def infer(self, batch):
        self.seen += [item.frame.stamp_ns for item in batch]
        assert self.gate.acquire(timeout=20)
        return super().infer(batch)


def wait_until(condition, timeout=20.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.002)


@pytest.fixture
def gated():
    engine = GatedEngine()
    runner = Runner(engine, queue_size=2)
    yield engine, runner
    for _ in range(100):
        engine.gate.release()
    assert runner.close()


def test_only_the_newest_frame_is_kept_while_the_device_is_busy(gated):
    engine, runner = gated
    results = []
    stream = runner.stream('camera', results.append, results.append)
    stream.submit(lambda: frame(0), OPTIONS)
    wait_until(lambda: engine.seen == [0])
    for stamp in range(1, 50):
        stream.submit(lambda stamp=stamp: frame(stamp), OPTIONS)
    wait_until(lambda: stream.counts().dropped == 48)
    for count in (1, 2):
        engine.gate.release()
        wait_until(lambda count=count: len(results) == count)
    assert [item.frame.stamp_ns for item in results] == [0, 49]
    counts = stream.counts()
    assert (counts.received, counts.done, counts.dropped, counts.failed) == (50, 2, 48, 0)
    assert counts.waiting == 0


def test_requests_are_never_dropped_and_one_too_many_is_busy(gated):
    engine, runner = gated
    first = runner.submit(lambda: frame(1), OPTIONS)
    second = runner.submit(lambda: frame(2), OPTIONS)
    with pytest.raises(Busy, match='2 requests'):
        runner.submit(lambda: frame(3), OPTIONS)
    engine.gate.release()
    engine.gate.release()
    assert [item.result(20).frame.stamp_ns for item in (first, second)] == [1, 2]
    third = runner.submit(lambda: frame(3), OPTIONS)
    engine.gate.release()
    assert third.result(20).frame.stamp_ns == 3


def test_errors_of_a_frame_reach_its_owner_and_the_next_frame_works():
    runner = Runner(GivenDepthEngine(flat))
    results, errors = [], []
    stream = runner.stream('camera', results.append, errors.append)

    def broken():
        raise InvalidImage('image is empty')

    stream.submit(broken, OPTIONS)
    wait_until(lambda: errors)
    stream.submit(lambda: frame(7), OPTIONS)
    wait_until(lambda: results)
    assert isinstance(errors[0], InvalidImage)
    assert stream.counts().failed == 1 and stream.counts().done == 1
    with pytest.raises(InvalidImage):
        runner.submit(broken, OPTIONS).result(20)
    assert runner.close()


def test_a_receiver_that_raises_is_counted_and_does_not_stop_the_others():
    runner = Runner(GivenDepthEngine(flat))
    errors = []

    def receiver(result):
        raise RuntimeError('receiver')

    stream = runner.stream('camera', receiver, errors.append)
    stream.submit(lambda: frame(1), OPTIONS)
    wait_until(lambda: errors)
    assert stream.counts().failed == 1
    assert runner.submit(lambda: frame(2), OPTIONS).result(20).frame.stamp_ns == 2
    assert runner.close()


def test_the_sums_match_exactly_after_a_thousand_frames():
    runner = Runner(GivenDepthEngine(flat, delay=0.001))
    results = []
    streams = [runner.stream(name, results.append, results.append) for name in 'abc']
    for stamp in range(1000):
        streams[stamp % 3].submit(lambda stamp=stamp: frame(stamp), OPTIONS)
    wait_until(lambda: all(item.counts().waiting == 0 for item in streams))
    counts = [item.counts() for item in streams]
    assert sum(item.received for item in counts) == 1000
    assert sum(item.done for item in counts) == len(results)
    assert sum(item.dropped + item.done for item in counts) == 1000
    for index in range(3):
        stamps = [item.frame.stamp_ns for item in results if item.frame.stamp_ns % 3 == index]
        assert stamps == sorted(stamps)
    assert runner.close()


def test_closing_answers_what_waits():
    engine = GatedEngine()
    runner = Runner(engine, queue_size=4)
    running = runner.submit(lambda: frame(1), OPTIONS)
    wait_until(lambda: engine.seen == [1])
    waiting = runner.submit(lambda: frame(2), OPTIONS)
    stream = runner.stream('camera', lambda result: None, lambda error: None)
    closer = threading.Thread(target=runner.close)
    closer.start()
    with pytest.raises(NotReady):
        waiting.result(20)
    engine.gate.release()
    closer.join(20)
    assert running.done()
    with pytest.raises(NotReady):
        runner.submit(lambda: frame(3), OPTIONS)
    stream.submit(lambda: frame(4), OPTIONS)
    assert stream.counts().dropped == 1


def test_closing_a_stream_drops_what_waits(gated):
    engine, runner = gated
    stream = runner.stream('camera', lambda result: None, lambda error: None)
    stream.submit(lambda: frame(0), OPTIONS)
    wait_until(lambda: engine.seen == [0])
    stream.submit(lambda: frame(1), OPTIONS)
    wait_until(lambda: runner._inboxes[1]._jobs)
    stream.close()
    stream.submit(lambda: frame(2), OPTIONS)
    assert stream.counts().dropped == 2
