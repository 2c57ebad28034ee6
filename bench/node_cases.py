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
Our node beside one of the usual way in every case: rates, sizes, encodings and networks.

``python -m bench.node_cases``, ``--only 'da3-tiny.*jpeg'`` for some. Two rows a case: the first
one's columns are ours, the second one's those of the usual way.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import groupby
import os
import re
from typing import Sequence

from bench import report
from bench.node_engines import Network, NETWORKS, SEED
from bench.node_turns import (
    Bench,
    COLUMNS,
    details,
    EXPLAINED,
    FULL_HD,
    Size,
    Turn,
    VGA,
)
from bench.pairs import Spread, spread
import numpy as np

LONGEST = 20.0
"""Seconds of the one turn of a network that takes seconds on a CPU."""


@dataclass(frozen=True)
class Case:
    """What is sent, and to which network."""

    network: Network
    encoding: str
    size: Size
    hertz: int

    @property
    def name(self) -> str:
        """Return the case in words."""
        return (f'{self.network.name}, {self.size[0]}x{self.size[1]} {self.encoding}, '
                f'{self.hertz} Hz')


CASES = tuple(Case(network, encoding, size, hertz) for network in NETWORKS
              for encoding in ('rgb8', 'jpeg') for size in (VGA, FULL_HD) for hertz in (30, 60))


def chosen(pattern: str) -> list[Case]:
    """
    Return the cases whose name has a match; all of an empty pattern.

    :raises SystemExit: when there is none.
    """
    found = [case for case in CASES if re.search(pattern, case.name)]
    if not found:
        raise SystemExit(f'no case matches {pattern!r}; there are:\n'
                         + '\n'.join(case.name for case in CASES))
    return found


def ratios(pairs: Sequence[tuple[Turn, Turn]], of: str) -> Spread | float:
    """Return ours / usual way, of those rounds in which both brought frames."""
    found = []
    for ours, usual in pairs:
        if ours.frames and usual.frames:
            one, two = (float(np.median(each.latency)) if of == 'latency' else each.cpu
                        for each in (ours, usual))
            found.append(one / two)
    return spread(found) if found else float('nan')


def measure(cases: Sequence[Case], rounds: int, seconds: float) -> list[report.Row]:
    """Return the rows of cases; those of one network and encoding follow each other."""
    rows, bench = [], Bench()
    try:
        for (network, encoding), group in groupby(
                cases, lambda case: (case.network, case.encoding)):
            bench.start(network, encoding)
            slow = network.model == 'da3-small'
            for case in group:
                pairs = list(bench.turns(
                    1 if slow else rounds, case.hertz, LONGEST if slow else seconds, case.size,
                    encoding, network.topics))
                for of, turns in zip(('latency', 'CPU'), zip(*pairs)):
                    rows.append(report.row(
                        f'{case.name}: {of}, ours / usual way', ratios(pairs, of),
                        **details(turns)))
    finally:
        bench.close()
    return rows


def record(cases: Sequence[Case], rounds: int, seconds: float) -> None:
    """Measure cases and write the result."""
    report.save(
        'node_cases', 'ratio', measure(cases, rounds, seconds), columns=COLUMNS, rounds=rounds,
        seconds=seconds, notes=[
            'Of two rows the first shows ours in its columns, the second the usual way. '
            f'da3-small has random weights (seed {SEED}): its depth means nothing, its time is '
            f'that of the real ones; it has one round of {LONGEST:g} s and no cloud, as its '
            "depth has no unit. The usual way runs upstream's network in its callback. "
            + EXPLAINED])


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=2)
    parser.add_argument('--seconds', type=float, default=3.0, help='of a turn')
    parser.add_argument('--only', metavar='PATTERN', default='')
    arguments = parser.parse_args()
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    record(chosen(arguments.only), arguments.rounds, arguments.seconds)


if __name__ == '__main__':
    main()
