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

"""The queueing model equals the formulas of the books; a short run against real replicas."""

from __future__ import annotations

import math

from bench import capacity, planning, queueing, report
from bench.queueing import cameras, Outcome, poisson, Replicas, requests, Servers
import numpy as np
import pytest

LONG = 400_000.0

MANY = 10**9


@pytest.mark.parametrize('load', [0.3, 0.6, 0.8])
def test_constant_times_without_a_limit_are_m_d_1(load):
    """Mean wait by Pollaczek and Khinchine: load * service / (2 * (1 - load))."""
    arrivals = poisson(load, LONG, 1)
    load = len(arrivals) / LONG  # What chance made of it.
    found = requests(arrivals, Servers(1, [1.0], MANY), LONG)
    assert found.mean - 1 == pytest.approx(load / (2 * (1 - load)), rel=0.03)
    assert found.lost == 0 and found.rate == pytest.approx(load, rel=0.01)


@pytest.mark.parametrize('load', [0.5, 0.8])
def test_the_whole_distribution_of_m_d_1(load):
    """P(wait <= t) of M/D/1 (Erlang): (1-a) sum_k (a(k-t))^k / k! exp(-a(k-t)), k <= t."""
    arrivals = poisson(load, LONG, 2)
    replicas = Replicas(Servers(1, [1.0], MANY))
    waits = np.array([replicas.ask(0, now) - now - 1 for now in arrivals.tolist()])
    for time in (0.0, 0.5, 1.5, 3.0):
        expected = (1 - load) * sum(
            (load * (k - time)) ** k / math.factorial(k) * math.exp(-load * (k - time))
            for k in range(int(time) + 1))
        assert (waits <= time + 1e-9).mean() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(('load', 'devices', 'places'), [
    (0.8, 1, 1), (0.9, 1, 4), (2.0, 1, 4), (0.7, 3, 3), (0.9, 4, 8), (1.5, 4, 32)])
def test_exponential_times_are_m_m_c_k(load, devices, places):
    """Shares of time with n requests: (c*load)^n / n!, beyond c divided by c^(n-c) * c!."""
    offered = load * devices
    weights = np.array([offered**n / (math.factorial(n) if n <= devices else math.factorial(
        devices) * devices**(n - devices)) for n in range(places + 1)])
    shares = weights / weights.sum()
    service = np.random.default_rng(3).exponential(1.0, 200_003)
    seconds = 100_000 / offered
    found = requests(poisson(offered, seconds, 4), Servers(
        1, service.tolist(), places, devices), seconds)
    assert found.lost == pytest.approx(shares[-1], rel=0.05, abs=0.002)
    # Little's law: the mean number is the rate of those let in times their mean time.
    number = float((np.arange(places + 1) * shares).sum())
    assert found.rate * found.mean == pytest.approx(number, rel=0.04)


def test_replicas_are_as_many_systems_with_a_part_of_the_load():
    arrivals = np.arange(0, 1000, 0.25)
    found = requests(arrivals, Servers(4, [0.9], 1, overhead=0.01), 1000)
    assert found.lost == 0 and found.p99 == pytest.approx(0.91)
    assert requests(arrivals, Servers(4, [1.9], 1), 1000).lost == pytest.approx(0.5, abs=0.01)
    assert Servers(4, [0.5, 1.5], 1, devices=2).most == 8


@pytest.mark.parametrize(('count', 'rate', 'lost'), [
    (4, 4.0, 0.0), (8, 8.0, 0.0), (16, 10.0, 0.375)])
def test_cameras_get_what_there_is_and_share_it(count, rate, lost):
    """One device of 0.1 s: up to ten frames a second for all cameras of 1 Hz together."""
    first = np.arange(count) / count
    found = cameras(first, 1.0, Servers(1, [0.1], 32, overhead=0.02), 500)
    assert found.rate == pytest.approx(rate, rel=0.01)
    assert found.lost == pytest.approx(lost, abs=0.01)
    if not lost:
        assert found.p99 == pytest.approx(0.12)


def test_a_camera_keeps_the_newest_frame_alone():
    # Sent at 0, then when an answer is there, after 2.5 frames, the newest of those taken.
    found = cameras(np.zeros(1), 8.0, Servers(1, [0.3125], 4), 100)
    assert found.rate == pytest.approx(3.2, rel=0.01)
    assert found.lost == pytest.approx(0.6, abs=0.01)
    assert found.mean == pytest.approx(0.3125 + (0 + 0.0625) / 2, rel=0.01)


def test_a_refused_frame_is_lost_and_the_next_one_is_asked_for():
    found = cameras(np.zeros(3), 1.0, Servers(1, [0.5], 1), 100)
    assert found.rate == pytest.approx(1) and found.lost == pytest.approx(2 / 3)


def test_the_numbers_of_a_run():
    found = Outcome.of([1.0, 2.0, 3.0], 4, 10)
    assert (found.rate, found.lost, found.mean, found.p50) == (0.3, 0.25, 2.0, 2.0)
    assert Outcome.of([], 4, 10).lost == 1 and math.isnan(Outcome.of([], 4, 10).p99)


def test_arrivals_are_those_of_the_seed():
    one, other = poisson(50, 100, 7), poisson(50, 100, 7)
    np.testing.assert_array_equal(one, other)
    assert len(one) == pytest.approx(5000, rel=0.05) and (np.diff(one) > 0).all()
    assert queueing.phases(1000, 10, 0).max() < 0.1


def test_a_short_run_against_real_replicas_has_every_row():
    rows = capacity.measure(2, delay=0.02, places=4, seconds=0.5, calls=3)
    assert all(row['bar'] == {'kind': 'at most', 'limit': 0.15} for row in rows)
    for name in ('answers per second', 'p50, ms', 'p99, ms'):
        found = [row for row in rows if row['what'].endswith(name)]
        assert len(found) == 6 and all(
            row['measured'] > 0 and row['predicted'] > 0 for row in found), found


def test_a_load_is_compared_with_what_was_predicted():
    rows = capacity.compared('x', Outcome(9, 0.02, 1, 2, 3.3), Outcome(10, 0.0, 1, 2, 3))
    assert [row['value']['median'] for row in rows] == pytest.approx([0.1, 0, 0.1, 2])
    assert [row['holds'] for row in rows] == [True, True, True, False]


def test_the_plan_is_what_the_document_says():
    text = (report.ROOT / 'docs' / 'capacity.md').read_text(encoding='utf-8')
    assert planning.replica_table() in text, 'run: python -m bench.capacity --plan'
    for line in planning.bandwidth_table(planning.fixed_sizes()).splitlines():
        assert line in text, line
    assert planning.cameras_per_device(0.1) == 0, 'an answer takes longer than from frame to frame'
    assert planning.cameras_per_device(0.1, 1.0) == 2, 'two are 20 %'
