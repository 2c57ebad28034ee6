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

import logging
import math

from depth_anything_ros.ros.counting import Counts, Rate, Recent, WINDOW
from depth_anything_ros.ros.reporting import PERIOD, Reporter, RosHandler
import pytest


class Clock:

    now = 100.0

    def __call__(self):
        return self.now


class Lines:

    def __init__(self):
        self.said = []

    def __getattr__(self, level):
        return lambda text: self.said.append((level, text))


def test_counts_add_up():
    a = Counts(received=5, published=2, idle=1, waiting=2)
    b = Counts(received=3, replaced=1, no_camera_info=1, invalid=1)
    assert a.accounted == 5 and b.accounted == 3
    assert (a + b) == Counts(received=8, published=2, idle=1, replaced=1, no_camera_info=1,
                             invalid=1, waiting=2)


def test_rate_counts_the_last_seconds():
    clock = Clock()
    rate = Rate(clock)
    assert rate.hertz() == 0 and rate.silence() == math.inf
    for _ in range(21):
        rate.tick()
        clock.now += 0.1
    assert rate.hertz() == pytest.approx(10)
    clock.now += WINDOW
    assert rate.hertz() == 0
    assert rate.silence() == pytest.approx(WINDOW + 0.1)


def test_percentiles():
    recent = Recent()
    assert math.isnan(recent.percentiles(50)[0])
    for value in range(101):
        recent.add(float(value))
    assert recent.percentiles(50, 95) == (50, 95)


def test_trouble_is_said_once_in_a_period():
    clock, lines = Clock(), Lines()
    reporter = Reporter(lines, clock)
    for text in ('first', 'second', 'third'):
        reporter.warn('kind', text)
    reporter.warn('other', 'another')
    assert [text for _, text in lines.said] == ['first', 'another']
    assert reporter.last_error == 'another'
    clock.now += PERIOD
    reporter.warn('kind', 'fourth')
    assert lines.said[-1][1] == 'fourth (2 times more since the last line)'


def test_once_is_once():
    clock, lines = Clock(), Lines()
    reporter = Reporter(lines, clock)
    for _ in range(3):
        reporter.once('kind', 'text')
        clock.now += 10 * PERIOD
    assert lines.said == [('warning', 'text')]


def test_logging_goes_to_ros_at_its_own_level():
    lines = Lines()
    logger = logging.Logger('ours', logging.DEBUG)
    logger.addHandler(RosHandler(lines))
    logger.debug('a %d', 1)
    logger.info('b')
    logger.warning('c')
    logger.error('d')
    assert lines.said == [('debug', 'a 1'), ('info', 'b'), ('warning', 'c'), ('error', 'd')]
