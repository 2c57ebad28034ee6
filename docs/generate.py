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
Write the generated parts of the documents again: ``python docs/generate.py``.

A generated part lies between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``. The tests compare
every part with what the code says now.
"""

from __future__ import annotations

import json
from pathlib import Path
import sys
from typing import Callable, Iterable, Sequence

from depth_anything_ros.engine.models import Model, MODELS
from depth_anything_ros.ros.demo_settings import describe_demo_camera
from depth_anything_ros.settings import describe, Setting

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    'README.md', 'docs/capacity.md', 'docs/performance.md', 'docs/reconstruction.md',
    'docs/topics-parameters-services.md')
TINY_ACCURACY = ROOT / 'depth_anything_ros' / 'models' / 'da3-tiny' / 'accuracy.json'


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def accepted(item: Setting) -> str:
    """Return what a setting accepts."""
    if item.choices:
        return ', '.join(f'`{choice}`' for choice in item.choices)
    if item.low is not None and item.high is not None:
        return f'{item.low:g} to {item.high:g}{" " + item.unit if item.unit else ""}'
    return {bool: '`true`, `false`', str: 'text', tuple: 'list of text'}[type(item.default)]


def shown(value: object) -> str:
    """Return a default as a parameter file has it."""
    return f'`{json.dumps(value)}`'


def parameters(settings: Sequence[Setting]) -> str:
    """Return the table of a node's parameters."""
    rows = []
    for item in settings:
        text = item.text + (f' Environment: `{item.environment}`.' if item.environment else '')
        text += ' Also for one camera.' if item.per_camera else ''
        rows.append((f'`{item.name}`', shown(item.default), accepted(item),
                     'no' if item.read_only else 'yes', text))
    return markdown(('parameter', 'default', 'accepted', 'live', 'what it is'), rows)


def unit_of(model: Model) -> str:
    """Return what the depth of a model is, in words for the table."""
    return {'relative': 'relative, no unit', 'canonical': 'metres, needs the focal length',
            'metric': 'metres'}[model.kind.value]


def models() -> str:
    """Return the table of models."""
    rows = []
    for model in MODELS:
        adds = [text for text, has in (
            ('confidence', model.has_confidence), ('sky', model.has_sky),
            ('intrinsics', model.predicts_intrinsics)) if has]
        if model.note:
            adds.append(model.note)
        rows.append((f'`{model.name}`', unit_of(model), f'{model.parameters / 1e6:.0f} M',
                     model.licence, '; '.join(adds)))
    return markdown(('model', 'depth', 'parameters', 'licence of the weights', 'adds'), rows)


def tiny() -> str:
    """Return the stated accuracy of da3-tiny."""
    if not TINY_ACCURACY.is_file():
        return 'Not measured yet.'
    stated = json.loads(TINY_ACCURACY.read_text(encoding='utf-8'))
    rows = [(text, f'{stated[key]["abs_rel"]:.3f}', f'{stated[key]["delta1"]:.3f}')
            for key, text in (
                ('known_rooms', "unseen views of the demo's own eight rooms"),
                ('unknown_rooms', 'rooms that training never used'))]
    return markdown((f'{stated["viewpoints"]} views each, in metres, nothing aligned', 'AbsRel',
                     'delta1'), rows)


def benchmarks() -> dict[str, Callable[[], str]]:
    """Return the tables of the committed benchmark results."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from bench import report
    return {f'benchmark {name}': lambda name=name: report.table(report.load(name))
            for name in report.names()}


PARTS: dict[str, Callable[[], str]] = {
    # What is set before ROS starts is no ROS parameter.
    'parameters of depth_node': lambda: parameters(
        [item for item in describe() if not item.name.startswith('process.')]),
    'parameters of demo_camera': lambda: parameters(describe_demo_camera()),
    'models': models,
    'accuracy of da3-tiny': tiny,
    **benchmarks(),
}


def generated(text: str) -> str:
    """Return a document with every generated part as it must be now."""
    for name, part in PARTS.items():
        begin, end = f'<!-- begin {name} -->\n', f'<!-- end {name} -->'
        if begin in text:
            before, _, rest = text.partition(begin)
            text = f'{before}{begin}{part()}\n{end}{rest.split(end, 1)[1]}'
    return text


def main() -> None:
    """Write the documents."""
    for name in DOCUMENTS:
        path = ROOT / name
        path.write_text(generated(path.read_text(encoding='utf-8')), encoding='utf-8')


if __name__ == '__main__':
    main()
