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

import json
import mmap
from pathlib import Path
import time

from bench import report
from bench.pairs import interleave, ratio, Sample, seconds, spread
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_every_round_runs_every_way_and_no_way_always_goes_first():
    calls = []
    samples = interleave(
        {name: lambda name=name: calls.append(name) for name in 'abc'}, rounds=6, warm_up=1)
    rounds = [calls[start:start + 3] for start in range(0, len(calls), 3)]
    assert len(rounds) == 7
    assert all(sorted(each) == ['a', 'b', 'c'] for each in rounds)
    assert {each[0] for each in rounds[1:]} == {'a', 'b', 'c'}
    assert {name: len(found) for name, found in samples.items()} == {'a': 6, 'b': 6, 'c': 6}


def touched(size):
    """Return pages that are new to the process, however its malloc is tuned, each written to."""
    pages = mmap.mmap(-1, size)
    for start in range(0, size, mmap.PAGESIZE):
        pages[start] = 1
    return pages


def test_wall_clock_cpu_and_page_faults_are_of_the_call():
    held = []
    samples = interleave({
        'sleeps': lambda: time.sleep(0.03),
        'takes memory': lambda: held.append(touched(20 << 20))}, rounds=2, warm_up=0)
    assert all(each.seconds >= 0.03 and each.cpu < 0.03 for each in samples['sleeps'])
    assert sum(each.faults for each in samples['takes memory']) > 1000


def test_ratios_are_taken_round_by_round():
    # A machine that gets three times slower on the way changes nothing.
    samples = {'ours': [Sample(2.0), Sample(6.0), Sample(4.0)],
               'theirs': [Sample(4.0), Sample(12.0), Sample(8.0)]}
    assert ratio(samples, 'ours', 'theirs') == spread([0.5, 0.5, 0.5])
    assert seconds(samples['ours']).median == 4.0


@pytest.mark.parametrize('kind, limit, holds', [
    ('at most', 0.6, True), ('at most', 0.4, False),
    ('at least', 0.4, True), ('at least', 0.6, False)])
def test_a_missed_bar_is_said(tmp_path, capsys, kind, limit, holds):
    samples = {'ours': [Sample(1.0)] * 3, 'theirs': [Sample(2.0)] * 3}
    row = report.compared(samples, 'ours', 'theirs', report.bar(kind, limit), note='text')
    path = report.save('made_up', 'time', [row, report.row('count', 3)], folder=tmp_path,
                       notes=['A sentence.'], columns={'note': 'said'}, rounds=3)
    result = json.loads(path.read_text())
    assert result['rows'][0]['holds'] is holds
    assert report.names(tmp_path) == ['made_up'] and report.load('made_up', tmp_path) == result
    table = report.table(result)
    assert ('**missed**' in table) is not holds
    assert '| ours / theirs | 0.5 | 0.5 to 0.5 |' in table.replace('0.500', '0.5')
    assert '| count | 3 |' in table and 'A sentence.' in table
    assert '`python -m bench.made_up`' in table
    assert table in capsys.readouterr().out


def test_committed_results_say_where_they_come_from():
    for name in report.names():
        result = report.load(name)
        taken = result['taken']
        assert taken['machine']['cpu'] and taken['versions']['numpy'] and taken['commit'], name
        assert result['rows'] and all(row['value']['median'] is not None for row in result['rows'])
        assert (ROOT / 'bench' / f'{result["benchmark"]}.py').is_file(), name
