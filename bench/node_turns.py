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

"""One turn of camera, node and reader, and what a row of ``bench.node`` says of some."""

from __future__ import annotations

from dataclasses import dataclass, field
import time
from typing import Any, Iterator, Sequence

from bench import node_parts
from bench.node_engines import METRIC, Network
from bench.parts import Part, usage
import numpy as np

OURS, USUAL = '/ours', '/usual'
Size = tuple[int, int]
VGA, FULL_HD = (640, 480), (1920, 1080)

COLUMNS = {
    'latency': 'latency p50 / p95 / p99, ms', 'hertz': 'frames/s', 'jitter': 'jitter, ms',
    'cpu': 'CPU per frame, ms', 'faults': 'page faults per frame',
    'frames': 'frames out whole', 'drops': 'dropped', 'megabytes': 'MB'}
EXPLAINED = (
    'Latency is from the stamp until the last output of the frame is in the reader; jitter the '
    'standard deviation of the time between two frames there. Dropped: `before` the node got the '
    'image (in DDS, or replaced by a newer one there), by the node by reason, `after` it had '
    'published.')


@dataclass(frozen=True)
class Turn:
    """What one turn of camera and reader at one node gave."""

    sent: int
    latency: np.ndarray
    """Seconds from the stamp until all outputs of a frame are here, for those that are whole."""
    arrivals: np.ndarray
    """When those were here, in seconds, in order."""
    disorder: int
    cpu: float
    faults: float
    memory: float
    counts: dict[str, int] = field(default_factory=dict)
    age: float = float('nan')

    @property
    def frames(self) -> int:
        """Return how many frames came out whole."""
        return len(self.latency)

    @property
    def hertz(self) -> float:
        """Return frames a second between the first and the last one."""
        span = self.arrivals[-1] - self.arrivals[0] if self.frames > 1 else 0.0
        return float((self.frames - 1) / span) if span > 0 else 0.0

    @property
    def drops(self) -> dict[str, int]:
        """Return how many frames were lost, by reason."""
        own = {key: value for key, value in self.counts.items()
               if key not in ('received', 'published', 'waiting') and value}
        # What was under way when the turn began is counted, too, and was not sent in it.
        return {'before': max(0, self.sent - self.counts['received']), **own,
                'after': max(0, self.counts['published'] - self.frames)}


def whole_frames(
    seen: dict[str, list[tuple[int, float]]],
) -> tuple[np.ndarray, np.ndarray, int]:
    """
    Return of what a listener saw: latencies, arrivals and how often a stamp came after a later.

    :param seen: (stamp in nanoseconds, seconds from it) by topic; a frame counts that is in all.
    """
    by_topic = [dict(values) for values in seen.values()]
    first, *others = by_topic
    stamps = [stamp for stamp in first if all(stamp in each for each in others)]
    latency = np.array([max(each[stamp] for each in by_topic) for stamp in stamps])
    order = [stamp for stamp, _ in next(iter(seen.values()))]
    disorder = sum(a > b for a, b in zip(order, order[1:]))
    return latency, np.sort(np.array(stamps, np.float64) / 1e9 + latency), disorder


class Bench:
    """Camera and reader, and the nodes that they turn to."""

    def __init__(self) -> None:
        """Start camera and reader."""
        self.parts = {'camera': Part(node_parts.camera), 'listener': Part(node_parts.listener)}

    def start(
        self, network: Network, encoding: str = 'rgb8', *, usual: bool = True,
    ) -> None:
        """Start our node with a network, and the usual one, in place of those before."""
        self.stop(OURS, USUAL)
        transport = 'compressed' if encoding == 'jpeg' else 'raw'
        self.parts[OURS] = Part(node_parts.our_node, OURS, network,
                                (f'camera.image_transport:={transport}',))
        if usual:
            self.parts[USUAL] = Part(node_parts.usual_node, USUAL, network)

    def stop(self, *names: str) -> None:
        """End processes."""
        for name in names:
            if name in self.parts:
                self.parts.pop(name).close()

    def close(self) -> None:
        """End all."""
        self.stop(*list(self.parts))

    def turn(
        self, space: str, hertz: float, seconds: float, size: Size, encoding: str = 'rgb8',
        topics: Sequence[str] = METRIC,
    ) -> Turn:
        """Let camera and reader run at a node for a while."""
        node, reader, camera = self.parts[space], self.parts['listener'], self.parts['camera']
        reader.ask('open', space, topics)
        if space == USUAL:
            node.ask('open', encoding)
        time.sleep(0.7)
        node.ask('counts')
        before = usage(node.pid)
        sent = camera.ask('run', space, hertz, seconds, *size, encoding)
        time.sleep(0.4)
        after = usage(node.pid)
        seen = reader.ask('close')
        now = node.ask('close' if space == USUAL else 'counts')
        latency, arrivals, disorder = whole_frames(seen)
        frames = max(1, len(latency))
        return Turn(
            sent, latency, arrivals, disorder, (after['cpu'] - before['cpu']) / frames,
            (after['faults'] - before['faults']) / frames, after['memory'], now['counts'],
            now.get('age', (float('nan'),))[0])

    def turns(
        self, rounds: int, hertz: float, seconds: float, size: Size, encoding: str = 'rgb8',
        topics: Sequence[str] = METRIC,
    ) -> Iterator[tuple[Turn, Turn]]:
        """Yield what our node and the usual one gave, in turns, after one turn to warm up."""
        for index in range(rounds + 1):
            found = {space: self.turn(
                space, hertz, seconds if index else 1.0, size, encoding, topics)
                for space in ((OURS, USUAL) if index % 2 else (USUAL, OURS))}
            if index:
                yield found[OURS], found[USUAL]


def details(turns: Sequence[Turn]) -> dict[str, Any]:
    """Return the values of a row's columns: medians of the turns, all latencies together."""
    def median(values: Sequence[float]) -> float:
        return float(np.median(values))

    latency = np.concatenate([each.latency for each in turns]) * 1e3
    percentiles = np.percentile(latency, (50, 95, 99)) if len(latency) else ()
    drops = {reason: sum(each.drops.get(reason, 0) for each in turns)
             for each in turns for reason in each.drops}
    intervals = [np.diff(each.arrivals) for each in turns if each.frames > 2]
    return {
        'latency': ' / '.join(f'{value:.1f}' for value in percentiles) or 'none',
        'hertz': round(median([each.hertz for each in turns]), 2),
        'jitter': round(1e3 * median([float(each.std()) for each in intervals]), 2)
        if intervals else '',
        'cpu': round(1e3 * median([each.cpu for each in turns]), 2),
        'faults': round(median([each.faults for each in turns]), 1),
        'frames': f'{sum(each.frames for each in turns)} of {sum(each.sent for each in turns)}',
        'drops': ', '.join(f'{count} {reason}' for reason, count in drops.items() if count)
        or 'none',
        'megabytes': round(max(each.memory for each in turns) / 1e6)}
