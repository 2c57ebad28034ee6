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
Results of benchmarks: JSON files that are committed, and the tables of docs/performance.md.

A result says on which machine, with which versions and at which commit it was taken, how busy the
machine was, and what a reader must know. ``docs/generate.py`` writes the tables.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from importlib import metadata
import json
import os
from pathlib import Path
import platform
import subprocess
from typing import Any, Mapping, Sequence

from bench.pairs import ratio, Sample, seconds, Spread

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / 'bench' / 'results'
PACKAGES = (
    'depth-anything-3', 'fastapi', 'httpx', 'numpy', 'onnxruntime', 'opencv-python-headless',
    'pyzmq', 'rclpy', 'ros-rmw-fastrtps-cpp', 'torch', 'uvicorn', 'websockets')

Row = dict[str, Any]


def bar(kind: str, limit: float) -> Row:
    """
    Return the limit that a row has to hold.

    :param kind: ``at most`` or ``at least``.
    :param limit: the limit of the row's ``ratio``.
    """
    assert kind in ('at most', 'at least')
    return {'kind': kind, 'limit': limit}


def compared(
    samples: Mapping[str, Sequence[Sample]], of: str, to: str, limit: Row | None = None,
    **more: Any,
) -> Row:
    """
    Return the row that compares two ways.

    :param samples: of :func:`bench.pairs.interleave`.
    :param of: the way that is measured.
    :param to: the way that it is measured against.
    :param limit: what :func:`bar` returns, None where nothing is promised.
    :param more: further values of the row.
    """
    return row(f'{of} / {to}', ratio(samples, of, to), limit,
               milliseconds=_milliseconds(seconds(samples[of])),
               against_milliseconds=_milliseconds(seconds(samples[to])), **more)


def row(what: str, value: Spread | float, limit: Row | None = None, **more: Any) -> Row:
    """
    Return a row.

    :param what: what was measured, in words.
    :param value: the number that counts, mostly a ratio.
    :param limit: what :func:`bar` returns.
    :param more: further values of the row.
    """
    spread = asdict(value) if isinstance(value, Spread) else {'median': value}
    # numpy's numbers are not JSON's.
    spread = {key: value if isinstance(value, int) else float(value)
              for key, value in spread.items()}
    held = None
    if limit is not None:
        least = limit['kind'] == 'at least'
        held = spread['median'] >= limit['limit'] if least else spread['median'] <= limit['limit']
    return {'what': what, 'value': spread, 'bar': limit, 'holds': held, **more}


def save(
    name: str, title: str, rows: Sequence[Row], *, notes: Sequence[str] = (),
    columns: Mapping[str, str] | None = None, folder: Path = RESULTS, **conditions: Any,
) -> Path:
    """
    Write ``NAME.json`` and print its table.

    :param name: name of the benchmark, as in ``python -m bench.NAME``.
    :param title: what the value of a row is, such as ``time, x memcpy``.
    :param rows: what :func:`compared` and :func:`row` return.
    :param notes: sentences that a reader needs.
    :param columns: further keys of the rows that the table shows, and their headings.
    :param folder: where to.
    :param conditions: what was set: sizes, rounds, models.
    :returns: the file.
    """
    result = {
        'benchmark': name, 'title': title, 'taken': taken(), 'conditions': conditions,
        'columns': dict(columns or {}), 'rows': list(rows), 'notes': list(notes)}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{name}.json'
    path.write_text(json.dumps(result, indent=1, sort_keys=True) + '\n', encoding='utf-8')
    print(table(result))
    return path


def taken() -> Row:
    """Return when, where and with what a result is taken."""
    return {
        'at': datetime.now(timezone.utc).isoformat(timespec='seconds'), 'commit': _commit(),
        'load': round(os.getloadavg()[0], 1), 'machine': _machine(), 'versions': _versions()}


def load(name: str, folder: Path = RESULTS) -> Row:
    """Return a committed result."""
    found: Row = json.loads((folder / f'{name}.json').read_text(encoding='utf-8'))
    return found


def names(folder: Path = RESULTS) -> list[str]:
    """Return the benchmarks that have a committed result."""
    return sorted(path.stem for path in folder.glob('*.json'))


def table(result: Row) -> str:
    """Return a result as markdown."""
    extra = result['columns']
    header = ['what', result['title'], 'middle half', 'bar', *extra.values()]
    lines = [header, ['---'] * len(header)]
    for each in result['rows']:
        value = each['value']
        half = ''
        if 'low' in value:
            half = f'{number(value["low"])} to {number(value["high"])}'
        lines.append([
            each['what'], number(value['median']), half, _bar_text(each),
            *(number(each.get(key, '')) for key in extra)])
    text = '\n'.join(f'| {" | ".join(line)} |' for line in lines)
    return '\n\n'.join([text, *result['notes'], _caption(result)])


def number(value: object) -> str:
    """Return a number with three digits that count; other values as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or abs(value) >= 1000:
        return f'{value:.0f}'
    return f'{value:#.3g}'.rstrip('.')


def _bar_text(each: Row) -> str:
    if each['bar'] is None:
        return ''
    said = f'{each["bar"]["kind"]} {each["bar"]["limit"]:g}'
    return f'{said}: {"held" if each["holds"] else "**missed**"}'


def _caption(result: Row) -> str:
    machine, taken_ = result['taken']['machine'], result['taken']
    versions = ', '.join(f'{key} {value}' for key, value in taken_['versions'].items())
    conditions = ', '.join(
        f'{key.replace("_", " ")} {value}' for key, value in result['conditions'].items())
    return (f'`python -m bench.{result["benchmark"]}` at {taken_["commit"]}, {taken_["at"][:10]}; '
            f'{machine["cpu"]}, {machine["cores"]} cores, {machine["accelerator"]}; load when it '
            f'ended {taken_["load"]}; {versions}'
            + (f'; {conditions}' if conditions else '') + '.')


def _milliseconds(value: Spread) -> float:
    return round(1e3 * value.median, 4)


def _machine() -> Row:
    cpu = platform.processor() or platform.machine()
    info = Path('/proc/cpuinfo')
    if info.is_file():
        for line in info.read_text(encoding='utf-8').splitlines():
            if line.startswith('model name'):
                cpu = line.partition(':')[2].strip()
                break
    return {'cpu': cpu, 'cores': len(os.sched_getaffinity(0)), 'system': platform.platform(),
            'accelerator': _accelerator()}


def _accelerator() -> str:
    try:
        import torch
    except ModuleNotFoundError:
        return 'no GPU'
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else 'no GPU'


def _versions() -> Row:
    found = {'Python': platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(['git', '-C', str(ROOT), *arguments], capture_output=True, text=True)
        return done.stdout.strip()
    dirty = git('status', '--porcelain', '--untracked-files=no', '--', 'depth_anything_ros',
                'bench/*.py')
    commit = git('rev-parse', '--short=10', 'HEAD') or 'no commit'
    return f'{commit} with changes' if dirty else commit
