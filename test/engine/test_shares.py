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

"""The shares of streams and requests, on a simulated clock and on a real runner."""

import threading
import time

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.engine.shares import LONGEST_S, Shares
from depth_anything_ros.errors import Busy
import numpy as np
import pytest

OPTIONS = FrameOptions()


def simulate(shares, seconds, frame_s, request_s, period, flood=True):
    """Return (frames, requests) done in a stage that a camera and a flood of requests use."""
    now, next_frame, waits, done = 0.0, 0.0, False, {True: 0, False: 0}
    if flood:
        shares.arrived('client', False, True, now)
    while now < seconds:
        while next_frame <= now:
            shares.arrived('camera', True, not waits, next_frame)
            waits, next_frame = True, next_frame + period
        pause = 0.0 if waits else shares.hold(now) if flood else period
        if pause:
            now = min(now + pause, next_frame)
            continue
        stream = shares.streams_next(waits, flood)
        shares.taken(stream)
        cost = frame_s if stream else request_s
        arrived = now
        now += cost
        while next_frame <= now:
            shares.arrived('camera', True, stream or not waits, next_frame)
            waits, next_frame = True, next_frame + period
        if stream:
            waits = next_frame - period > arrived
        done[stream] += 1
        shares.charge(stream, cost, cost, now)
        if not stream:
            shares.arrived('client', False, True, now)
    return done[True], done[False]


@pytest.mark.parametrize('frame_s, request_s', [
    (0.002, 0.002), (0.01, 0.01), (0.02, 0.02), (0.025, 0.025), (0.03, 0.03), (0.05, 0.05),
    (0.2, 0.2), (0.01, 0.1), (0.01, 0.3), (0.025, 0.1), (0.05, 0.01), (0.1, 0.3)])
def test_a_camera_keeps_its_rate_and_requests_keep_their_share(frame_s, request_s):
    alone, _ = simulate(Shares(), 60, frame_s, request_s, 1 / 30, flood=False)
    frames, requests = simulate(Shares(), 60, frame_s, request_s, 1 / 30)
    assert frames >= 0.8 * alone
    assert requests * request_s >= 0.1 * 60


@pytest.mark.parametrize('request_s', [3.0, 10.0])
def test_very_long_requests_wait_two_seconds_and_no_longer(request_s):
    frames, requests = simulate(Shares(), 200, 0.01, request_s, 1 / 30)
    assert requests >= 200 / (request_s + LONGEST_S + 0.1) - 1
    assert frames >= requests * 30 * (LONGEST_S - 0.1)


def test_what_was_not_used_is_not_saved_up():
    shares = Shares(0.5)
    for _ in range(100):
        shares.arrived('client', False, True, 0.0)
        shares.taken(False)
        shares.charge(False, 1.0, 1.0, 0.0)
    shares.arrived('client', False, True, 0.0)
    shares.arrived('camera', True, True, 0.0)
    order = []
    for _ in range(10):
        order.append(shares.streams_next(True, True))
        shares.taken(order[-1])
        shares.charge(order[-1], 0.1, 0.1, 0.0)
        shares.arrived('any', order[-1], True, 0.0)
    assert 4 <= sum(order) <= 6


def test_a_camera_that_fell_silent_holds_nobody_up():
    shares = Shares()
    for index in range(10):
        shares.arrived('camera', True, True, index / 30)
    shares.charge(False, 0.5, 0.5, 0.3)
    assert shares.hold(0.31) > 0
    assert shares.hold(0.45) == 0
    shares.arrived('camera', True, True, 0.46)
    assert shares.hold(0.47) > 0
    shares.gone('camera')
    assert shares.hold(0.47) == 0


def rate_of_a_stream(seconds, flood, delay, share=0.15):
    """Return the frames that a 30 Hz stream gets in some time, and what the requests got."""
    engine = GivenDepthEngine(
        lambda frame: np.full(frame.rgb.shape[:2], 2.0, np.float32), delay=delay)
    runner, image = Runner(engine, queue_size=4, request_share=share), np.zeros((4, 6, 3), 'u1')
    stream = runner.stream('camera', lambda result: None, lambda error: None)
    stop, refused = threading.Event(), []

    def ask():
        while not stop.is_set():
            try:
                runner.submit(lambda: Frame(image), OPTIONS)
            except Busy:
                refused.append(1)
                time.sleep(0.001)

    client = threading.Thread(target=ask)
    if flood:
        client.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stream.submit(lambda: Frame(image), OPTIONS)
        time.sleep(1 / 30)
    done, counts = stream.counts().done, runner.statistics()
    stop.set()
    if flood:
        client.join()
    runner.close()
    return done, counts.done, len(refused)


@pytest.mark.parametrize('delay', [0.06])
def test_thirty_hertz_beside_a_flood_of_requests_on_a_real_runner(delay):
    alone, _, _ = rate_of_a_stream(2.0, False, delay)
    beside, requests, refused = rate_of_a_stream(2.0, True, delay)
    assert beside >= 0.8 * alone
    assert requests >= 4 and refused > 10


def test_the_share_can_be_set():
    _, few, _ = rate_of_a_stream(1.0, True, 0.05, share=0.1)
    _, many, _ = rate_of_a_stream(1.0, True, 0.05, share=0.9)
    assert many >= 2 * few
