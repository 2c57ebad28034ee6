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

"""Hostile pickles, by name: none may be read, none may cost much."""

from __future__ import annotations

from collections import OrderedDict
import datetime
import decimal
import os
import pathlib
import pickle
import pickletools
import struct
import subprocess
from typing import Any, Callable

from depth_anything_ros.wire.pickle_machine import STEPS
import numpy as np

P4 = b'\x80\x04'
ARRAY = b'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R'
FLOATS = b'cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R(K\x03X\x01\x00\x00\x00<NNNJ' \
    b'\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb'
IMAGE = b'cPIL.Image\nImage\n)\x81'


class Calls:
    """Asks the reader to call something, as the classic attack does."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def text(value: str) -> bytes:
    data = value.encode()
    return b'X' + struct.pack('<I', len(data)) + data


def number(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, 'little', signed=True)
    return b'\x8a' + bytes([len(data)]) + data


def array(shape: bytes, data: bytes = b'C\x00', kind: bytes = FLOATS) -> bytes:
    """Return an array whose state has the shape that these opcodes push."""
    return ARRAY + b'(K\x01' + shape + kind + b'\x89' + data + b'tb'


def pil(mode: str, width: int, height: int, data: bytes, palette: bytes = b'N') -> bytes:
    return IMAGE + b'](}' + text(mode) + number(width) + number(height) + b'\x86' + palette \
        + data + b'eb'


def code_calls(touched: str) -> dict[str, bytes]:
    """Return pickles that create the file ``touched`` when somebody unpickles them."""
    command = f'touch {touched}'
    objects = {
        'os.system': Calls(os.system, (command,)),
        'subprocess': Calls(subprocess.call, (['touch', touched],)),
        'eval': Calls(eval, (f'open({touched!r}, "w")',)),
        'exec': Calls(exec, (f'open({touched!r}, "w")',)),
        'open': Calls(open, (touched, 'w')),
        'getattr': Calls(getattr, ('', 'join')),
        'numpy load': Calls(np.load, (touched,)),
        'numpy fromfile': Calls(np.fromfile, (touched,)),
    }
    made = {f'{name} p{protocol}': pickle.dumps({'image': value}, protocol)
            for name, value in objects.items() for protocol in range(2, 6)}
    arguments = text(command)
    made.update({
        'bare reduce': P4 + b'cos\nsystem\n' + arguments + b'\x85R.',
        'stack global': P4 + b'\x8c\x02os\x8c\x06system\x93' + arguments + b'\x85R.',
        'inst': P4 + b'(' + arguments + b'ios\nsystem\n.',
        'obj': P4 + b'(cos\nsystem\n' + arguments + b'o.',
        'newobj': P4 + b'cos\nsystem\n' + arguments + b'\x85\x81.',
        'newobj_ex': P4 + b'cos\nsystem\n' + arguments + b'\x85}\x92.',
        'reduce of an accepted name': P4 + b'cnumpy\nndarray\n' + arguments + b'\x85R.',
        'hidden in metadata': P4 + IMAGE + b'](}(' + text('dpi') + b'cos\nsystem\n' + arguments
        + b'\x85Ru' + text('L') + b'K\x01K\x01\x86NC\x01aeb.',
        'dotted name': P4 + b'\x8c\x05numpy\x8c\x0ecore.os.system\x93' + arguments + b'\x85R.',
        'build with attributes': P4 + b'cPIL.Image\nImage\n)\x81}' + text('__class__') + b'Nsb.',
        'build with a setter': P4 + b'}(' + text('__setstate__') + b'cos\nsystem\nub'
        + arguments + b'b.',
        'build of a name': P4 + b'cnumpy\ndtype\n}b.',
    })
    return made


def refused_opcodes() -> dict[str, bytes]:
    """Return one pickle per opcode that is not accepted, with plenty on the stack for it."""
    before = P4 + b'cnumpy\nndarray\n(}(]K\x01K\x02'
    return {f'opcode {opcode.name}': before + opcode.code.encode('latin1') + b'\x01' * 8 + b'\n\n.'
            for opcode in pickletools.opcodes
            if ord(opcode.code) not in STEPS and opcode.name != 'STOP'}


def other_objects() -> dict[str, bytes]:
    """Return ordinary objects that a request has no use for."""
    values: dict[str, Any] = {
        'object array': np.array([{}, 1], object),
        'structured array': np.zeros(2, [('a', 'f4'), ('b', 'u1')]),
        'subarray type': np.zeros(2, 'V12'),
        'complex array': np.zeros(2, complex),
        'long double': np.zeros(2, np.longdouble),
        'text array': np.array(['a']),
        'bytes array': np.array([b'a']),
        'dates': np.array(['2026-01-01'], 'datetime64[D]'),
        'record array': np.zeros(2, [('a', 'f4')]).view(np.recarray),
        'masked array': np.ma.zeros(2),
        'type': np.dtype('f4'),
        'five dimensions': np.zeros((1,) * 5),
        'set': {1}, 'frozen set': frozenset({1}), 'complex': 1j,
        'ordered dict': OrderedDict(a=1), 'path': pathlib.PurePosixPath('a'),
        'date': datetime.date(2026, 1, 1), 'decimal': decimal.Decimal(1),
        'class': dict, 'function': len, 'slice': slice(1), 'range': range(3),
        'tuple key': {(1, 2): 3}, 'float key': {1.5: 1}, 'None key': {None: 1},
        'bool key': {True: 1}, 'large key': {2**40: 1},
        'large int': 2**200, 'surrogate': '\ud800',
    }
    return {f'{name} p{protocol}': pickle.dumps(value, protocol)
            for name, value in values.items() for protocol in range(2, 6)}


def wrong_arrays() -> dict[str, bytes]:
    """Return arrays, scalars and images whose parts do not fit together."""
    huge = number(2**40)
    encode = b'c_codecs\nencode\n'
    bodies = {
        'huge shape': array(huge + huge + b'\x86'),
        'huge shape of nothing': array(b'K\x00' + number(2**31 - 1) * 2 + b'\x87'),
        'overflowing shape': array(number(2**31 - 1) * 3 + b'\x87', b'C\x04abcd'),
        'negative shape': array(number(-1) + b'\x85', b'C\x04abcd'),
        'two negative sides': array(number(-1) * 2 + b'\x86', b'C\x04abcd'),
        'shape of floats': array(b'G' + struct.pack('>d', 1) + b'\x85', b'C\x04abcd'),
        'shape of bools': array(b'\x88\x85', b'C\x04abcd'),
        'shape of text': array(text('1'), b'C\x04abcd'),
        'short data': array(b'K\x02\x85', b'C\x04abcd'),
        'long data': array(b'K\x01\x85', b'C\x05abcde'),
        'data is text': array(b'K\x01\x85', text('abcd')),
        'data is a list': array(b'K\x01\x85', b'](K\x01e'),
        'data is an array': array(b'K\x01\x85', array(b'K\x01\x85', b'C\x04abcd')),
        'type is text': array(b'K\x01\x85', b'C\x04abcd', text('f4')),
        'type is a name': array(b'K\x01\x85', b'C\x04abcd', b'cnumpy\ndtype\n'),
        'no type state': array(b'K\x01\x85', b'C\x04abcd', FLOATS[:FLOATS.index(b'(')]),
        'type of fields': array(b'K\x01\x85', b'C\x04abcd', FLOATS.replace(b'f4', b'O8')),
        'type of a long text': array(
            b'K\x01\x85', b'C\x04abcd', FLOATS.replace(text('f4'), text('f4,' * 50))),
        'array state of another version': array(b'K\x01\x85', b'C\x04abcd').replace(
            b'(K\x01', b'(K\x02', 1),
        'type state of another version': array(
            b'K\x01\x85', b'C\x04abcd', FLOATS.replace(b'K\x03', b'K\x04')),
        'type with fields': array(
            b'K\x01\x85', b'C\x04abcd', FLOATS.replace(b'NNN', b'N}N')),
        'unknown byte order': array(
            b'K\x01\x85', b'C\x04abcd', FLOATS.replace(text('<'), text('!'))),
        'reconstruct a shape': ARRAY.replace(b'K\x00\x85', huge + b'\x85') + b'N' + b'b',
        'reconstruct another class': ARRAY.replace(b'numpy\nndarray', b'numpy\ndtype') + b'Nb',
        'call of ndarray': b'cnumpy\nndarray\n' + huge + b'\x85R',
        'call of bytearray': b'cbuiltins\nbytearray\n' + huge + b'\x85R',
        'arrays as arguments': b'cnumpy\ndtype\n' + array(b'K\x02\x85', b'C\x08abcdefgh') * 3
        + b'\x87R',
        'arrays as state': ARRAY + b'(' + array(b'K\x02\x85', b'C\x08abcdefgh') * 5 + b'tb',
        'arrays as type state': FLOATS[:FLOATS.index(b'(')] + b'('
        + array(b'K\x02\x85', b'C\x08abcdefgh') * 8 + b'tb',
        'array as order': b'cnumpy.core.numeric\n_frombuffer\n(C\x04abcd' + FLOATS + b'K\x01\x85'
        + array(b'K\x02\x85', b'C\x08abcdefgh') + b'tR',
        'axes that do not fit': b'cnumpy._core.numeric\n_frombuffer\n(C\x04abcd' + FLOATS
        + b'K\x01\x85' + text('K') + b'K\x01\x85tR',
        'scalar of two': b'cnumpy.core.multiarray\nscalar\n' + FLOATS + b'C\x08abcdefgh\x86R',
        'array without contents': ARRAY,
        'array without contents in a list': b'](' + ARRAY + b'e',
        'array without contents as a value': b'}(' + text('a') + ARRAY + b'u',
        'array without contents in a tuple': ARRAY + b'\x85',
        'array without contents, recalled': ARRAY + b'\x940](h\x00e',
        'array as its own contents': ARRAY + b'\x94h\x00b',
        'name as a value': b'cnumpy\nndarray\n',
        'name in a dict': b'}(' + text('a') + b'cnumpy\nndarray\nu',
        'arguments in a list': b'](cnumpy\nndarray\n\x85e',
        'arguments in a tuple': b'cnumpy\nndarray\n\x85K\x01\x86',
        'encode to another code': encode + text('a') + text('utf_16') + b'\x86R',
        'encode to a codec that runs': encode + text('a') + text('zlib_codec') + b'\x86R',
        'encode a number': encode + b'K\x05' + text('latin1') + b'\x86R',
        'encode again and again': b'(' + encode + b'\x94' + text('x' * 2000) + b'\x94'
        + text('latin1') + b'\x86\x94R' + b'h\x00h\x02R' * 5 + b't',
        'image of no size': pil('L', 0, 1, b'C\x00'),
        'image of negative size': pil('L', -1, -4, b'C\x04abcd'),
        'image too large': pil('L', 2**20, 2**20, b'C\x04abcd'),
        'type of one argument': b'cnumpy\ndtype\n' + text('f4') + b'\x85R',
        'buffer of no order': b'cnumpy.core.numeric\n_frombuffer\n(C\x04abcd' + FLOATS
        + b'K\x01\x85tR',
        'scalar of one argument': b'cnumpy.core.multiarray\nscalar\n' + FLOATS + b'\x85R',
        'new without a tuple': b'cPIL.Image\nImage\n}\x81}b',
        'image of short data': pil('RGB', 2, 2, b'C\x04abcd'),
        'image of an unknown mode': pil('I;16', 1, 1, b'C\x02ab'),
        'image with a bad palette': pil('P', 1, 1, b'C\x01a', b'](K\x01M\x00\x01K\x01e'),
        'image with a long palette': pil('P', 1, 1, b'C\x01a', b'](' + b'K\x01' * 771 + b'e'),
        'image without data': IMAGE + b'](}' + text('L') + b'K\x01K\x01\x86NNeb',
        'image of a dict': IMAGE + b'}b',
        'image of an array': IMAGE + array(b'K\x01\x85', b'C\x04abcd') + b'b',
        'image without contents': IMAGE,
        'fraction of text': b'cfractions\nFraction\n' + text('1' * 5000) + b'\x85R',
        'fraction of floats': b'cfractions\nFraction\n' + b'G' + b'\x00' * 8 + b'\x85R',
        'rational of text': b'cPIL.TiffImagePlugin\nIFDRational\n)\x81](' + text('a') * 3 + b'eb',
        'png text of bytes': b'cPIL.PngImagePlugin\niTXt\nC\x00\x85\x81}b',
        'another Pillow name': b'cPIL.ImageFile\nImageFile\n)\x81',
        'a Pillow function': b'cPIL.Image\nopen\n' + text('photo.png') + b'\x85R',
        'a deeper Pillow name': b'cPIL.PngImagePlugin\nPngImageFile.open\n)\x81',
    }
    return {name: P4 + body + b'.' for name, body in bodies.items()}


def wrong_streams() -> dict[str, bytes]:
    """Return opcodes that end too early, claim too much or leave the stack in disorder."""
    longest = b'\xff' * 8
    return {
        'empty': b'', 'one byte': b'\x80', 'no pickle': b'GET / HTTP/1.1\r\n\r\n',
        'protocol 0': pickle.dumps({'command': 'ping'}, 0),
        'protocol 1': pickle.dumps({'command': 'ping'}, 1),
        'protocol 6': b'\x80\x06N.', 'protocol 255': b'\x80\xffN.',
        'nothing but a stop': P4 + b'.', 'no stop': P4 + b'N',
        'two values': P4 + b'NN.', 'mark left': P4 + b'N(.', 'mark below': P4 + b'(N.',
        'value below a mark': P4 + b'N(N.',
        'bytes after the stop': P4 + b'N.N', 'second protocol': P4 + P4 + b'N.',
        'bytes beyond the end': P4 + b'B\xff\xff\xff\xffabc.',
        'long bytes beyond the end': P4 + b'\x8e' + longest + b'abc.',
        'bytearray beyond the end': P4 + b'\x96' + longest + b'abc.',
        'text beyond the end': P4 + b'X\xff\xff\xff\xffabc.',
        'long text beyond the end': P4 + b'\x8d' + longest + b'abc.',
        'frame beyond the end': P4 + b'\x95' + longest + b'N.',
        'int beyond the end': P4 + b'\x8a\x08ab.', 'int of 255 bytes': P4 + b'\x8a\xff'
        + b'\x01' * 255 + b'.',
        'negative long': P4 + b'\x8b\xff\xff\xff\xffN.',
        'broken text': P4 + b'X\x02\x00\x00\x00\xff\xfe.',
        'name that does not end': P4 + b'cnumpy' + b'a' * 300,
        'name of one line': P4 + b'cnumpy\n', 'name of no letters': P4 + b'c\n\n.',
        'name of strange bytes': P4 + b'c\xff\xfe\n\x00\x01\n.',
        'long name from the stack': P4 + text('a' * 5000) + text('b') + b'\x93.',
        'name of numbers': P4 + b'K\x01K\x02\x93.', 'recall of nothing': P4 + b'h\x07.',
        'recall of nothing far away': P4 + b'j\xff\xff\xff\xff.',
        'append to nothing': P4 + b'(K\x01e.', 'append to a dict': P4 + b'}(K\x01e.',
        'append to an array': P4 + array(b'K\x01\x85', b'C\x04abcd') + b'(K\x01e.',
        'append to a tuple': P4 + b')(K\x01e.', 'items of a list': P4 + b'](K\x01K\x02u.',
        'key without a value': P4 + b'}(K\x01u.', 'store nothing': P4 + b'q\x00.',
        'tuple of nothing': P4 + b'\x87.', 'tuple without a mark': P4 + b't.',
        'tuple through a mark': P4 + b'N(N\x86.',
    }


def bombs() -> dict[str, bytes]:
    """Return small messages that stand for very much."""
    doubling = b''.join(b'\x94h' + bytes([level]) + b'\x86' for level in range(100))
    lists = b''.join(b'](' + (b'h' + bytes([level - 1])) * 20 + b'e\x94' if level else b']\x94'
                     for level in range(12))
    dicts = b''.join(
        b'}(' + b''.join(b'K' + bytes([key]) + b'h' + bytes([level - 1]) for key in range(20))
        + b'u\x94' if level else b'}\x94' for level in range(12))
    tall = [b'\x85' * 100, b'\x85' * 4000]
    return {
        'tuples of tuples': P4 + b'N' + doubling + b'.',
        'tuples of tuples as a key': P4 + b'}N' + doubling + b'K\x01s.',
        'lists of lists': P4 + b'(' + lists + b't.',
        'dicts of dicts': P4 + b'(' + dicts + b't.',
        'deep tuple': P4 + b'N' + tall[0] + b'.', 'deeper tuple': P4 + b'N' + tall[1] + b'.',
        'deep list': P4 + b']' * 1000 + b'a' * 999 + b'.',
        'deep dict': P4 + (b'}' + text('a')) * 500 + b'}' + b's' * 500 + b'.',
        'list in itself': P4 + b']\x94h\x00a.', 'list in itself, batched': P4 + b']\x94(h\x00e.',
        'dict in itself': P4 + b'}\x94' + text('a') + b'h\x00s.',
        'list in its tuple': P4 + b']\x94(h\x00\x85e.',
        'list in its list': P4 + b']\x94]\x94h\x00ah\x00h\x01a.',
        'list in its dict': P4 + b']\x94}\x94' + text('a') + b'h\x00sh\x00h\x01a\x86.',
        'many operations': P4 + b'](' + b'N' * 100_000 + b'e.',
        'many marks': P4 + b'(' * 100_000 + b'.',
        'many memos': P4 + b'N' + b'\x94' * 100_000 + b'.',
        'many far memos': P4 + b'N' + b''.join(
            b'r' + struct.pack('<I', 2**32 - 1 - key) for key in range(20_000)) + b'.',
        'many keys': P4 + b'}(' + b''.join(
            b'M' + struct.pack('<H', key) + b'N' for key in range(2_000)) + b'u.',
        'much text': P4 + b'](' + text('x' * 60_000) * 30 + b'e.',
        'long text': P4 + text('x' * 2_000_000) + b'.',
        'wide text': P4 + b'c_codecs\nencode\n' + text('x' * 2_000_000 + '\U0001f916')
        + text('latin1') + b'\x86R.',
        'memo of a waiting array': P4 + ARRAY + b'\x94' * 2_000
        + b'(K\x01K\x01\x85' + FLOATS + b'\x89C\x04abcdtr\xff\xff\xff\x00b'
        + b'h\x01j\xff\xff\xff\x00b' * 1_000 + b'.',
    }


Corpus = Callable[[], dict[str, bytes]]

CORPORA: tuple[Corpus, ...] = (refused_opcodes, other_objects, wrong_arrays, wrong_streams, bombs)


def corpus() -> dict[str, bytes]:
    """Return all hostile pickles that need no file."""
    return {name: data for part in CORPORA for name, data in part().items()}
