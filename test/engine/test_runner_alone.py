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

"""A request that finds the device free changes threads once, and overtakes nobody."""

import threading
import time

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.errors import InvalidImage
import numpy as np
import pytest

PATIENCE_S = 30.0
OPTIONS = FrameOptions()
STEPS = ['wait_prepare', 'prepare', 'wait_infer', 'infer', 'wait_finish', 'finish']


def frame(stamp=0):
    return Frame(np.zeros((4, 6, 3), np.uint8), stamp_ns=stamp)


class WatchedEngine(GivenDepthEngine):
    """Notes which thread does which step, and that no step is done twice at the same time."""

    def __init__(self, pause=0.0):
        super().__init__(lambda item: np.full(item.rgb.shape[:2], 2.0, np.float32))
        self.seen, self.twice, self._pause = [], [], pause
        self._locks = {name: threading.Lock() for name in ('prepare', 'infer', 'finish')}
        self.opened = threading.Event()
        self.opened.set()
        self.entered = threading.Event()

    def _step(self, name, function, *arguments):
        if not self._locks[name].acquire(blocking=False):
            self.twice.append(name)
            return function(*arguments)
        try:
            time.sleep(self._pause)
            return function(*arguments)
        finally:
            self._locks[name].release()

    def prepare(self, item, options):
        self.seen.append(('prepare', item.stamp_ns, threading.current_thread().name))
        return self._step('prepare', super().prepare, item, options)

    def infer(self, batch):
        self.seen += [('infer', item.frame.stamp_ns, threading.current_thread().name)
                      for item in batch]
        self.entered.set()
        assert self.opened.wait(PATIENCE_S)
        return self._step('infer', super().infer, batch)

    def finish(self, inferred):
        self.seen.append(('finish', inferred.prepared.frame.stamp_ns,
                          threading.current_thread().name))
        return self._step('finish', super().finish, inferred)

    def order(self, step):
        return [stamp for name, stamp, _ in self.seen if name == step]

    def threads(self, stamp):
        return [thread for _, seen, thread in self.seen if seen == stamp]


@pytest.fixture
def watched():
    engine = WatchedEngine()
    runner = Runner(engine, queue_size=64, max_batch=1)
    yield engine, runner
    engine.opened.set()
    assert runner.close(PATIENCE_S)


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.002)


def wait_until_idle(runner):
    wait_until(lambda: all(inbox.idle for inbox in runner._inboxes))


def test_a_frame_that_is_ready_is_prepared_where_the_network_runs(watched):
    engine, runner = watched
    results = []
    stream = runner.stream('camera', results.append, results.append)
    for stamp, ready in enumerate((True, False)):
        wait_until_idle(runner)
        stream.submit(lambda stamp=stamp: frame(stamp), OPTIONS, ready=ready)
        wait_until(lambda stamp=stamp: len(results) > stamp)
    assert engine.threads(0) == ['depth-infer', 'depth-infer', 'depth-finish']
    assert engine.threads(1) == ['depth-prepare', 'depth-infer', 'depth-finish']
    assert all(list(result.timings) == STEPS for result in results)


def test_a_frame_that_is_ready_waits_for_nobodys_preparing(watched):
    engine, runner = watched
    results = []
    stream = runner.stream('camera', results.append, results.append)
    wait_until_idle(runner)
    engine.opened.clear()
    stream.submit(lambda: frame(0), OPTIONS, ready=True)
    assert engine.entered.wait(PATIENCE_S)
    stream.submit(lambda: frame(1), OPTIONS, ready=True)
    # The network has the first one: the second is prepared meanwhile.
    wait_until(lambda: engine.order('prepare') == [0, 1])
    assert engine.threads(1) == ['depth-prepare']
    engine.opened.set()
    wait_until(lambda: len(results) == 2)
    assert [result.frame.stamp_ns for result in results] == [0, 1]


def test_alone_it_stays_in_the_threads_of_the_network(watched):
    engine, runner = watched
    wait_until_idle(runner)
    answered = []
    future = runner.submit(frame, OPTIONS, ready=True)
    future.add_done_callback(lambda _: answered.append(threading.current_thread().name))
    result = future.result(PATIENCE_S)
    assert engine.threads(0) == ['depth-infer'] * 3
    assert list(result.timings) == STEPS
    assert result.timings['wait_infer'] == result.timings['wait_finish'] == 0.0
    assert all(value >= 0 for value in result.timings.values())


def test_what_must_be_decoded_and_what_a_camera_sends_is_prepared_elsewhere(watched):
    engine, runner = watched
    results = []
    stream = runner.stream('camera', results.append, results.append)
    wait_until_idle(runner)
    runner.submit(lambda: frame(1), OPTIONS).result(PATIENCE_S)
    assert engine.threads(1) == ['depth-prepare', 'depth-infer', 'depth-infer']
    wait_until_idle(runner)
    stream.submit(lambda: frame(2), OPTIONS)
    wait_until(lambda: results)
    assert engine.threads(2) == ['depth-prepare', 'depth-infer', 'depth-finish']


def test_it_overtakes_nobody_and_holds_up_nobody(watched):
    engine, runner = watched
    engine.opened.clear()
    wait_until_idle(runner)
    futures = [runner.submit(lambda: frame(0), OPTIONS, ready=True)]
    assert engine.entered.wait(PATIENCE_S)
    for stamp in range(1, 20):
        futures.append(runner.submit(
            lambda stamp=stamp: frame(stamp), OPTIONS, ready=stamp % 3 > 0))
    wait_until(lambda: runner.statistics().waiting[:2] == (0, 19))
    engine.opened.set()
    assert [item.result(PATIENCE_S).frame.stamp_ns for item in futures] == list(range(20))
    assert engine.order('infer') == engine.order('finish') == list(range(20))
    # Prepared beside the network, and finished there, as long as others wait.
    assert all(engine.threads(stamp)[0] == 'depth-prepare' for stamp in range(1, 20))
    assert engine.threads(5)[2] == 'depth-finish' and not engine.twice


def test_no_step_is_done_twice_at_the_same_time():
    engine = WatchedEngine(pause=0.0005)
    runner = Runner(engine, queue_size=64, max_batch=3)
    failures = []

    def client(first):
        try:
            for stamp in range(first, first + 40):
                result = runner.submit(
                    lambda stamp=stamp: frame(stamp), OPTIONS, ready=stamp % 2 > 0)
                assert result.result(PATIENCE_S).frame.stamp_ns == stamp
                time.sleep(0.0003 * (stamp % 5))
        except Exception as error:
            failures.append(error)
    clients = [threading.Thread(target=client, args=(1000 * index,)) for index in range(4)]
    stream = runner.stream('camera', lambda result: None, failures.append)
    wait_until_idle(runner)
    runner.submit(frame, OPTIONS, ready=True).result(PATIENCE_S)
    for thread in clients:
        thread.start()
    while any(thread.is_alive() for thread in clients):
        stream.submit(lambda: frame(9_000_000), OPTIONS)
        time.sleep(0.003)
    wait_until(lambda: not stream.counts().waiting)
    assert runner.close(PATIENCE_S) and not failures and not engine.twice
    # Both ways were taken.
    assert {thread for name, _, thread in engine.seen if name == 'prepare'} == {
        'depth-prepare', 'depth-infer'}


def test_a_failure_on_the_way_is_its_own(watched):
    engine, runner = watched

    def broken():
        raise InvalidImage('image is empty')
    wait_until_idle(runner)
    with pytest.raises(InvalidImage):
        runner.submit(broken, OPTIONS, ready=True).result(PATIENCE_S)
    assert runner.submit(frame, OPTIONS, ready=True).result(PATIENCE_S).frame.stamp_ns == 0
    assert runner.statistics().failed == 1


def test_a_batch_window_is_waited_for_by_ready_requests_too():
    engine = WatchedEngine()
    runner = Runner(engine, queue_size=8, max_batch=2, batch_window=PATIENCE_S)
    wait_until_idle(runner)
    futures = [runner.submit(lambda stamp=stamp: frame(stamp), OPTIONS, ready=True)
               for stamp in range(2)]
    for item in futures:
        item.result(PATIENCE_S / 2)
    assert runner.statistics().batches == {2: 1} and runner.close(PATIENCE_S)
