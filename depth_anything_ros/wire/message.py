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
Our own message: a JSON header and raw little-endian arrays, as parts or as one body.

docs/wire-format.md describes it byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import struct
from typing import Any, Mapping, Sequence

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.arrays import (
    Array,
    array_bytes,
    array_view,
    check_shape,
    check_size,
    DTYPES,
    little_endian,
    name_of,
    PLAIN,
)
from depth_anything_ros.wire.framing import LENGTH, MAX_LENGTH
from depth_anything_ros.wire.header_starts import Entry, LONGEST, MARK, Start, Starts
from depth_anything_ros.wire.json_header import (
    CHANGING,
    decode_header,
    encode_changing,
    encode_header,
    Header,
)
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
import numpy as np

MAGIC = b'DAR1'
"""First bytes of a body; a pickle starts with 0x80, a JSON text with a brace."""

START = struct.Struct('<4sI')
"""Magic and the length of the padded header."""

ALIGNMENT = 64
"""Header and arrays end at a multiple of this, so that arrays stay aligned in one body."""

ARRAYS = 'arrays'
"""Header key of the list of arrays, in the order of their bytes."""

NAME_LENGTH = 64
"""Longest name of an array, in characters."""

Part = bytes | memoryview


@dataclass(frozen=True)
class Message:
    """
    A header of JSON values and arrays by name.

    ``start`` is the text of the header without its ``CHANGING`` keys and its last brace, table of
    arrays included, where somebody has it; ``kept`` is what :class:`Start` says.
    """

    header: Mapping[str, Any]
    arrays: Mapping[str, Array] = field(default_factory=dict)
    start: bytes = b''
    kept: dict[str, Any] = field(default_factory=dict, compare=False)


def to_parts(message: Message) -> list[Part]:
    """
    Return the message as parts: the header, then one part per array; arrays are not copied.

    :raises InvalidRequest: when an array's element type cannot be sent.
    """
    parts: list[Part] = [(message.start or start_of(message.header, table_of(message.arrays)))
                         + encode_changing(message.header)]
    for array in message.arrays.values():
        if array.dtype not in PLAIN or not array.flags.c_contiguous:
            array = little_endian(array)
        parts.append(array.data.cast('B') if array.size else memoryview(b''))
    return parts


def table_of(arrays: Mapping[str, Array]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """
    Return name, element type and shape of arrays.

    :raises InvalidRequest: when an array's element type cannot be sent.
    """
    return tuple([(name, name_of(array.dtype), array.shape) for name, array in arrays.items()])


def start_of(
    header: Mapping[str, Any], table: Sequence[tuple[str, str, tuple[int, ...]]],
) -> bytes:
    """Return the text of a header up to its ``CHANGING`` keys; see :class:`Message`."""
    fixed = {key: value for key, value in header.items() if key not in CHANGING}
    fixed[ARRAYS] = [
        {'name': name, 'dtype': dtype, 'shape': list(shape)} for name, dtype, shape in table]
    return encode_header(fixed)[:-1]


def from_parts(
    parts: Sequence[bytes | bytearray | memoryview], limits: Limits = DEFAULT_LIMITS,
) -> Message:
    """
    Return the message of its parts; the arrays are read-only views of them.

    :param parts: the header and one part per array.
    :param limits: how much the message may hold.
    :raises InvalidRequest: when header and parts do not fit together.
    :raises PayloadTooLarge: when the message goes beyond a limit.
    """
    views = []
    size = 0
    for part in parts:
        view = memoryview(part).cast('B').toreadonly()
        views.append(view)
        size += len(view)
    if not views:
        raise InvalidRequest('message of no parts; accepted: a header and one part per array')
    if size > limits.message_bytes:
        check_size(size, limits.message_bytes, 'message')
    header, table, kept = _header(views[0], limits)
    if len(table) != len(views) - 1:
        raise InvalidRequest(
            f'message has {len(views) - 1} parts after a header of {len(table)} arrays')
    arrays = {}
    for entry, view in zip(table, views[1:]):
        arrays[entry.name] = np.ndarray(entry.shape, entry.dtype, view) \
            if entry.size == len(view) > 0 else array_view(view, entry.dtype, entry.shape)
    return Message(header, arrays, kept=kept)


def to_body(message: Message) -> list[Part]:
    """
    Return the message as the pieces of one body; arrays are not copied.

    :raises InvalidRequest: when an array's element type cannot be sent.
    """
    return to_frame(message)[1:]


def to_frame(message: Message) -> list[Part]:
    """
    Return the message as the pieces of one body with its length in front, as ``framed`` does.

    In one function: what is called after the pixels have passed the processor's caches costs more
    than what it does.

    :raises InvalidRequest: when an array's element type cannot be sent.
    :raises PayloadTooLarge: when the length does not fit four bytes.
    """
    text = (message.start or start_of(message.header, table_of(message.arrays))) \
        + encode_changing(message.header)
    size = len(text) + -(START.size + len(text)) % ALIGNMENT
    total = START.size + size
    parts: list[Part] = [b'', START.pack(MAGIC, size) + text.ljust(size)]
    for array in message.arrays.values():
        if array.dtype not in PLAIN or not array.flags.c_contiguous:
            array = little_endian(array)
        length = array.nbytes
        parts.append(array.data.cast('B') if length else memoryview(b''))
        padding = -length % ALIGNMENT
        if padding:
            parts.append(bytes(padding))
        total += length + padding
    if total > MAX_LENGTH:
        raise PayloadTooLarge(f'message of {total} bytes; a frame holds at most {MAX_LENGTH}')
    parts[0] = LENGTH.pack(total)
    return parts


def from_body(
    body: bytes | bytearray | memoryview, limits: Limits = DEFAULT_LIMITS,
) -> Message:
    """
    Return the message of one body; the arrays are read-only views of it.

    :param body: magic, length of the header, header, arrays.
    :param limits: how much the message may hold.
    :raises InvalidRequest: when it is broken.
    :raises PayloadTooLarge: when it goes beyond a limit.
    """
    # Few functions, see to_frame.
    view = memoryview(body).cast('B').toreadonly()
    length = len(view)
    if length > limits.message_bytes:
        check_size(length, limits.message_bytes, 'message')
    magic, size = START.unpack_from(view) if length >= START.size else (b'', 0)
    if magic != MAGIC:
        raise InvalidRequest(f'message does not start with {MAGIC!r} and a length')
    at = START.size + size
    if at > length or at % ALIGNMENT:
        raise InvalidRequest(f'header of {size} bytes does not fit the message of {length}')
    header, table, kept = _header(view[START.size:at], limits)
    arrays: dict[str, Array] = {}
    end = at
    for entry in table:
        first = at + entry.at
        end = first + entry.size
        # With the padding behind it.
        end += -end % ALIGNMENT
        if end > length:
            raise InvalidRequest(
                f'array {entry.name!r} ends at byte {end}, the message at {length}')
        arrays[entry.name] = np.ndarray(entry.shape, entry.dtype, view, first) \
            if entry.size else array_view(view[first:first], entry.dtype, entry.shape)
    if end != length:
        raise InvalidRequest(f'{length - end} bytes follow the last array')
    return Message(header, arrays, kept=kept)


def is_body(data: bytes | bytearray | memoryview) -> bool:
    """Return whether a message is in our own form, told apart from a pickle by its magic."""
    return len(data) >= START.size and bytes(data[:len(MAGIC)]) == MAGIC


_starts = Starts()


def _header(
    data: memoryview, limits: Limits,
) -> tuple[Header, Sequence[Entry], dict[str, Any]]:
    """Return the header without its array table, the table, and what is kept of its beginning."""
    if len(data) > limits.header_bytes:
        check_size(len(data), limits.header_bytes, 'header')
    text = bytes(data)
    found = _starts.read(text)
    if found is not None and len(found[1].entries) <= limits.arrays:
        return found[0], found[1].entries, found[1].kept
    header, entries = _split(decode_header(text, limits), limits)
    _learn(text, limits)
    return header, entries, {}


def _learn(text: bytes, limits: Limits) -> None:
    """Remember the beginning of a header that has come before."""
    start = text[:max(text.find(MARK, 1, LONGEST + len(MARK)), 0)]
    if not start or not _starts.came(start):
        return
    try:
        header, entries = _split(decode_header(start + b'}', limits), limits)
    except (InvalidRequest, PayloadTooLarge):
        # The mark stands in a text or in an object inside.
        return
    _starts.keep(start, Start(header, entries))


def _split(header: Header, limits: Limits) -> tuple[Header, list[Entry]]:
    """Return a header without its array table, and the table."""
    table = header.pop(ARRAYS, [])
    if not isinstance(table, list) or not all(isinstance(row, dict) for row in table):
        raise InvalidRequest(f'header key {ARRAYS!r} is not a list of objects')
    if len(table) > limits.arrays:
        raise PayloadTooLarge(f'{len(table)} arrays; accepted: at most {limits.arrays}')
    entries: list[Entry] = []
    at = 0
    for row in table:
        entries.append(_entry(row, at))
        at = _padded(at + entries[-1].size)
    if len({entry.name for entry in entries}) != len(entries):
        raise InvalidRequest('two arrays have the same name')
    return header, entries


def _entry(row: dict[str, Any], at: int) -> Entry:
    name, dtype = row.get('name'), row.get('dtype')
    if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH:
        raise InvalidRequest(f'array has no name of 1 to {NAME_LENGTH} characters')
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise InvalidRequest(
            f'array {name!r} has the type {str(dtype)[:80]!r}; accepted: {", ".join(DTYPES)}')
    shape = check_shape(row.get('shape'))
    return Entry(name, DTYPES[dtype], shape, at, array_bytes(DTYPES[dtype], shape))


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
