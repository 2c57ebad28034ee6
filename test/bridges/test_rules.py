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

"""Every rule of the wire specification that concerns ZMQ and raw TCP has a test of its name."""

import ast
from pathlib import Path
import re

import pytest

HERE = Path(__file__).parent
SPEC = HERE.parents[2] / 'shared' / 'spec' / 'wire-compatibility.md'

ZMQ = ('test_zeromq.py', 'test_zmq_views.py', 'test_zmq_limits.py', 'test_zmq_program.py')
TCP = ('test_tcp.py', 'test_tcp_program.py')
# Files in which a test is about both, with a case for each.
BOTH = ('test_common_rules.py', 'test_serve_program.py', 'test_access.py', 'test_encryption.py')

RULES = {
    **{f'g{number}': (ZMQ, TCP) for number in range(1, 7)},
    **{f'z{number}': (ZMQ,) for number in range(1, 14)}, 'z10_c': (ZMQ,),
    **{f't{number}': (TCP,) for number in range(1, 9)},
    **{f'p{number}': (ZMQ, TCP) for number in (1, 2, 3, 4, 5, 8)}}

ELSEWHERE = {'p6': 'pages in a browser', 'p7': 'HTML and session folders'}
"""Rules of these sections that are about other bridges."""

SECTIONS = ('1.0', '1.1', '1.4', '1.6')


def rules_of(name):
    """Return the rules in a test's name: ``test_t8_p3_a_length`` is of t8 and p3."""
    found, words = set(), name.split('_')[1:]
    for word, following in zip(words, [*words[1:], '']):
        if not re.fullmatch(r'[gztp][0-9]{1,2}', word):
            break
        found.add(word)
        if re.fullmatch('[a-c]', following) and word == 'z10':
            found.add(f'{word}_{following}')
    return found


def found_in_tests():
    """Return the rules that are tested, by file."""
    return {path.name: set().union(*(
        rules_of(node.name) for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith('test_')))
        for path in HERE.glob('test_*.py')}


@pytest.mark.parametrize('rule', RULES)
def test_a_rule_has_a_test_of_its_name(rule):
    found = found_in_tests()
    for files in RULES[rule]:
        assert any(rule in found.get(name, ()) for name in (*files, *BOTH)), \
            f'no test_{rule}_... in {", ".join((*files, *BOTH))}'


def test_the_rules_are_those_of_the_specification():
    if not SPEC.is_file():
        pytest.skip('the specification is not beside this checkout')
    section, found = '', set()
    for line in SPEC.read_text(encoding='utf-8').splitlines():
        heading = re.match(r'### ([0-9.]+)', line)
        if heading:
            section = heading[1]
        rule = re.match(r'- ([GZTP][0-9]+) ', line)
        if rule and section in SECTIONS:
            found.add(rule[1].lower())
    assert found == {rule for rule in RULES if '_' not in rule} | set(ELSEWHERE)


def test_names_are_read():
    assert rules_of('test_t8_p3_a_length_is_not_believed') == {'t8', 'p3'}
    assert rules_of('test_z10_c_posed_images') == {'z10', 'z10_c'}
    assert rules_of('test_busy_and_z1') == set()
