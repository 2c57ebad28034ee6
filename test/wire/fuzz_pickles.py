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
Damaged pickles by the hundred thousand, read at once and step by step, without hypothesis.

``python test/wire/fuzz_pickles.py INPUTS SEED``: the edits of test_pickled_fuzz.py at random,
which is quicker by far and looks for nothing; docs/wire-format.md has the result of a long run.
"""

from __future__ import annotations

from collections import Counter
import random
import sys
import time

from test_pickled_fuzz import check, edited, exchanged, SEED_OPCODES, SEEDS
from wire_parts import one_by_one

EDITS = ('replace', 'insert', 'delete', 'repeat', 'graft')

EXCHANGES = ('replace', 'insert', 'delete', 'repeat', 'swap', 'graft')


def damaged(chance: random.Random) -> bytes:
    """Return a request with bytes edited or opcodes exchanged."""
    if chance.random() < 0.5:
        data = chance.choice(SEEDS)
        body = data[2:]
        for _ in range(chance.randint(1, 4)):
            body = edited(body, (
                chance.choice(EDITS), chance.random(), chance.randint(1, 24),
                chance.randbytes(chance.randint(1, 6)), chance.choice(SEEDS)))
        return data[:2] + body
    opcodes = chance.choice(SEED_OPCODES)
    for _ in range(chance.randint(1, 4)):
        opcodes = exchanged(opcodes, (
            chance.choice(EXCHANGES), chance.random(), chance.random(),
            chance.choice(SEED_OPCODES), chance.randint(1, 6)))
    return b'\x80' + bytes([chance.choice((4, 5))]) + b''.join(opcodes) + b'.'


def main(inputs: int, seed: int) -> None:
    """Read so many inputs and say what became of them."""
    chance, seen, start = random.Random(seed), Counter[str](), time.monotonic()
    for _ in range(inputs):
        data = damaged(chance)
        check(data)
        expected = one_by_one(data)
        seen['refused' if isinstance(expected[0], type) and issubclass(expected[0], Exception)
             else 'read'] += 1
    print(f'{inputs} inputs in {time.monotonic() - start:.0f} s, no difference: {dict(seen)}')


if __name__ == '__main__':
    main(*map(int, sys.argv[1:]))
