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

"""
How many replicas a load needs: the queueing model against real replicas, and what it says.

``python -m bench.capacity`` starts real servers whose network takes a constant time, measures one
of them alone (time on the device, time beside it), predicts loads with :mod:`bench.queueing`,
plays exactly these arrivals to the servers, and compares. ``--plan`` prints the tables of
docs/capacity.md instead, without any server.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
import http.client
import os
import statistics
import subprocess
import sys
import threading
import time
from typing import Iterator, Sequence

from bench import report
from bench.planning import bandwidth_table, compressed_sizes, fixed_sizes, replica_table
from bench.queueing import cameras, Outcome, phases, poisson, requests, Servers, Times
import numpy as np

BAR = 0.15

FEW = 0.01
"""A share lost below which there is nothing to compare."""

WIDTH, HEIGHT = 64, 48
"""Small, so that two cores are enough for all replicas and their clients."""

BODY = bytes(3 * WIDTH * HEIGHT)

HEADERS = {'Content-Type': 'application/octet-stream', 'Accept-Encoding': 'identity',
           'X-Image-Shape': f'{HEIGHT},{WIDTH},3'}

SERVED, REFUSED = 200, (429, 503)


@contextmanager
def running(count: int, seconds: float, places: int) -> Iterator[list[int]]:
    """Yield the ports of so many replicas; they end with SIGTERM."""
    programs = [subprocess.Popen(
        [sys.executable, '-m', 'bench.replica', str(seconds), str(places)],
        stdout=subprocess.PIPE, text=True, cwd=report.ROOT) for _ in range(count)]
    try:
        ports = []
        for program in programs:
            assert program.stdout is not None
            line = program.stdout.readline()
            assert line.startswith('serving rest at '), line
            ports.append(int(line.rstrip().rpartition(':')[2]))
        yield ports
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait(30)


def ask(port: int) -> bool:
    """Return whether a replica answered with depth, or refused."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    try:
        connection.request('POST', '/v1/depth', BODY, HEADERS)
        reply = connection.getresponse()
        body = reply.read()
    finally:
        connection.close()
    assert reply.status == SERVED or reply.status in REFUSED, (reply.status, body)
    return reply.status == SERVED


def calibrated(port: int, places: int, count: int) -> Servers:
    """Return one replica as it is measured alone, now: time on its device, and beside it."""
    def latency() -> float:
        begin = time.perf_counter()
        assert ask(port)
        return time.perf_counter() - begin

    latency()
    alone = statistics.median(latency() for _ in range(count))
    # With three at once the device never waits: from one answer to the next is its time.
    with ThreadPoolExecutor(3) as pool:
        begin = time.perf_counter()
        answers = sorted(pool.map(lambda _: latency() and time.perf_counter(), range(3 * count)))
    service = (answers[-1] - begin - alone) / (len(answers) - 1)
    return Servers(1, [service], places, overhead=max(0.0, alone - service))


def play_requests(arrivals: Times, ports: Sequence[int], seconds: float) -> Outcome:
    """Send requests at these times to the replicas in turn; latencies count from these times."""
    latencies: list[float] = []
    begin = time.perf_counter() + 0.1

    def send(index: int, due: float) -> None:
        if ask(ports[index % len(ports)]):
            latencies.append(time.perf_counter() - begin - due)

    with ThreadPoolExecutor(128) as pool:
        for index, due in enumerate(arrivals.tolist()):
            time.sleep(max(0.0, begin + due - time.perf_counter()))
            pool.submit(send, index, due)
    return Outcome.of(latencies, len(arrivals), seconds)


def play_cameras(first: Times, hertz: float, ports: Sequence[int], seconds: float) -> Outcome:
    """Run cameras that have one frame on its way and keep the newest; ages count from stamps."""
    ages: list[float] = []
    offered = [0] * len(first)
    begin = time.perf_counter() + 0.1

    def run(camera: int) -> None:
        stamps = np.arange(first[camera], seconds, 1 / hertz).tolist()
        offered[camera] = len(stamps)
        at = 0
        while at < len(stamps):
            time.sleep(max(0.0, begin + stamps[at] - time.perf_counter()))
            now = time.perf_counter() - begin
            while at + 1 < len(stamps) and stamps[at + 1] <= now:
                at += 1
            if ask(ports[camera % len(ports)]):
                ages.append(time.perf_counter() - begin - stamps[at])
            at += 1

    threads = [threading.Thread(target=run, args=(camera,)) for camera in range(len(first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Outcome.of(ages, sum(offered), seconds)


def compared(what: str, found: Outcome, expected: Outcome) -> list[report.Row]:
    """Return the rows of one load: how far the real run is from what was predicted."""
    bar = report.bar('at most', BAR)
    rows = [
        report.row(f'{what}: {name}', abs(measured / predicted - 1), bar,
                   measured=measured, predicted=predicted)
        for name, measured, predicted in (
            ('answers per second', found.rate, expected.rate),
            ('p50, ms', 1e3 * found.p50, 1e3 * expected.p50),
            ('p99, ms', 1e3 * found.p99, 1e3 * expected.p99))]
    if max(expected.lost, found.lost) > FEW:
        rows.append(report.row(
            f'{what}: share lost', abs(found.lost - expected.lost) / max(expected.lost, FEW),
            bar, measured=found.lost, predicted=expected.lost))
    return rows


def measure(
    most: int, delay: float, places: int, seconds: float, calls: int,
) -> list[report.Row]:
    """Return the rows of all loads, on 1, 2 and up to ``most`` replicas."""
    rows = []
    with running(most, delay, places) as ports:
        for count, load in ((1, 0.7), (2, 0.8), (most, 0.8), (most, 1.4)):
            servers = replace(calibrated(ports[0], places, calls), replicas=count)
            arrivals = poisson(load * servers.most, seconds, seed=count)
            rows += compared(
                f'{count} replicas, requests at {load:g} of what they can',
                play_requests(arrivals, ports[:count], seconds),
                requests(arrivals, servers, seconds))
        for each in (3, 6):
            servers = replace(calibrated(ports[0], places, calls), replicas=most)
            hertz = 0.25 / servers.service[0]
            first = phases(each * most, hertz, seed=each)
            rows += compared(
                f'{most} replicas, {each * most} cameras of {each * 0.25:g} of what they can',
                play_cameras(first, hertz, ports, seconds),
                cameras(first, hertz, servers, seconds))
    return rows


def main() -> None:
    """Measure and write the result, or print the tables of the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--plan', action='store_true', help='print the tables of docs/capacity.md')
    parser.add_argument('--replicas', type=int, default=4)
    parser.add_argument('--delay', type=float, default=0.1, help='of the network, s')
    parser.add_argument('--places', type=int, default=6, help='requests in a replica')
    parser.add_argument('--seconds', type=float, default=60.0, help='of each load')
    arguments = parser.parse_args()
    if arguments.plan:
        print(replica_table())
        print(bandwidth_table({**fixed_sizes(), **compressed_sizes()}))
        return
    rows = measure(
        arguments.replicas, arguments.delay, arguments.places, arguments.seconds, calls=20)
    report.save('capacity', 'measured and predicted differ by', rows, notes=[
        'Real `depth-anything serve` processes whose network sleeps; requests come at random '
        '(Poisson), cameras have one frame on its way and keep the newest. The same arrivals were '
        'played to the servers and to the model, which knows one replica measured alone.'],
        columns={'measured': 'measured', 'predicted': 'predicted'},
        replicas=arguments.replicas, delay=arguments.delay, places=arguments.places,
        seconds=arguments.seconds, scheduling=(
            'ordinary' if os.sched_getscheduler(0) == os.SCHED_OTHER else 'before all others'))


if __name__ == '__main__':
    main()
