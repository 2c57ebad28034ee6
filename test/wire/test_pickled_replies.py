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

"""Replies: fixed bytes, old numpy names only, and equal when a client loads them."""

from __future__ import annotations

from pathlib import Path
import pickle
import pickletools
import subprocess
import sys
from typing import Any

from depth_anything_ros.wire.pickled import pickle_parts, read, write
import numpy as np
import pytest
from wire_parts import GOLDEN, pickled_reply

PACKAGE = Path(__file__).parents[2] / 'depth_anything_ros'


def test_the_reply_is_the_committed_one_byte_for_byte() -> None:
    assert write(pickled_reply()) == (GOLDEN / 'reply.pkl').read_bytes()


def test_a_client_loads_the_reply_with_warnings_as_errors() -> None:
    script = Path(__file__).with_name('check_reply.py')
    ran = subprocess.run([sys.executable, '-W', 'error', str(script)], capture_output=True,
                         text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert f'numpy {np.__version__}' in ran.stdout


def test_only_names_that_every_numpy_knows_are_written() -> None:
    opcodes = list(pickletools.genops(write(pickled_reply())))
    names = {argument for opcode, argument, _ in opcodes if 'GLOBAL' in opcode.name}
    assert names == {'numpy.core.multiarray _reconstruct', 'numpy ndarray', 'numpy dtype'}
    assert max(opcode.proto for opcode, _, _ in opcodes) <= 4


def test_we_read_our_own_replies() -> None:
    reply: Any = read(write(pickled_reply()))
    np.testing.assert_array_equal(reply['depth'], pickled_reply()['depth'])
    assert reply['text'] == 'Größe \U0001f916'


def test_a_reply_of_builtins_needs_no_numpy() -> None:
    reply = {'status': 'success', 'data': {'depth': b'\x00' * 8, 'shape': [1, 2]}}
    data = write(reply)
    assert b'numpy' not in data and pickle.loads(data) == reply


def test_arrays_and_bytes_are_not_copied_into_the_parts() -> None:
    depth = np.zeros((20, 30), np.float32)
    blob = bytes(1000)
    parts = pickle_parts({'depth': depth, 'blob': blob})
    views = [part for part in parts if isinstance(part, memoryview)]
    assert any(np.shares_memory(np.frombuffer(view, np.uint8), depth) for view in views)
    assert any(view.obj is blob for view in views)


@pytest.mark.parametrize('layout', [
    lambda array: array[:, ::-1], np.asfortranarray, lambda array: array.astype('>f4'),
    lambda array: array[:0], lambda array: array[1, 2]])
def test_arrays_of_any_layout_load_equal(layout: Any) -> None:
    array = layout(np.arange(12, dtype=np.float32).reshape(3, 4))
    np.testing.assert_array_equal(pickle.loads(write(array)), array)


@pytest.mark.parametrize('value', [
    {1, 2}, object(), 1j, 2**64, np.array([{}]), np.zeros(1, 'M8[s]')])
def test_what_a_reply_cannot_hold_is_a_mistake_of_ours(value: Any) -> None:
    with pytest.raises(Exception, match='cannot'):
        write({'a': value})


def test_nothing_in_the_package_unpickles() -> None:
    for path in PACKAGE.rglob('*.py'):
        text = path.read_text()
        for word in ('pickle.loads', 'pickle.load(', 'Unpickler', 'recv_pyobj', 'import pickle\n',
                     'allow_pickle=True', 'marshal', 'from pickle import'):
            assert word not in text, f'{path.name}: {word}'
