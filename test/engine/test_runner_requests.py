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

"""Requests of the runner: deadlines, cancelling, batches and what is counted."""

from concurrent.futures import CancelledError, wait
import threading
import time

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.errors import Busy, DeadlineExceeded, InferenceFailed, OutOfMemory
from depth_anything_ros.service import DepthService
import numpy as np
import pytest

PATIENCE_S = 30.0
OPTIONS = FrameOptions()


def frame(stamp, size=(6, 4)):
    return Frame(np.zeros((*size[::-1], 3), np.uint8), stamp_ns=stamp)


class CountingEngine(GivenDepthEngine):
    """Notes every batch; the first waits until the test opens the gate."""

    def __init__(self, trouble=lambda stamps: None):
        super().__init__(lambda item: np.full(item.rgb.shape[:2], 2.0, np.float32))
        self.entered, self.opened = threading.Event(), threading.Event()
        self.batches = []
        self._trouble = trouble

    def infer(self, batch):
        stamps = [item.frame.stamp_ns for item in batch]
        self.batches.append(stamps)
        self.entered.set()
        assert self.opened.wait(PATIENCE_S)
        self._trouble(stamps)
        return super().infer(batch)


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.002)


class Held:
    """A runner whose device is held by frame 0, of a request or a stream, until ``release``."""

    def __init__(self, trouble=lambda stamps: None, stream=False, **arguments):
        self.engine = CountingEngine(trouble)
        self.runner = Runner(self.engine, **{'queue_size': 32, **arguments})
        self.results, self.errors = [], []
        self.stream = self.runner.stream('camera', self.results.append, self.errors.append)
        if stream:
            self.stream.submit(lambda: frame(0), OPTIONS)
        else:
            self.first = self.submit(0)
        assert self.engine.entered.wait(PATIENCE_S)

    def submit(self, stamp, size=(6, 4), **more):
        return self.runner.submit(lambda: frame(stamp, size), OPTIONS, **more)

    def wait_for_device(self, count):
        """Return when so many jobs are prepared and wait for the device."""
        wait_until(lambda: self.runner.statistics().waiting[:2] == (0, count))

    def release(self):
        self.engine.opened.set()

    def close(self):
        self.release()
        assert self.runner.close(PATIENCE_S)


@pytest.fixture
def hold():
    made = []

    def make(*arguments, **more):
        made.append(Held(*arguments, **more))
        return made[-1]
    yield make
    for item in made:
        item.close()


def test_a_request_past_its_deadline_never_reaches_the_device(hold):
    held = hold()
    late = held.submit(1, deadline=time.monotonic() - 1)
    fine = held.submit(2, deadline=time.monotonic() + 1000)
    with pytest.raises(DeadlineExceeded, match='before the device was free'):
        late.result(PATIENCE_S)
    held.release()
    assert fine.result(PATIENCE_S).frame.stamp_ns == 2
    assert held.engine.batches == [[0], [2]]
    assert held.runner.statistics().expired == 1


def test_a_deadline_that_passes_while_waiting_for_the_device(hold, monkeypatch):
    held = hold()
    late = held.submit(1, deadline=time.monotonic() + 1000)
    held.wait_for_device(1)
    now = time.monotonic
    monkeypatch.setattr(time, 'monotonic', lambda: now() + 2000)
    held.release()
    with pytest.raises(DeadlineExceeded):
        late.result(PATIENCE_S)
    assert held.engine.batches == [[0]]


def test_expired_work_gives_its_place_to_who_needs_it(hold, monkeypatch):
    held = hold(queue_size=2)
    late = held.submit(1, deadline=time.monotonic() + 1000)
    held.wait_for_device(1)
    with pytest.raises(Busy):
        held.submit(2)
    now = time.monotonic
    monkeypatch.setattr(time, 'monotonic', lambda: now() + 2000)
    fresh = held.submit(3)
    with pytest.raises(DeadlineExceeded):
        late.result(PATIENCE_S)
    held.release()
    assert fresh.result(PATIENCE_S).frame.stamp_ns == 3
    counts = held.runner.statistics()
    assert (counts.refused, counts.expired, counts.done, counts.under_way) == (1, 1, 2, 0)


def test_cancelling_drops_queued_work_and_frees_its_place(hold):
    held = hold(queue_size=2)
    dropped = held.submit(1)
    held.wait_for_device(1)
    assert dropped.cancel()
    assert not wait([dropped], PATIENCE_S).not_done
    fresh = held.submit(2)
    # On the device already: it can neither be stopped nor hurt by the wish.
    assert not held.first.cancel()
    held.release()
    assert fresh.result(PATIENCE_S).frame.stamp_ns == 2
    assert held.first.result(PATIENCE_S).frame.stamp_ns == 0
    with pytest.raises(CancelledError):
        dropped.result(PATIENCE_S)
    assert held.engine.batches == [[0], [2]]
    assert held.runner.statistics().cancelled == 1


def test_cancelling_while_the_image_is_decoded(hold):
    held = hold()
    inside, go_on = threading.Event(), threading.Event()

    def slow():
        inside.set()
        assert go_on.wait(PATIENCE_S)
        return frame(1)

    dropped = held.runner.submit(slow, OPTIONS)
    assert inside.wait(PATIENCE_S)
    assert dropped.cancel()
    go_on.set()
    held.release()
    assert held.submit(2).result(PATIENCE_S).frame.stamp_ns == 2
    assert held.engine.batches == [[0], [2]]


def test_streams_and_requests_of_one_shape_share_a_batch_oldest_first(hold):
    held = hold(stream=True, max_batch=3)
    waiting = [held.submit(1), held.submit(2, (10, 4))]
    held.stream.submit(lambda: frame(3), OPTIONS)
    held.wait_for_device(3)
    waiting += [held.submit(4), held.submit(5), held.submit(6, (10, 4))]
    held.wait_for_device(6)
    held.release()
    assert [item.result(PATIENCE_S).frame.stamp_ns for item in waiting] == [1, 2, 4, 5, 6]
    wait_until(lambda: len(held.results) == 2)
    assert held.results[1].frame.stamp_ns == 3 and not held.errors
    # Who leads depends on whether the stream's first frame has been charged yet; all go together.
    assert held.engine.batches[0] == [0]
    assert held.engine.batches[1] in ([1, 3, 4], [3, 1, 4])
    assert sorted(held.engine.batches[2:]) == [[2, 6], [5]]
    assert held.runner.statistics().batches == {1: 2, 2: 1, 3: 1}


def test_nothing_is_batched_unless_asked_for(hold):
    held = hold()
    waiting = [held.submit(stamp) for stamp in (1, 2)]
    held.wait_for_device(2)
    held.release()
    for item in waiting:
        item.result(PATIENCE_S)
    assert held.engine.batches == [[0], [1], [2]]


def test_the_window_waits_for_others_and_no_longer_than_until_the_batch_is_full():
    # So long a window that only a full batch can end it in the patience of this test.
    engine = CountingEngine()
    engine.opened.set()
    runner = Runner(engine, queue_size=8, max_batch=2, batch_window=1000 * PATIENCE_S)
    one = runner.submit(lambda: frame(1), OPTIONS)
    wait_until(lambda: runner.statistics().waiting[:2] == (0, 1))
    other = runner.submit(lambda: frame(2), OPTIONS)
    assert [item.result(PATIENCE_S).frame.stamp_ns for item in (one, other)] == [1, 2]
    assert engine.batches == [[1, 2]]
    assert runner.close(PATIENCE_S)


def test_the_window_ends_with_what_has_come(monkeypatch):
    engine = CountingEngine()
    engine.opened.set()
    runner = Runner(engine, max_batch=2, batch_window=0.01)
    assert runner.submit(lambda: frame(1), OPTIONS).result(PATIENCE_S).frame.stamp_ns == 1
    assert engine.batches == [[1]]
    assert runner.close(PATIENCE_S)


def test_a_frame_that_fails_does_not_take_its_batch_with_it(hold):
    def trouble(stamps):
        if 3 in stamps:
            raise InferenceFailed('frame 3')

    held = hold(trouble, max_batch=4)
    waiting = [held.submit(stamp) for stamp in (1, 2, 3, 4)]
    held.wait_for_device(4)
    held.release()
    for stamp, item in zip((1, 2, 3, 4), waiting):
        if stamp == 3:
            with pytest.raises(InferenceFailed, match='frame 3'):
                item.result(PATIENCE_S)
        else:
            assert item.result(PATIENCE_S).frame.stamp_ns == stamp
    assert held.engine.batches == [[0], [1, 2, 3, 4], [1, 2], [3, 4], [3], [4]]
    counts = held.runner.statistics()
    assert (counts.split, counts.failed, counts.done) == (2, 1, 4)


def test_too_little_memory_for_a_batch_makes_smaller_ones_from_then_on(hold):
    def trouble(stamps):
        if len(stamps) > 2:
            raise OutOfMemory('too little memory')

    held = hold(trouble, max_batch=4)
    waiting = [held.submit(stamp) for stamp in range(1, 9)]
    held.wait_for_device(8)
    held.release()
    assert [item.result(PATIENCE_S).frame.stamp_ns for item in waiting] == list(range(1, 9))
    assert held.engine.batches == [[0], [1, 2, 3, 4], [1, 2], [3, 4], [5, 6], [7, 8]]


def test_a_function_has_the_device_for_itself(hold):
    held = hold()
    ran = []
    called = held.runner.call(lambda _: ran.append(list(held.engine.batches)) or 'answer')
    after = held.submit(1)
    held.wait_for_device(2)
    assert not ran
    held.release()
    assert called.result(PATIENCE_S) == 'answer' and ran == [[[0]]]
    assert after.result(PATIENCE_S).frame.stamp_ns == 1
    failing = held.runner.call(lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        failing.result(PATIENCE_S)
    expired = held.runner.call(lambda _: 1, deadline=time.monotonic() - 1)
    with pytest.raises(DeadlineExceeded):
        expired.result(PATIENCE_S)
    assert held.runner.statistics().received == 5


def test_no_computed_frame_is_dropped_for_a_newer_one():
    engine = CountingEngine()
    engine.opened.set()
    gate, results = threading.Semaphore(0), []

    def slow(result):
        assert gate.acquire(timeout=PATIENCE_S)
        results.append(result)

    runner = Runner(engine)
    stream = runner.stream('camera', slow, results.append)
    for stamp in range(30):
        stream.submit(lambda stamp=stamp: frame(stamp), OPTIONS)
        time.sleep(0.001)
    for _ in range(30):
        gate.release()
    wait_until(lambda: not stream.counts().waiting)
    assert len(results) == sum(len(batch) for batch in engine.batches)
    assert runner.close(PATIENCE_S)


def test_times_add_up_and_the_busy_time_is_the_networks():
    service = DepthService(
        GivenDepthEngine(lambda item: np.full(item.rgb.shape[:2], 2.0, np.float32), delay=0.02),
        queue_size=8, max_batch=4)
    start = time.monotonic()
    waiting = [service.submit(lambda: frame(1), OPTIONS) for _ in range(8)]
    results = [item.result(PATIENCE_S) for item in waiting]
    spent = time.monotonic() - start
    for result in results:
        assert list(result.timings) == [
            'wait_prepare', 'prepare', 'wait_infer', 'infer', 'wait_finish', 'finish']
        assert all(value >= 0 for value in result.timings.values())
        assert sum(result.timings.values()) <= spent
        assert result.timings['infer'] >= 0.02
    counts = service.statistics()
    calls = sum(counts.batches.values())
    assert sum(size * number for size, number in counts.batches.items()) == 8
    assert 0.019 * calls <= counts.busy_s <= spent
    assert counts.done == counts.received == 8 and counts.queue_size == 8
    service.close()


def test_an_estimate_given_up_frees_its_place():
    engine = CountingEngine()
    service = DepthService(engine, queue_size=2)
    held = service.submit(lambda: frame(0), OPTIONS)
    assert engine.entered.wait(PATIENCE_S)
    with pytest.raises(DeadlineExceeded, match='within 0.01 s'):
        service.estimate(frame(1), OPTIONS, timeout=0.01)
    assert service.statistics().under_way == 1
    engine.opened.set()
    assert held.result(PATIENCE_S).frame.stamp_ns == 0
    service.close()
    assert engine.batches == [[0]]
