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

"""Who may ask, limits, the order of replies, and reading the keys of requests."""

from __future__ import annotations

from depth_anything_ros.bridges.access import Access, is_loopback
from depth_anything_ros.bridges.base import BridgeLimits, resolve
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.ordering import FLOOD, Ordering, Ticket
from depth_anything_ros.bridges.requests import matrix_of, number_of, process_res_of, switch_of
from depth_anything_ros.errors import (
    ConfigError,
    Forbidden,
    InvalidIntrinsics,
    InvalidRequest,
    PayloadTooLarge,
    Unauthorized,
)
from depth_anything_ros.wire.limits import Limits
import numpy as np
import pytest


@pytest.mark.parametrize(('address', 'expected'), [
    ('127.0.0.1', True), ('127.8.9.1', True), ('::1', True), ('::ffff:127.0.0.1', True),
    ('0.0.0.0', False), ('192.168.1.2', False), ('::', False), ('fe80::1%eth0', False),
])
def test_what_is_loopback(address, expected):
    assert is_loopback(address) is expected


def test_g4_an_open_port_needs_a_key_or_a_spoken_out_choice():
    for host in ('127.0.0.1', 'localhost', '::1'):
        assert Access(host).allows(None)
    for host in ('0.0.0.0', '*', '::'):
        with pytest.raises(ConfigError, match='--allow-anonymous'):
            Access(host)
        assert Access(host, allow_anonymous=True).allows(None)
        assert not Access(host, 'secret').allows(None)
    with pytest.raises(ConfigError, match='cannot be resolved'):
        resolve('no such host')


def test_p5_keys_are_compared_and_not_shown():
    access = Access(key='schlüssel')
    access.check({'api_key': 'schlüssel'})
    for wrong in (None, '', 'schlusse', 'schlüssel ', b'x', 7, '\ud800'):
        with pytest.raises(Unauthorized):
            access.check({'api_key': wrong})
    assert 'schlüssel' not in repr(access)


def test_limits_that_let_nothing_through_are_refused():
    for name in ('clients', 'in_flight', 'idle_s', 'message_s', 'request_s'):
        with pytest.raises(ConfigError, match=name):
            BridgeLimits(**{name: 0})


def test_p1_image_roots(tmp_path):
    (tmp_path / 'photo.png').write_bytes(b'12345')
    assert ImageRoots([tmp_path]).read(str(tmp_path / 'photo.png')) == b'12345'
    with pytest.raises(Forbidden):
        ImageRoots().read(str(tmp_path / 'photo.png'))
    with pytest.raises(PayloadTooLarge):
        ImageRoots([tmp_path], Limits(message_bytes=4)).read(str(tmp_path / 'photo.png'))
    with pytest.raises(ConfigError, match='not a folder'):
        ImageRoots([tmp_path / 'photo.png'])


def ticket(client):
    return Ticket(client, [client], False, 10.0)


def test_replies_wait_for_the_earlier_ones_of_their_client():
    ordering = Ordering(clients=2, in_flight=3)
    first, second, other = ticket(b'a'), ticket(b'a'), ticket(b'b')
    for each in (first, second, other):
        assert ordering.add(each) is None
    assert ordering.answer(second, 2) == []
    assert ordering.answer(other, 3) == [other]
    assert len(ordering) == 2
    assert ordering.overdue(9.0) == [] and ordering.overdue(10.0) == [first]
    assert ordering.answer(first, 1) == [first, second]
    assert ordering.answer(first, 4) == [] and first.reply == 1
    assert len(ordering) == 0


def test_p8_requests_over_the_share_are_refused_and_a_flood_is_dropped():
    ordering = Ordering(clients=1, in_flight=2)
    refusals = [ordering.add(ticket(b'a')) for _ in range(3)]
    assert [refusal is None for refusal in refusals] == [True, True, False]
    assert ordering.add(ticket(b'b')) is not None
    assert not ordering.flooded(b'a')
    for _ in range(2 * FLOOD):
        ordering.add(ticket(b'a'))
    assert ordering.flooded(b'a') and not ordering.flooded(b'b')


def test_values_of_requests():
    assert process_res_of({}) == 504 and process_res_of({'process_res': None}, 7) == 7
    assert process_res_of({'process_res': np.int64(630)}) == 630
    for wrong in (13, 2017, 504.0, '504', True, [504]):
        with pytest.raises(InvalidRequest, match='process_res is'):
            process_res_of({'process_res': wrong})
    assert number_of({'a': 2}, 'a', 0.0) == 2.0 and number_of({}, 'a', 3.0) == 3.0
    for wrong in ('1', True, float('nan'), float('inf'), [1]):
        with pytest.raises(InvalidRequest, match='no finite number'):
            number_of({'a': wrong}, 'a', 0.0)
    assert switch_of({'a': np.bool_(True)}, 'a') and not switch_of({}, 'a')
    with pytest.raises(InvalidRequest):
        switch_of({'a': 1}, 'a')


def test_matrices_of_requests():
    matrix = [[70, 0, 40.5], [0, 72, 30], [0, 0, 1]]
    np.testing.assert_array_equal(matrix_of(matrix), matrix)
    np.testing.assert_array_equal(matrix_of(np.array(matrix, np.float32)), matrix)
    assert matrix_of(None) is None
    for wrong in ([[1, 2, 3]], [[1, 2, 'x']] * 3, np.eye(3, dtype=complex), np.eye(4), 'K'):
        with pytest.raises(InvalidIntrinsics, match='Intrinsics must be a 3x3 numpy array'):
            matrix_of(wrong)
    for wrong in (np.zeros((3, 3)), np.full((3, 3), np.nan), -np.eye(3)):
        with pytest.raises(InvalidIntrinsics, match='positive focal lengths'):
            matrix_of(wrong)
