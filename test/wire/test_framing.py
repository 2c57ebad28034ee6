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

"""Length-prefixed messages on a stream: rule T1, whatever the pieces it arrives in."""

from __future__ import annotations

import struct
import tracemalloc

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.framing import framed, FrameReader, unsent
from depth_anything_ros.wire.limits import Limits
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest


def stream(messages: list[bytes]) -> bytes:
    return b''.join(struct.pack('!I', len(message)) + message for message in messages)


def test_t1_the_prefix_is_four_bytes_big_endian_and_does_not_count_itself() -> None:
    assert b''.join(framed([b'ab', memoryview(b'cde')])) == b'\x00\x00\x00\x05abcde'


def test_a_message_that_no_prefix_can_announce_is_refused() -> None:
    # Four gigabytes without the memory: one byte, repeated by a stride of zero.
    part = memoryview(np.broadcast_to(np.uint8(0), 2**32))
    with pytest.raises(PayloadTooLarge, match='4294967296 bytes'):
        framed([part])


def test_framing_does_not_copy_the_parts() -> None:
    part = bytearray(1000)
    assert framed([part])[1] is part


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=6),
       st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_messages_come_out_whole_however_the_stream_is_cut(
    messages: list[bytes], cuts: list[int],
) -> None:
    data = stream(messages)
    reader = FrameReader()
    seen: list[bytes] = []
    at = turn = 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        seen += [bytes(message) for message in reader.feed(data[at:at + size])]
        at, turn = at + size, turn + 1
    assert seen == messages
    assert reader.between_messages


def test_bytes_received_into_the_buffer_give_the_same_messages() -> None:
    messages = [b'a', b'b' * 1000, b'cd']
    data = stream(messages)
    reader = FrameReader()
    seen = []
    while data:
        buffer = reader.buffer()
        size = min(len(buffer), 7, len(data))
        buffer[:size] = data[:size]
        data = data[size:]
        message = reader.received(size)
        if message is not None:
            seen.append(bytes(message))
    assert seen == messages


def test_each_message_has_memory_of_its_own() -> None:
    first, second = FrameReader().feed(stream([b'first', b'other']))
    assert bytes(first) == b'first' and bytes(second) == b'other'


def test_a_length_beyond_the_limit_is_refused_before_memory_is_taken() -> None:
    reader = FrameReader(Limits(message_bytes=1000))
    assert list(reader.feed(stream([b'x' * 1000])))
    with pytest.raises(PayloadTooLarge, match='1001 bytes'):
        list(FrameReader(Limits(message_bytes=1000)).feed(stream([b'x' * 1001])))
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLarge, match='4294967295 bytes'):
            list(reader.feed(b'\xff\xff\xff\xff'))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_message_of_no_bytes_is_refused() -> None:
    with pytest.raises(InvalidRequest, match='0 bytes'):
        list(FrameReader().feed(b'\x00' * 4))


@pytest.mark.parametrize(('data', 'between'), [
    (b'', True), (b'\x00', False), (b'\x00\x00\x00\x02', False), (b'\x00\x00\x00\x02a', False),
    (b'\x00\x00\x00\x02ab', True)])
def test_the_end_of_a_stream_is_clean_only_between_messages(data: bytes, between: bool) -> None:
    reader = FrameReader()
    list(reader.feed(data))
    assert reader.between_messages is between


@pytest.mark.parametrize('size', [0, -1, 5])
def test_more_than_was_asked_for_is_a_mistake_of_the_caller(size: int) -> None:
    with pytest.raises(ValueError):
        FrameReader().received(size)


def test_what_is_left_of_a_message_is_not_copied() -> None:
    parts = [b'abc', bytearray(b''), memoryview(b'defgh'), b'i']
    whole = b''.join(parts)
    for sent in range(len(whole) + 1):
        left = unsent(parts, sent)
        assert b''.join(left) == whole[sent:] and all(len(view) for view in left)
        for more in range(len(whole) - sent + 1):
            assert b''.join(unsent(left, more)) == whole[sent + more:]
    assert unsent(parts, 4)[0].obj is parts[2].obj
