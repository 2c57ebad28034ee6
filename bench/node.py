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
The whole node between real processes over DDS: camera, node, reader; beside one of the usual way.

``python -m bench.node``. Both nodes are up all the time; camera and reader turn to one after the
other in every round.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import os
import time
from typing import Any, Sequence

from bench import node_parts, report
from bench.node_parts import Part, usage
from bench.pairs import spread
import numpy as np

OURS, USUAL = '/ours', '/usual'


@dataclass(frozen=True)
class Turn:
    """What one turn of camera and reader at one node gave."""

    sent: int
    latency: np.ndarray
    """Seconds from the stamp until depth, camera_info and cloud of a frame are all here."""
    span: float
    disorder: int
    cpu: float
    faults: float
    memory: float
    counts: dict[str, Any]

    @property
    def frames(self) -> int:
        """Return how many frames came out whole."""
        return len(self.latency)


def turn(
    parts: dict[str, Part], space: str, hertz: float, seconds: float, size: tuple[int, int],
    encoding: str = 'rgb8',
) -> Turn:
    """Run one turn at a node."""
    node, reader, camera = parts[space], parts['listener'], parts['camera']
    pid = node.process.pid
    assert pid is not None
    reader.ask('open', space)
    time.sleep(0.7)
    ours = space == OURS
    earlier = node.ask('counts')['counts'] if ours else {}
    before = usage(pid)
    sent = camera.ask('run', space, hertz, seconds, *size, encoding)
    time.sleep(0.4)
    after = usage(pid)
    seen = reader.ask('close')
    now = node.ask('counts') if ours else {'counts': {}}
    now['counts'] = {key: value - earlier[key] for key, value in now['counts'].items()}
    stamps = [stamp for stamp, _ in seen['depth/points']]
    by_topic = [dict(values) for values in seen.values()]
    whole = [stamp for stamp in stamps if all(stamp in each for each in by_topic)]
    assert whole, f'nothing came out of {space}'
    latency = np.array([max(each[stamp] for each in by_topic) for stamp in whole])
    frames = max(1, len(whole))
    span = (whole[-1] + latency[-1] * 1e9 - whole[0] - latency[0] * 1e9) / 1e9 \
        if len(whole) > 1 else 0.0
    return Turn(
        sent, latency, span, sum(a > b for a, b in zip(stamps, stamps[1:])),
        (after['cpu'] - before['cpu']) / frames, (after['faults'] - before['faults']) / frames,
        after['memory'], now)


def milliseconds(turns: Sequence[Turn]) -> str:
    """Return p50, p95 and p99 of the latency."""
    values = np.concatenate([each.latency for each in turns]) * 1e3
    return ' / '.join(f'{value:.1f}' for value in np.percentile(values, (50, 95, 99)))


def details(turns: Sequence[Turn]) -> dict[str, Any]:
    """Return further values of a row."""
    cpu = float(np.median([each.cpu for each in turns]))
    return {
        'latency': milliseconds(turns), 'cpu': round(cpu * 1e3, 2),
        'faults': round(float(np.median([each.faults for each in turns])), 1),
        'frames': f'{sum(each.frames for each in turns)} of {sum(each.sent for each in turns)}',
        'megabytes': round(max(each.memory for each in turns) / 1e6)}


def against_usual(parts: dict[str, Part], rounds: int, seconds: float) -> list[report.Row]:
    """Return the rows of a network that takes no time, 640x480 at 30 Hz."""
    turns: dict[str, list[Turn]] = {OURS: [], USUAL: []}
    for index in range(rounds + 1):
        for space in (OURS, USUAL) if index % 2 else (USUAL, OURS):
            found = turn(parts, space, 30, seconds, (640, 480))
            if index:  # the first round warms up
                turns[space].append(found)
    pairs = list(zip(turns[OURS], turns[USUAL]))
    return [
        report.row('latency p50, ours / usual way', spread(
            [float(np.median(a.latency) / np.median(b.latency)) for a, b in pairs]),
            report.bar('at most', 0.25), **details(turns[OURS])),
        report.row('CPU seconds per frame, ours / usual way', spread(
            [a.cpu / b.cpu for a, b in pairs]), report.bar('at most', 0.25),
            **details(turns[USUAL]))]


def slow_network(parts: dict[str, Part], delay: float, seconds: float) -> list[report.Row]:
    """Return the rows of a network that is slower than the camera, 640x480 at 60 Hz."""
    turn(parts, OURS, 60, 1.0, (640, 480))
    found = turn(parts, OURS, 60, seconds, (640, 480))
    rate = (found.frames - 1) / found.span if found.span else 0.0
    age = found.counts['age'][0]
    counts = found.counts['counts']
    return [
        report.row(f'rate, of 1 / {delay * 1e3:g} ms', rate * delay,
                   report.bar('at least', 0.95), **details([found])),
        report.row(f'age at publish p50, in times of {delay * 1e3:g} ms', age / delay,
                   report.bar('at most', 2.2)),
        report.row('results out of order', float(found.disorder), report.bar('at most', 0)),
        report.row('images replaced by newer ones, of those received',
                   counts['replaced'] / max(1, counts['received']))]


def full_hd(parts: dict[str, Part], seconds: float) -> list[report.Row]:
    """Return what is lost between processes at 1920x1080 and 30 Hz, best effort."""
    turn(parts, OURS, 30, 1.0, (1920, 1080))
    found = turn(parts, OURS, 30, seconds, (1920, 1080))
    counts = found.counts['counts']
    return [
        report.row('1080p images lost before the node', float(found.sent - counts['received']),
                   report.bar('at most', 0), **details([found])),
        report.row('1080p clouds lost after the node',
                   float(counts['published'] - found.frames), report.bar('at most', 0))]


def idle(parts: dict[str, Part], seconds: float) -> list[report.Row]:
    """Return what the node takes while nobody reads it and its camera goes on."""
    pid = parts[OURS].process.pid
    assert pid is not None
    # The usual way's node reads the same camera, so that there is one.
    time.sleep(1.0)
    before = usage(pid)
    time.sleep(seconds)
    share = (usage(pid)['cpu'] - before['cpu']) / seconds
    return [report.row('idle: share of a core without readers', share,
                       report.bar('at most', 0.01))]


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=5.0)
    parser.add_argument('--delay', type=float, default=0.025, help='of the slow network, s')
    arguments = parser.parse_args()
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    rows: list[report.Row] = []
    parts: dict[str, Part] = {}
    try:
        parts = {'camera': Part(node_parts.camera), 'listener': Part(node_parts.listener),
                 USUAL: Part(node_parts.usual_node, USUAL, 0.0),
                 OURS: Part(node_parts.our_node, OURS, '', 0.0, [])}
        rows += against_usual(parts, arguments.rounds, arguments.seconds)
        parts.pop(USUAL).close()
        rows += full_hd(parts, arguments.seconds)
        rows += idle(parts, 10.0)
        parts.pop(OURS).close()
        parts[OURS] = Part(node_parts.our_node, OURS, '', arguments.delay, [])
        rows += slow_network(parts, arguments.delay, arguments.seconds)
    finally:
        for part in parts.values():
            part.close()
    report.save(
        'node', 'ratio or count', rows, rounds=arguments.rounds, seconds=arguments.seconds,
        columns={'latency': 'latency p50 / p95 / p99, ms', 'cpu': 'CPU per frame, ms',
                 'faults': 'page faults per frame', 'frames': 'frames out whole',
                 'megabytes': 'MB'},
        notes=['Constant-time network; camera, node and reader are processes of their own, best '
               'effort, all with the shipped Fast DDS profile: the node of the usual way too, '
               'which would lose nearly every frame without. The second row shows the values of '
               'the usual way.'])


if __name__ == '__main__':
    main()
