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

"""What the demo measured: one mapping of numbers, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from depth_anything_ros.cli.demo_plan import Plan, stated_accuracy
from depth_anything_ros.ros.demo_listener import NodeReport, Observed
import numpy as np

DROPS = {
    'idle': 'nobody listened', 'replaced': 'a newer image came first',
    'no_camera_info': 'no focal length', 'invalid': 'not accepted', 'failed': 'the model failed',
    'inactive': 'the node was not active', 'waiting': 'still on their way'}
"""The node's own counters, in words."""

WORST = 2.0
"""Error of the demo, as a multiple of the stated one, that is no chance of viewpoints any more."""


def rate_of(times: list[float]) -> float:
    """Return events per second of sorted times in seconds, 0 for fewer than two."""
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def summarise(plan: Plan, observed: Observed, report: NodeReport) -> dict[str, Any]:
    """
    Return everything that was measured.

    :param plan: what was to be done.
    :param observed: what the listener saw.
    :param report: the node's last diagnostics.
    """
    sent_at = [stamp / 1e9 for stamp in observed.stamps['image']]
    latency = np.percentile(observed.latencies, (50, 95)) if observed.latencies else (0.0, 0.0)
    values = report.values
    summary: dict[str, Any] = {
        'source': plan.title, 'frames': {
            'sent': plan.frames, 'received': report.count('received'),
            'published': report.count('published'),
            'dropped': {name: report.count(name) for name in DROPS if report.count(name)}},
        'messages': {name: len(stamps) for name, stamps in observed.stamps.items()},
        'rate_hz': {'camera': rate_of(sent_at), 'depth': rate_of(observed.arrivals)},
        'latency_ms': {'p50': 1e3 * float(latency[0]), 'p95': 1e3 * float(latency[1])},
        'model': {'name': values.get('model', ''), 'device': values.get('device', ''),
                  'precision': values.get('precision', ''),
                  'licence': values.get('licence', ''),
                  'scale_law': values.get('scale law', '')},
        'accuracy': None, 'stated': stated_accuracy(plan.model),
        'notes': [*plan.notes, *(text for name, text in sorted(values.items())
                                 if name.startswith('warning ') and plan.truth)]}
    if observed.accuracies:
        rows = [asdict(item) for item in observed.accuracies]
        summary['accuracy'] = {
            name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    summary['problems'] = problems(plan, summary, report)
    return summary


def problems(plan: Plan, summary: dict[str, Any], report: NodeReport) -> list[str]:
    """Return what is not as it must be; empty for a demo that went well."""
    frames, found = summary['frames'], []
    dropped = frames['dropped']
    if not frames['published']:
        found.append(f'no depth came out: {report.message}')
    if frames['received'] != frames['published'] + sum(dropped.values()):
        found.append("the node's counters do not add up")
    for name in ('no_camera_info', 'invalid', 'failed'):
        if dropped.get(name):
            found.append(f'{dropped[name]} images: {DROPS[name]} '
                         f'({report.values.get("last error", "")})')
    if frames['received'] < frames['sent'] / 2:
        found.append(f'only {frames["received"]} of {frames["sent"]} images reached the node')
    known = summary['stated'].get('known_rooms')
    if known and summary['accuracy'] and plan.truth and not plan.relative \
            and summary['accuracy']['abs_rel'] > WORST * known['abs_rel']:
        found.append('the error is far above what the model card states')
    return found


def table(plan: Plan, summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rows for people: a name and a text each."""
    frames, rate, model = summary['frames'], summary['rate_hz'], summary['model']
    dropped = frames['dropped']
    why = ', '.join(f'{count} {DROPS[name]}' for name, count in dropped.items())
    rows = [
        ('frames', f'{frames["sent"]} sent, {frames["received"]} in, {frames["published"]} out, '
                   f'{sum(dropped.values())} dropped{f" ({why})" if why else ""}'),
        ('messages', ', '.join(
            f'{count} {name}' for name, count in summary['messages'].items())),
        ('rate', f'{rate["camera"]:.1f} Hz camera, {rate["depth"]:.1f} Hz depth'),
        ('latency', f'p50 {summary["latency_ms"]["p50"]:.0f} ms, '
                    f'p95 {summary["latency_ms"]["p95"]:.0f} ms '
                    '(stamp of the image to depth received)'),
        ('model', f'{model["name"]} on {model["device"]}, {model["precision"]}; weights '
                  f'{model["licence"]}'),
        ('scale law', model['scale_law'])]
    rows += accuracy_rows(plan, summary)
    return rows + [('note', text) for text in summary['notes']]


def accuracy_rows(plan: Plan, summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what the errors are, and what the model card says they are."""
    measured, rows = summary['accuracy'], []
    if plan.relative:
        rows.append(('unit', "none: this model's depth is relative, so there is no cloud"))
        if measured:
            rows.append(('error', f'AbsRel {measured["aligned_abs_rel"]:.3f} after scaling every '
                                  'image to the true median'))
    elif measured:
        rows.append(('error', f'AbsRel {measured["abs_rel"]:.3f}, delta1 '
                              f'{measured["delta1"]:.3f} in metres, nothing aligned, '
                              f'{100 * measured["valid"]:.1f} % of the pixels'))
    if measured:
        for key, text in (('known_rooms', 'views of these rooms'),
                          ('unknown_rooms', 'views of rooms it never saw')):
            stated = summary['stated'].get(key)
            if stated:
                rows.append(('model card', f'AbsRel {stated["abs_rel"]:.3f}, delta1 '
                                           f'{stated["delta1"]:.3f} on {text}'))
    return rows


def text_of(rows: list[tuple[str, str]]) -> str:
    """Return the rows as lines with aligned columns; a repeated name is written once."""
    width = max(len(name) for name, _ in rows)
    lines, last = [], ''
    for name, text in rows:
        lines.append(f'  {"" if name == last else name:<{width}}  {text}')
        last = name
    return '\n'.join(lines)
