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

``python -m bench.node`` measures what was promised (``--quick``: in a few seconds each);
``--all``, or ``--only PATTERN`` of the names, every case of ``bench.node_cases``. Both nodes are
up all the time; camera and reader turn to one after the other in every round.
"""

from __future__ import annotations

import argparse
import os
import time

from bench import node_cases, report
from bench.node_engines import constant
from bench.node_turns import (
    Bench,
    COLUMNS,
    details,
    EXPLAINED,
    FULL_HD,
    OURS,
    Turn,
    VGA,
    whole_frames,
)
from bench.pairs import spread
from bench.parts import usage
import numpy as np

SLOW = 0.025
"""Seconds of the network that is slower than the camera."""


def against_usual(bench: Bench, rounds: int, seconds: float) -> list[report.Row]:
    """Return the rows of a network that takes no time, 640x480 at 30 Hz."""
    pairs = list(bench.turns(rounds, 30, seconds, VGA))
    ours, usual = zip(*pairs)
    return [
        report.row('latency p50, ours / usual way', spread(
            [float(np.median(a.latency) / np.median(b.latency)) for a, b in pairs]),
            report.bar('at most', 0.25), **details(ours)),
        report.row('CPU seconds per frame, ours / usual way', spread(
            [a.cpu / b.cpu for a, b in pairs]), report.bar('at most', 0.25), **details(usual))]


def slow_network(bench: Bench, rounds: int, seconds: float) -> list[report.Row]:
    """Return the rows of a network that is slower than the camera, 640x480 at 60 Hz."""
    bench.turn(OURS, 60, 1.0, VGA)
    turns = [bench.turn(OURS, 60, seconds, VGA) for _ in range(rounds)]
    replaced = sum(each.counts['replaced'] for each in turns)
    received = sum(each.counts['received'] for each in turns)
    return [
        report.row(f'rate, of 1 / {SLOW * 1e3:g} ms', spread(
            [each.hertz * SLOW for each in turns]), report.bar('at least', 0.95),
            **details(turns)),
        report.row(f'age at publish p50, in times of {SLOW * 1e3:g} ms', spread(
            [each.age / SLOW for each in turns]), report.bar('at most', 2.2)),
        report.row('results out of order', sum(each.disorder for each in turns),
                   report.bar('at most', 0)),
        report.row('images replaced by newer ones, of those received',
                   replaced / max(1, received))]


def full_hd(bench: Bench, rounds: int, seconds: float) -> list[report.Row]:
    """
    Return what is lost between processes at 1920x1080 and 30 Hz, best effort.

    Beside the node: the same bytes from the camera to the reader alone, without any node.
    """
    bench.turn(OURS, 30, 1.0, FULL_HD)
    turns, images, clouds = [], [], []
    for _ in range(rounds):
        turns.append(bench.turn(OURS, 30, seconds, FULL_HD))
        images.append(bare(bench, 'image', seconds))
        clouds.append(bare(bench, 'cloud', seconds))
    sent = sum(each.sent for each in turns)
    published = sum(each.counts['published'] for each in turns)
    return [
        report.row('1080p images lost before the node, of those sent',
                   sum(each.drops['before'] for each in turns) / sent,
                   report.bar('at most', 0), **details(turns)),
        report.row('the same without a node: images from the camera to the reader',
                   lost(images), **details(images)),
        report.row('1080p frames lost after the node, of those published',
                   sum(each.drops['after'] for each in turns) / max(1, published),
                   report.bar('at most', 0)),
        report.row('the same without a node: clouds from the camera to the reader',
                   lost(clouds), **details(clouds))]


def bare(bench: Bench, what: str, seconds: float) -> Turn:
    """Return what comes through of images or clouds alone; CPU and memory are the reader's."""
    camera, reader = bench.parts['camera'], bench.parts['listener']
    topic, kind = ('image', 'rgb8') if what == 'image' else ('depth/points', 'cloud')
    reader.ask('open', '/bare', (topic,) if what == 'cloud' else ('camera_info', topic))
    before = usage(reader.pid)
    sent = camera.ask('run', '/bare', 30, seconds, *FULL_HD, kind)
    time.sleep(0.4)
    after = usage(reader.pid)
    latency, arrivals, disorder = whole_frames(reader.ask('close'))
    frames = max(1, len(latency))
    return Turn(
        sent, latency, arrivals, disorder, (after['cpu'] - before['cpu']) / frames,
        (after['faults'] - before['faults']) / frames, after['memory'],
        {'received': sent, 'published': sent})


def lost(turns: list[Turn]) -> float:
    """Return the share that did not arrive."""
    return 1 - sum(each.frames for each in turns) / sum(each.sent for each in turns)


def idle(bench: Bench, seconds: float) -> list[report.Row]:
    """Return what the node takes while nobody reads it and its camera goes on."""
    node, camera = bench.parts[OURS], bench.parts['camera']
    camera.tell('run', OURS, 30, seconds + 1.0, *VGA, 'rgb8')
    time.sleep(11.5)  # until the camera no longer waits for readers
    node.ask('counts')
    before = usage(node.pid)
    time.sleep(seconds - 1.0)
    share = (usage(node.pid)['cpu'] - before['cpu']) / (seconds - 1.0)
    counts = node.ask('counts')['counts']
    camera.reply()
    return [report.row('idle: share of a core without readers', share,
                       report.bar('at most', 0.01)),
            report.row('idle: images taken of a camera that goes on', counts['received'],
                       report.bar('at most', 0))]


def measure(rounds: int, seconds: float, idle_seconds: float) -> list[report.Row]:
    """Return the rows of all that was promised."""
    bench = Bench()
    try:
        bench.start(constant(0))
        rows = against_usual(bench, rounds, seconds)
        bench.start(constant(0), usual=False)
        rows += full_hd(bench, rounds, seconds)
        rows += idle(bench, idle_seconds)
        bench.start(constant(1e3 * SLOW), usual=False)
        return rows + slow_network(bench, rounds, seconds)
    finally:
        bench.close()


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=5.0, help='of a turn')
    parser.add_argument('--quick', action='store_true', help='two rounds of three seconds')
    parser.add_argument('--all', action='store_true', help='the cases of bench.node_cases')
    parser.add_argument('--only', metavar='PATTERN', default='',
                        help='those of them whose names it matches')
    arguments = parser.parse_args()
    rounds, seconds = (2, 3.0) if arguments.quick else (arguments.rounds, arguments.seconds)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    if arguments.all or arguments.only:
        node_cases.record(node_cases.chosen(arguments.only), rounds, seconds)
        return
    rows = measure(rounds, seconds, 5.0 if arguments.quick else 15.0)
    report.save(
        'node', 'ratio or share', rows, rounds=rounds, seconds=seconds, columns=COLUMNS,
        notes=['Constant-time network; camera, node and reader are processes of their own, best '
               'effort, all with the shipped Fast DDS profile: the node of the usual way too, '
               'which would lose nearly every frame without. The second row shows the values of '
               "the usual way; in rows without a node CPU and memory are the reader's. "
               + EXPLAINED])


if __name__ == '__main__':
    main()
