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

"""A quick request stays in the thread that asks, and then nothing else is on the device."""

from contextlib import closing
from dataclasses import replace
import threading
import time

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.engine.shortcut import KEPT, kind_of, Pace, QUICK_S
from depth_anything_ros.errors import Busy, InvalidImage, NotReady
from depth_anything_ros.service import DepthService
import numpy as np
import pytest

PATIENCE_S = 30.0
OPTIONS = FrameOptions()
PIXELS = (4, 6, 3)
KIND = kind_of(OPTIONS, PIXELS)


def frame(stamp=0):
    return Frame(np.zeros(PIXELS, np.uint8), stamp_ns=stamp)


class HeldEngine(GivenDepthEngine):
    """Notes threads and order, and waits inside infer for as long as it is told to."""

    def __init__(self):
        super().__init__(self._depth)
        self.seen, self.twice = [], []
        self.steps = {name: threading.Lock() for name in ('prepare', 'infer', 'finish')}
        self.opened, self.entered = threading.Event(), threading.Event()
        self.opened.set()
        self.broken = False

    def _depth(self, item):
        if self.broken:
            raise ValueError('broken')
        return np.full(item.rgb.shape[:2], 2.0, np.float32)

    def _step(self, name, stamp, function, *arguments):
        if not self.steps[name].acquire(blocking=False):
            self.twice.append(name)
        try:
            self.seen.append((name, stamp, threading.current_thread().name))
            return function(*arguments)
        finally:
            self.steps[name].release()

    def prepare(self, item, options):
        return self._step('prepare', item.stamp_ns, super().prepare, item, options)

    def infer(self, batch):
        def work():
            self.entered.set()
            assert self.opened.wait(PATIENCE_S)
            return GivenDepthEngine.infer(self, batch)
        return self._step('infer', batch[0].frame.stamp_ns, work)

    def finish(self, inferred):
        return self._step(
            'finish', inferred.prepared.frame.stamp_ns, super().finish, inferred)

    def threads(self, stamp):
        return {thread for _, seen, thread in self.seen if seen == stamp}


def quick(runner, kind=KIND):
    for _ in range(3):
        runner._shortcut.pace.note(kind, 0.0)


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.002)


def wait_until_idle(runner):
    wait_until(lambda: all(inbox.idle for inbox in runner._inboxes))


@pytest.fixture
def held():
    engine = HeldEngine()
    runner = Runner(engine, queue_size=4)
    wait_until_idle(runner)
    yield engine, runner
    engine.opened.set()
    assert runner.close(PATIENCE_S)
    assert not engine.twice


def test_a_kind_is_quick_when_two_of_the_last_three_were():
    pace = Pace()
    seen = []
    for seconds in (0.0, 0.0, QUICK_S, QUICK_S, 0.0, 0.0):
        pace.note('a', seconds)
        seen.append('a' in pace.quick)
    assert seen == [False, True, True, False, False, True]
    assert pace.quick == {'a'}
    for number in range(KEPT):
        pace.note(number, 0.0)
    assert 'a' not in pace.quick and len(pace._last) == KEPT >= len(pace.quick)


def test_what_takes_another_time_is_of_another_kind():
    kinds = {kind_of(FrameOptions(**more), pixels) for more, pixels in (
        ({}, (4, 6, 3)), ({}, (6, 4, 3)), ({'process_res': 28}, (4, 6, 3)),
        ({'outputs': frozenset({Output.DEPTH, Output.PREVIEW})}, (4, 6, 3)))}
    assert len(kinds) == 4 and kind_of(FrameOptions(maximum=3.0), PIXELS) == KIND


def test_unknown_ones_are_submitted_and_quick_ones_stay(held):
    engine, runner = held
    assert runner.at_once(frame, OPTIONS, PIXELS) is None
    runner.submit(frame, OPTIONS, ready=True, pixels=PIXELS).result(PATIENCE_S)
    # Noted, whatever it took.
    assert KIND in runner._shortcut.pace._last
    wait_until_idle(runner)
    quick(runner)
    result = runner.at_once(lambda: frame(7), OPTIONS, PIXELS)
    assert engine.threads(7) == {threading.current_thread().name}
    np.testing.assert_array_equal(result.depth, np.full(PIXELS[:2], 2.0))
    assert list(result.timings) == [
        'wait_prepare', 'prepare', 'wait_infer', 'infer', 'wait_finish', 'finish']
    counts = runner.statistics()
    assert (counts.received, counts.done, counts.under_way) == (2, 2, 0)
    assert counts.batches == {1: 2} and counts.busy_s > 0


def test_slow_ones_are_submitted(held):
    engine, runner = held
    runner._shortcut.pace.note(KIND, QUICK_S)
    runner._shortcut.pace.note(KIND, QUICK_S)
    assert runner.at_once(frame, OPTIONS, PIXELS) is None and not engine.seen


def begin(runner, engine, stamp, results):
    engine.opened.clear()
    engine.entered.clear()
    thread = threading.Thread(target=lambda: results.append(
        runner.at_once(lambda: frame(stamp), OPTIONS, PIXELS)))
    thread.start()
    assert engine.entered.wait(PATIENCE_S)
    return thread


def test_what_comes_meanwhile_waits_and_goes_on(held):
    engine, runner = held
    quick(runner)
    results, streamed = [], []
    thread = begin(runner, engine, 1, results)
    assert runner.at_once(lambda: frame(2), OPTIONS, PIXELS) is None
    futures = [runner.submit(lambda stamp=stamp: frame(stamp), OPTIONS, ready=True)
               for stamp in (2, 3)]
    stream = runner.stream('camera', streamed.append, streamed.append)
    stream.submit(lambda: frame(4), OPTIONS)
    wait_until(lambda: runner.statistics().waiting == (0, 3, 0))
    engine.opened.set()
    thread.join(PATIENCE_S)
    assert [item.result(PATIENCE_S).frame.stamp_ns for item in futures] == [2, 3]
    wait_until(lambda: streamed)
    assert results[0].frame.stamp_ns == 1
    assert {stamp for name, stamp, _ in engine.seen if name == 'infer'} == {1, 2, 3, 4}


def test_it_counts_among_those_under_way(held):
    engine, runner = held
    quick(runner)
    results = []
    thread = begin(runner, engine, 1, results)
    futures = [runner.submit(frame, OPTIONS) for _ in range(3)]
    with pytest.raises(Busy):
        runner.submit(frame, OPTIONS)
    engine.opened.set()
    thread.join(PATIENCE_S)
    for future in futures:
        future.result(PATIENCE_S)
    assert runner.statistics().under_way == 0 and results


def test_a_runner_is_closed_only_when_it_is_done():
    engine = HeldEngine()
    runner = Runner(engine)
    wait_until_idle(runner)
    quick(runner)
    results = []
    thread = begin(runner, engine, 1, results)
    assert not runner.close(0.05)
    engine.opened.set()
    assert runner.close(PATIENCE_S)
    thread.join(PATIENCE_S)
    assert results[0].frame.stamp_ns == 1
    assert runner.at_once(frame, OPTIONS, PIXELS) is None
    with pytest.raises(NotReady):
        runner.submit(frame, OPTIONS)


def test_failures_are_raised_and_counted_and_free_the_device(held):
    engine, runner = held
    quick(runner)

    def broken():
        raise InvalidImage('image is empty')
    with pytest.raises(InvalidImage):
        runner.at_once(broken, OPTIONS, PIXELS)
    engine.broken = True
    with pytest.raises(ValueError):
        runner.at_once(frame, OPTIONS, PIXELS)
    engine.broken = False
    assert runner.at_once(frame, OPTIONS, PIXELS) is not None
    counts = runner.statistics()
    assert (counts.failed, counts.done, counts.under_way) == (2, 1, 0)


def test_it_waits_for_cameras_as_a_submitted_one_does(held):
    engine, runner = held
    quick(runner)
    shares = runner._inboxes[1]._shares
    now = time.monotonic()
    # A camera's frames come every 10 ms, and the last request took a second.
    for at in (now - 0.01, now):
        shares.arrived('camera', True, True, at)
    shares.charge(False, 1.0, 1.0, now)
    assert shares.hold(time.monotonic()) > 0
    assert runner.at_once(frame, OPTIONS, PIXELS) is None
    shares.gone('camera')
    assert runner.at_once(frame, OPTIONS, PIXELS) is not None


def test_a_batch_window_and_what_works_elsewhere_keep_the_threads():
    elsewhere = [HeldEngine() for _ in range(2)]
    for engine, device in zip(elsewhere, ('cuda:0', 'http://robot:8000 (cpu)')):
        engine._info = replace(engine.info, device=device)
    for runner in (Runner(HeldEngine(), batch_window=0.001), *map(Runner, elsewhere)):
        wait_until_idle(runner)
        quick(runner)
        assert runner.at_once(frame, OPTIONS, PIXELS) is None
        assert runner.close(PATIENCE_S)


def test_several_devices_keep_the_threads():
    with closing(DepthService(HeldEngine(), HeldEngine())) as service:
        for _ in range(5):
            assert service.at_once(frame, OPTIONS, PIXELS) is None
            service.estimate(frame(), OPTIONS, PATIENCE_S)
    with closing(DepthService(HeldEngine())) as service:
        wait_until_idle(service._runner)
        quick(service._runner)
        assert service.at_once(frame, OPTIONS, ()) is None
        service.estimate(frame(3), OPTIONS, PATIENCE_S)
        assert service._engine.threads(3) == {threading.current_thread().name}


def test_no_step_is_done_twice_at_the_same_time(held):
    engine, runner = held
    failures, results = [], []

    def client(first):
        try:
            for stamp in range(first, first + 60):
                quick(runner)
                result = runner.at_once(
                    lambda stamp=stamp: frame(stamp), OPTIONS, PIXELS)
                if result is None:
                    result = runner.submit(
                        lambda stamp=stamp: frame(stamp), OPTIONS, ready=stamp % 2 > 0,
                        pixels=PIXELS).result(PATIENCE_S)
                results.append(result.frame.stamp_ns)
        except Exception as error:
            failures.append(error)
    stream = runner.stream('camera', lambda result: None, failures.append)
    clients = [threading.Thread(target=client, args=(1000 * index,), name=f'client-{index}')
               for index in range(1, 4)]
    for thread in clients:
        thread.start()
    while any(thread.is_alive() for thread in clients):
        stream.submit(lambda: frame(9_000_000), OPTIONS)
        time.sleep(0.002)
    wait_until(lambda: not stream.counts().waiting)
    assert not failures and sorted(results) == sorted(
        stamp for first in (1000, 2000, 3000) for stamp in range(first, first + 60))
